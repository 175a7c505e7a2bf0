"""What the end-to-end tests stand on: the cluster that is chosen, the operator as a process, small clusters besides."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from pytest_kind import KindCluster

from e2e.chosen_cluster import (
    backend,  # noqa: F401 - fixture
    pytest_collection_finish,  # noqa: F401 - hook
    pytest_collection_modifyitems,  # noqa: F401 - hook
    pytest_configure,  # noqa: F401 - hook
    pytest_report_collectionfinish,  # noqa: F401 - hook
    pytest_unconfigure,  # noqa: F401 - hook
)
from e2e.judged_last import pytest_put_last  # noqa: F401 - hook
from e2e.operator_fixtures import (  # noqa: F401 - fixtures
    api,
    kind_cluster,
    namespace,
    operator,
    operator_account,
    operator_away,
    operator_kubeconfig,
    operator_process,
    podgroup_crd,
    shop,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from backend import Backend


@pytest.fixture(scope="session")
def local_cluster(
    backend: Backend,  # noqa: F811 - the fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., AbstractContextManager[KindCluster]]:
    """Return a context manager: a local cluster of its own, made with the given flags of `create cluster`.

    For tests that need another cluster than everybody's: an audit log, other limits, many nodes.
    """
    if backend.name != "local":
        pytest.skip("needs the local control plane")

    @contextmanager
    def make(name: str, *flags: str) -> Iterator[KindCluster]:
        config = tmp_path_factory.mktemp(name) / "config"
        config.write_text("\n".join(flags))
        made = KindCluster(f"e2e-{os.getpid()}-{name}", kind_path=backend.kind, kubectl_path=backend.kubectl)
        try:
            made.create(config_file=config)
            yield made
        finally:
            made.delete()
            shutil.rmtree(made.path)

    return make

"""What the end-to-end tests stand on: the cluster that is chosen, the operator as a process, small clusters besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.chosen_cluster import (
    backend,  # noqa: F401 - fixture
    pytest_collection_finish,  # noqa: F401 - hook
    pytest_collection_modifyitems,  # noqa: F401 - hook
    pytest_configure,  # noqa: F401 - hook
    pytest_report_collectionfinish,  # noqa: F401 - hook
    pytest_unconfigure,  # noqa: F401 - hook
)
from e2e.judged_last import pytest_put_last  # noqa: F401 - hook
from e2e.local_cluster import start_local_cluster
from e2e.operator_fixtures import (  # noqa: F401 - fixtures
    api,
    kind_cluster,
    namespace,
    operator,
    operator_account,
    operator_away,
    operator_here,
    operator_kubeconfig,
    operator_process,
    podgroup_crd,
    shop,
    shop_here,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_kind import KindCluster

    from backend import Backend


@pytest.fixture(scope="session")
def local_cluster(
    backend: Backend,  # noqa: F811 - the fixture
) -> Callable[..., AbstractContextManager[KindCluster]]:
    """Return a context manager: a local cluster of its own, made with the given flags of `create cluster`."""
    if backend.name != "local":
        pytest.skip("needs the local control plane")
    return start_local_cluster

"""The one place that decides which cluster the end-to-end tests run on.

The tests take pytest-kind's `kind_cluster` fixture and know nothing else. Here pytest-kind's own options are set,
before the fixture reads them, to whatever `controlplane.backend` chooses; an option given on the command line wins.
So the fixture stays as it is published, and `PODGROUP_CLUSTER=local|kind|existing` chooses for a run.

With `--keep-cluster` the cluster has a name that the next such run finds again, which then starts at once.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_kind import KindCluster

from controlplane import cluster
from controlplane.backend import Backend, choose
from controlplane.build import build
from controlplane.errors import ControlPlaneError
from e2e.operator_fixtures import api, namespace, operator, operator_away, operator_process, podgroup_crd, shop  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

BACKEND = pytest.StashKey[Backend]()

PYTEST_KIND = Path(".pytest-kind")
"""Where pytest-kind keeps a folder for each cluster."""

UNSET = "pytest-kind"
"""The value of --cluster-name that nobody gave."""


def pytest_configure(config: pytest.Config) -> None:
    """Choose, and tell pytest-kind."""
    try:
        backend = choose()
    except ControlPlaneError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[BACKEND] = backend
    option = config.option
    option.kind_bin = option.kind_bin or str(backend.kind)
    option.kind_kubectl_bin = option.kind_kubectl_bin or str(backend.kubectl)
    if option.cluster_name == UNSET:
        option.cluster_name = "e2e" if option.keep_cluster else f"e2e-{os.getpid()}"
    # Else kubectl leaves what it learns about each cluster in the user's home.
    os.environ["KUBECACHEDIR"] = str((PYTEST_KIND / option.cluster_name / "kubectl").resolve())


def pytest_report_collectionfinish(config: pytest.Config) -> str:
    """Say what was chosen and why."""
    backend = config.stash[BACKEND]
    return f"end-to-end cluster: {backend.name} ({backend.because})"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what is missing before the first test, where its progress is seen and no test's time-out runs."""
    config = session.config
    here = [item for item in session.items if item.path.is_relative_to(Path(__file__).parent)]
    if not here or config.option.collectonly:
        return
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        try:
            build(config.stash[BACKEND].needs)
        except ControlPlaneError as error:
            raise pytest.UsageError(str(error)) from error
    _delete_clusters_of_dead_runs()


def _delete_clusters_of_dead_runs() -> None:
    """End what a run left that was killed before it could."""
    for name in cluster.running_clusters():
        run = re.fullmatch(r"e2e-(\d+).*", name)
        if run and not Path("/proc", run[1]).exists():
            cluster.delete(name)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove pytest-kind's folder of a cluster that is gone."""
    if not config.option.keep_cluster:
        shutil.rmtree(PYTEST_KIND / config.option.cluster_name, ignore_errors=True)


@pytest.fixture(scope="session")
def backend(pytestconfig: pytest.Config) -> Backend:
    """What stands behind `kind_cluster`."""
    return pytestconfig.stash[BACKEND]


@pytest.fixture(scope="session")
def local_cluster(
    backend: Backend, tmp_path_factory: pytest.TempPathFactory
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

"""The one place that decides which cluster the tests run on; their conftest.py files take their hooks from here.

The tests take pytest-kind's `kind_cluster` fixture and know nothing else. Here pytest-kind's own options are set,
before the fixture reads them, to whatever `backend.choose` chooses; an option given on the command line wins. So the
fixture stays as it is published, and `PODGROUP_CLUSTER=local|kind|existing` chooses for a run. What cannot be chosen
is said when a test needs it, for the other tests of the run do not.

With `--keep-cluster` the cluster has a name that the next such run finds again, which then starts at once.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from backend import Backend, choose
from controlplane.abandoned import delete_abandoned, own_name
from controlplane.errors import ControlPlaneError

BACKEND = pytest.StashKey[Backend]()
UNUSABLE = pytest.StashKey[str]()

PYTEST_KIND = Path(".pytest-kind")
"""Where pytest-kind keeps a folder for each cluster."""

UNSET = "pytest-kind"
"""The value of --cluster-name that nobody gave."""


def pytest_configure(config: pytest.Config) -> None:
    """Choose, and tell pytest-kind."""
    config.addinivalue_line("markers", "containers: needs pods whose containers really run")
    try:
        backend = choose()
    except ControlPlaneError as error:
        config.stash[UNUSABLE] = str(error)
        return
    config.stash[BACKEND] = backend
    option = config.option
    option.kind_bin = option.kind_bin or str(backend.kind)
    option.kind_kubectl_bin = option.kind_kubectl_bin or str(backend.kubectl)
    if option.cluster_name == UNSET:
        option.cluster_name = "e2e" if option.keep_cluster else own_name("e2e")
    # Else kubectl leaves what it learns about each cluster in the user's home.
    os.environ["KUBECACHEDIR"] = str((PYTEST_KIND / option.cluster_name / "kubectl").resolve())


def pytest_report_collectionfinish(config: pytest.Config) -> str:
    """Say what was chosen and why."""
    backend = config.stash.get(BACKEND, None)
    return f"cluster: {backend.name} ({backend.because})" if backend else f"cluster: none. {config.stash[UNUSABLE]}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, or in CI refuse, what cannot run here."""
    backend = config.stash.get(BACKEND, None)
    for item in items:
        if "kind_cluster" not in getattr(item, "fixturenames", ()):
            continue
        if backend is None:
            _cannot_run(item, config.stash[UNUSABLE])
        elif item.get_closest_marker("containers") and not backend.containers:
            item.add_marker(pytest.mark.skip(reason="needs real containers: PODGROUP_CLUSTER=kind, or make e2e"))


def _cannot_run(item: pytest.Item, why: str) -> None:
    """In CI a skip would hide that nothing was tested."""
    if os.environ.get("CI"):
        raise pytest.UsageError(why)
    item.add_marker(pytest.mark.skip(reason=why))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what is missing before the first test, where its progress is seen and no test's time-out runs."""
    config = session.config
    backend = config.stash.get(BACKEND, None)
    needed = any("kind_cluster" in getattr(item, "fixturenames", ()) for item in session.items)
    if backend is None or not needed or config.option.collectonly:
        return
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        try:
            backend.prepare()
        except ControlPlaneError as error:
            raise pytest.UsageError(str(error)) from error
    delete_abandoned(backend.kind, "e2e")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove pytest-kind's folder of a cluster that is gone."""
    if not config.option.keep_cluster:
        shutil.rmtree(PYTEST_KIND / config.option.cluster_name, ignore_errors=True)


@pytest.fixture(scope="session")
def backend(pytestconfig: pytest.Config) -> Backend:
    """What stands behind `kind_cluster`."""
    return pytestconfig.stash[BACKEND]

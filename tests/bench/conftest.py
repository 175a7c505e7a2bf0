"""What every measurement stands on: a local control plane of its own, the operator's process, a table of results.

Numbers are only worth comparing on one kind of cluster, so this is always the local control plane (deploy/local),
whatever the end-to-end tests run on, and each module gets a fresh one with a fresh operator.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controlplane.build import build
from e2e.api import Api
from e2e.local_cluster import WITH_CRDS, start_local_cluster
from e2e.namespace import Namespace
from e2e.operator_process import OperatorProcess
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_kind import KindCluster

NODES = 20
RATIO = "x"
"""The unit of one time divided by another, which says most, and is told first."""


@dataclass(frozen=True)
class Result:
    """A number that was measured."""

    what: str
    value: float
    unit: str
    limit: float | None


RESULTS = pytest.StashKey[list[Result]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what is missing before the first test, where its progress is seen and no test's time-out runs."""
    here = Path(__file__).parent
    if session.config.option.collectonly or not any(item.path.is_relative_to(here) for item in session.items):
        return
    with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        build()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    results = config.stash.get(RESULTS, [])
    if not results:
        return
    terminalreporter.section("measured")
    width = max(len(result.what) for result in results)
    for result in sorted(results, key=lambda result: result.unit != RATIO):
        digits = 2 if result.unit == RATIO else 1
        limit = "" if result.limit is None else f"  (at most {result.limit:g} {result.unit})"
        terminalreporter.line(f"{result.what:<{width}}  {result.value:>9.{digits}f} {result.unit:<3}{limit}")


@pytest.fixture
def measured(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Put a number into the table and, if a limit is given, assert that it is kept."""

    def note(what: str, value: float, unit: str, limit: float | None = None) -> None:
        pytestconfig.stash.setdefault(RESULTS, []).append(Result(what, value, unit, limit))
        if limit is not None:
            assert value <= limit, f"{what}: {value:.1f} {unit}, at most {limit:g} are allowed"

    return note


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[KindCluster]:
    """A local control plane, with both CRDs installed; a module may ask for more by its `CLUSTER_FLAGS`."""
    flags = getattr(request.module, "CLUSTER_FLAGS", ())
    with start_local_cluster("bench", f"--nodes={NODES}", *WITH_CRDS, *flags) as made:
        yield made


@pytest.fixture(scope="module")
def shop(cluster: KindCluster) -> Iterator[Namespace]:
    """A namespace to work in."""
    with Api(Path(cluster.kubeconfig_path)) as api:
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
        wait_for("its ServiceAccount", lambda: api.exists("/api/v1/namespaces/bench/serviceaccounts/default"))
        yield Namespace(cluster, api, "bench")


@pytest.fixture(scope="module")
def operator(cluster: KindCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, running and ready."""
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(Path(cluster.kubeconfig_path).resolve(), log) as process:
        process.start()
        yield process
        sys.stdout.write(f"The operator's log:\n{process.log()}\n")

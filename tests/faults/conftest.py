"""What the fault tests stand on: one local control plane, and plans carried out some at a time.

`pytest tests/faults` takes the short set, `--all-plans` all of them; `--seed` and `--drawn` say which are drawn, and
`-k` picks one out by its name.
"""

from __future__ import annotations

import base64
import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controlplane.build import build
from e2e.api import Api
from e2e.local_cluster import WITH_CRDS, start_local_cluster
from e2e.operator_fixtures import OPERATOR_NAME, OPERATOR_NAMESPACE
from e2e.service_account import ServiceAccount, lease_rules, node_rules, operator_rules
from faults.performance import Performance, Site
from faults.plan import Plan
from faults.plans import SHORT, all_plans
from faults.soak import MINUTES, Soak, soak
from faults.storm import Storm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from pytest_kind import KindCluster

    from faults.performance import Verdict

HERE = Path(__file__).parent
NODES = 5
ROLE = "podgroup-operator-faults"
PLANS_AT_ONCE = 6

PERFORMANCES: dict[str, type[Performance]] = {"soak": Soak, "storm": Storm}
"""How scenarios are played that are more than a few steps; they take the longest, so they begin first."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("faults")
    group.addoption("--all-plans", action="store_true", help="carry out every plan, not only the short set")
    group.addoption("--seed", type=int, default=1, help="seed of the first drawn plan")
    group.addoption("--drawn", type=int, default=20, help="how many plans are drawn")
    group.addoption("--plans-at-once", type=int, default=PLANS_AT_ONCE)
    group.addoption("--record", action="store_true", help="write down the operator's writes anew")


def chosen_plans(config: pytest.Config) -> list[Plan]:
    """Give the plans of this run."""
    plans = all_plans(config.getoption("--seed", 1), config.getoption("--drawn", 20))
    if config.getoption("--all-plans", default=False) or config.getoption("--record", default=False):
        return plans
    short = [plan for plan in plans if plan.name in SHORT]
    assert len(short) == len(SHORT), set(SHORT) - {plan.name for plan in plans}
    return short


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each plan."""
    if metafunc.definition.name == "test_plan":
        plans = [pytest.param(plan, id=f"{plan.name} seed={plan.seed}") for plan in chosen_plans(metafunc.config)]
        metafunc.parametrize("plan", plans)
    if metafunc.definition.name == "test_soak":
        seed = metafunc.config.getoption("--seed", 1)
        metafunc.parametrize("plan", [pytest.param(soak(seed), id=f"{60 * MINUTES:g} s seed={seed}")])


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Leave the dot out where a plan's own line says it."""
    spoken = report.when == "call" and "test_plans.py::test_plan[" in report.nodeid and not report.skipped
    return (report.outcome, "", "") if spoken else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what is missing before the first test, where its progress is seen and no test's time-out runs."""
    if session.config.option.collectonly or not any(item.path.is_relative_to(HERE) for item in session.items):
        return
    with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        build()


@pytest.fixture(scope="session")
def fault_cluster() -> Iterator[KindCluster]:
    """A local control plane for all plans."""
    with start_local_cluster("faults", f"--nodes={NODES}", *WITH_CRDS) as made:
        yield made


@pytest.fixture(scope="session")
def site(fault_cluster: KindCluster) -> Iterator[Site]:
    """The cluster, the operator's account with its rights, and how to reach the API server."""
    kubeconfig = Path(fault_cluster.kubeconfig_path).resolve()
    view = json.loads(fault_cluster.kubectl("config", "view", "--raw", "--flatten", "--minify", "--output=json"))
    entry = view["clusters"][0]["cluster"]
    tls = ssl.create_default_context(cadata=base64.b64decode(entry["certificate-authority-data"]).decode())
    with Api(kubeconfig) as api:
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": OPERATOR_NAMESPACE}})
        account = ServiceAccount(fault_cluster, api, OPERATOR_NAMESPACE, OPERATOR_NAME)
        account.allow_everywhere([*operator_rules(), *node_rules(), *lease_rules()], ROLE)
        yield Site(fault_cluster, kubeconfig, account, entry["server"], tls)


def plans_of(session: pytest.Session) -> list[Plan]:
    """Give the plans that the tests of this run ask for."""
    parameters = [item.callspec.params for item in session.items if hasattr(item, "callspec")]
    return [each["plan"] for each in parameters if isinstance(each.get("plan"), Plan)]


@pytest.fixture(scope="session")
def verdicts(
    request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Plan], Verdict]]:
    """Carry out all plans of this run, some at a time, and give the verdict on one when it is there."""
    with ThreadPoolExecutor(request.config.getoption("--plans-at-once", default=PLANS_AT_ONCE)) as pool:
        futures: dict[str, Future[Verdict]] = {}
        for plan in sorted(plans_of(request.session), key=lambda plan: plan.scenario not in PERFORMANCES):
            performance = PERFORMANCES.get(plan.scenario, Performance)
            futures[plan.name] = pool.submit(performance(plan, site, tmp_path_factory.mktemp("plan")).play)
        yield lambda plan: futures[plan.name].result()
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a line that is seen while the tests run."""
    reporter = pytestconfig.pluginmanager.getplugin("terminalreporter")
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(text)

    return line

"""What every end-to-end test stands on: the CRD, a namespace of its own, and a running operator.

The operator is logged in as its own ServiceAccount, with the rules that it is installed with and no other rights.
The operator serves all tests of a run. A test that stops or kills it may leave it so: the next one that asks for it
gets it running. Its log of the test's time is part of a failed test's report.
"""

from __future__ import annotations

import sys
import uuid
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.api import Api, Refused
from e2e.audit_log import OPERATOR_USER
from e2e.namespace import Namespace
from e2e.operator_process import OperatorProcess
from e2e.service_account import ServiceAccount, node_rules, operator_rules
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

CRD_FILE = Path(__file__).parents[2] / "crds" / "podgroups.yaml"
OPERATOR_NAMESPACE, OPERATOR_NAME = OPERATOR_USER.split(":")[2:]
ROLE = "podgroup-operator-e2e"
OTHER_CRD_FILE = Path(__file__).parent / "other_podgroups.yaml"


def install_crds(cluster: KindCluster, api: Api) -> None:
    """Install our CRD, and beside it another one of the same kind and plural, as scheduler-plugins and Volcano have."""
    for file in (CRD_FILE, OTHER_CRD_FILE):
        cluster.kubectl("apply", "--filename", str(file))
    # Not by `kubectl wait`, which fails as long as a new CRD has no conditions at all.
    for root in ("selfheal.dev/v1", "scheduling.example.com/v1alpha1"):
        wait_for(f"PodGroups of {root} to be served", partial(serves_podgroups, api, root))


def serves_podgroups(api: Api, root: str) -> bool:
    """Whether the API server knows PodGroups of this API group and version, and is done with their storage."""
    try:
        return bool(api.request("GET", f"/apis/{root}/podgroups"))
    except Refused as refusal:
        if refusal.code in {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return False
        raise


@pytest.fixture(scope="session")
def kind_cluster(request: pytest.FixtureRequest) -> KindCluster:
    """pytest-kind's own, which keeps an audit log of the operator where it is the local control plane."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PODGROUP_AUDIT_USER", OPERATOR_USER)
        return request.getfixturevalue("kind_cluster")


@pytest.fixture(scope="session")
def podgroup_crd(kind_cluster: KindCluster, api: Api) -> None:
    """Our CRD, installed and served, and another `podgroups` beside it."""
    install_crds(kind_cluster, api)


@pytest.fixture(scope="session")
def api(kind_cluster: KindCluster) -> Iterator[Api]:
    """A connection to the cluster in the administrator's name."""
    with Api(Path(kind_cluster.kubeconfig_path)) as connection:
        yield connection


@contextmanager
def new_namespace(api: Api) -> Iterator[str]:
    """Create a namespace, give its name, and delete it without waiting for its end."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    wait_for("its ServiceAccount", lambda: api.exists(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
    yield name
    try:
        api.request("DELETE", f"/api/v1/namespaces/{name}")
    except Refused as refusal:
        if refusal.code != HTTPStatus.NOT_FOUND:
            raise


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """The name of a namespace of the test's own; nobody waits for its end."""
    with new_namespace(api) as name:
        yield name


@pytest.fixture
def shop(kind_cluster: KindCluster, api: Api, namespace: str) -> Namespace:
    """A namespace of the test's own, to work in."""
    return Namespace(kind_cluster, api, namespace)


@pytest.fixture(scope="module")
def shop_here(kind_cluster: KindCluster, api: Api, podgroup_crd: None) -> Iterator[Namespace]:
    """A namespace for all tests of a module."""
    with new_namespace(api) as name:
        yield Namespace(kind_cluster, api, name)


@pytest.fixture(scope="session")
def operator_account(kind_cluster: KindCluster, api: Api) -> Iterator[ServiceAccount]:
    """The operator's ServiceAccount, with its rules in all namespaces."""
    if not api.exists(f"/api/v1/namespaces/{OPERATOR_NAMESPACE}"):
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": OPERATOR_NAMESPACE}})
    account = ServiceAccount(kind_cluster, api, OPERATOR_NAMESPACE, OPERATOR_NAME)
    account.allow_everywhere([*operator_rules(), *node_rules()], ROLE)
    yield account
    account.forbid_everywhere(ROLE)


@pytest.fixture(scope="session")
def operator_kubeconfig(operator_account: ServiceAccount, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's login."""
    return operator_account.write_kubeconfig(tmp_path_factory.mktemp("login") / "kubeconfig")


@pytest.fixture(scope="session")
def operator_process(
    operator_kubeconfig: Path, podgroup_crd: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The one operator of the run, perhaps running."""
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(operator_kubeconfig, log) as process:
        yield process


@pytest.fixture
def operator_away(operator_process: OperatorProcess) -> None:
    """No operator, so that a test can run one of its own."""
    if operator_process.runs:
        operator_process.stop()


@pytest.fixture(scope="module")
def operator_here(
    request: pytest.FixtureRequest,
    operator_kubeconfig: Path,
    operator_process: OperatorProcess,
    shop_here: Namespace,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    """An operator that serves `shop_here` alone, with the module's OPERATOR_OPTIONS if it has some; the only one."""
    if operator_process.runs:
        operator_process.stop()
    options = [f"--namespace={shop_here.name}", *getattr(request.module, "OPERATOR_OPTIONS", ())]
    with OperatorProcess(operator_kubeconfig, tmp_path_factory.mktemp("operator") / "log", options) as process:
        process.start()
        yield process


@pytest.fixture
def operator(operator_process: OperatorProcess) -> Iterator[OperatorProcess]:
    """The operator, running and ready."""
    start = len(operator_process.log())
    operator_process.start()
    yield operator_process
    sys.stdout.write(f"The operator's log:\n{operator_process.log()[start:]}\n")

"""The operator's start and end: what it says of what is missing, that it waits for it, and how it goes."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from e2e.operator_fixtures import install_crds
from e2e.operator_process import OperatorProcess
from e2e.service_account import ServiceAccount, node_rules, operator_rules
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_kind import KindCluster

    from backend import Backend
    from e2e.api import Api
    from e2e.namespace import Namespace

NO_CRD = (
    "The API server knows no podgroups.selfheal.dev. "
    "Install the CRD: kubectl apply -f crds/podgroups.yaml (waiting for it).\n"
)


@pytest.fixture
def crd_back(kind_cluster: KindCluster, backend: Backend, api: Api, podgroup_crd: None) -> Iterator[None]:
    """Whatever a test does to the CRD, it is there afterwards."""
    if backend.name == "existing":
        pytest.skip("would delete the PodGroups of a cluster that is not ours")
    yield
    install_crds(kind_cluster, api)


def remove_crd(cluster: KindCluster) -> None:
    """Uninstall the CRD, with all PodGroups."""
    cluster.kubectl("delete", "crd", "podgroups.selfheal.dev", "--timeout=60s")


@pytest.mark.usefixtures("crd_back")
def test_without_the_crd_it_waits(shop: Namespace, operator: OperatorProcess) -> None:
    """Started before the CRD is there, the operator says what to install, and works when that is done."""
    operator.stop()
    remove_crd(shop.cluster)
    operator.launch()
    eventually((503, NO_CRD), operator.readiness)
    assert NO_CRD in operator.logged()
    install_crds(shop.cluster, shop.api)
    eventually((200, "ok\n"), operator.readiness)
    shop.start_group()


@pytest.mark.usefixtures("crd_back")
def test_a_crd_that_comes_back_is_served_again(shop: Namespace, operator: OperatorProcess) -> None:
    """When the CRD is deleted under the running operator it says so and stays; installed again, it is served again."""
    shop.start_group()
    pid = operator.pid
    remove_crd(shop.cluster)
    eventually((503, NO_CRD), operator.readiness)
    assert NO_CRD in operator.logged()
    install_crds(shop.cluster, shop.api)
    eventually((200, "ok\n"), operator.readiness)
    lost, *_ = shop.start_group("anew")
    shop.kill(lost)
    shop.complete("anew", without=[lost])
    assert pid == operator.pid


@pytest.fixture
def account(shop: Namespace) -> ServiceAccount:
    """A ServiceAccount `operator` in the test's namespace, which may do nothing."""
    return ServiceAccount(shop.cluster, shop.api, shop.name, "operator")


@pytest.mark.usefixtures("operator_away")
def test_without_permission_it_waits(
    shop: Namespace, account: ServiceAccount, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Without rights the operator lists each that it lacks and says how to grant it; with them it works."""
    lack = (
        "The operator may not do this in all namespaces: get podgroups.selfheal.dev, list podgroups.selfheal.dev, "
        "watch podgroups.selfheal.dev, patch podgroups/status.selfheal.dev, get pods, list pods, watch pods, "
        "create pods, patch pods, delete pods. Grant it with a ClusterRole or Role bound to its ServiceAccount or user "
        "(waiting for it).\n"
    )
    shop.create_group()
    with OperatorProcess(account.write_kubeconfig(tmp_path / "kubeconfig"), tmp_path / "log") as process:
        process.launch()
        eventually((503, lack), process.readiness)
        assert lack in process.logged()
        request.addfinalizer(partial(account.forbid_everywhere, shop.name))
        account.allow_everywhere([*operator_rules(), *node_rules()], shop.name)
        eventually((200, "ok\n"), process.readiness)
        shop.complete()
        shop.create_pod("bare", {"selfheal.dev/podgroup": "web"})
        wait_for("the Event of the deletion of one pod too many", lambda: shop.notes("SuccessfulDelete") or None)
        shop.complete()


@pytest.mark.usefixtures("operator_away")
def test_one_namespace_needs_a_role_only(shop: Namespace, account: ServiceAccount, tmp_path: Path) -> None:
    """With --namespace the operator serves that namespace alone and needs rights nowhere else."""
    account.allow(operator_rules())
    kubeconfig = account.write_kubeconfig(tmp_path / "kubeconfig")
    with OperatorProcess(kubeconfig, tmp_path / "log", [f"--namespace={shop.name}"]) as process:
        process.start()
        lost, *_ = shop.start_group()
        shop.kill(lost)
        shop.complete(without=[lost])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "there is no such file", id="missing"),
        pytest.param("apiVersion: [", "line 1, column 14", id="not YAML"),
        pytest.param(
            "{kind: Config, current-context: x, contexts: []}", "Expected object with name x", id="no context"
        ),
    ],
)
def test_a_bad_kubeconfig_ends_it(tmp_path: Path, content: str | None, why: str) -> None:
    """With a kubeconfig that is missing or broken the operator ends with 1 and one sentence that says what to do."""
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with OperatorProcess(path, tmp_path / "log") as process:
        process.launch()
        assert process.exit_code() == 1
        (line,) = process.logged().splitlines()
    assert f"ERROR podgroup_operator.cli The kubeconfig {path} cannot be used: " in line
    assert why in line
    assert line.endswith(
        "Give a good one with --kubeconfig or in KUBECONFIG; `kubectl config view` shows what is in it."
    )


def test_it_ends_at_once_on_sigterm(shop: Namespace, operator: OperatorProcess) -> None:
    """On SIGTERM the operator ends within seconds, with 0 and a last line that says so, also in the middle of work."""
    shop.create_group(replicas=20)
    wait_for("the first pods", lambda: shop.pods() or None)
    asked = time.monotonic()
    assert operator.stop() == 0
    assert time.monotonic() - asked < 10
    assert operator.logged().endswith("Stopped.\n")
    operator.start()
    shop.complete()


def test_it_waits_for_the_api_server_and_ends_on_sigterm(tmp_path: Path) -> None:
    """When nobody answers at the API server's address the operator says so and waits; on SIGTERM it ends with 0."""
    path = tmp_path / "kubeconfig"
    config = {
        "clusters": [{"name": "gone", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "nobody"}}],
        "users": [{"name": "nobody", "user": {}}],
        "current-context": "gone",
    }
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
    with OperatorProcess(path, tmp_path / "log") as process:
        process.launch()
        says = "The API server does not answer (Cannot connect to host 127.0.0.1:9"
        wait_for("the operator to say what is missing", lambda: says in process.readiness()[1])
        assert says in process.logged()
        assert process.stop() == 0

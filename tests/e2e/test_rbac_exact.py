"""What the operator may do is what it does: of the rules in rules.yaml of the chart none is missing and none is idle.

Every end-to-end test runs it with these rules alone, and the API server has written down what it asked for. These
tests come after all others (judged_last.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.api import Api
from e2e.audit_log import OPERATOR_USER, requests
from e2e.deployments import APPS
from e2e.namespace import Namespace
from e2e.operator_fixtures import install_crds, new_namespace
from e2e.operator_process import OperatorProcess
from e2e.pod import names
from e2e.service_account import Permission, ServiceAccount, node_rules, operator_rules, permissions, rules_without
from e2e.test_revisions import revisions
from e2e.versions import web
from e2e.waiting import eventually, wait_for
from podgroup_operator.api.wire.revision import template_hash
from podgroup_operator.core.names import pod_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pytest_kind import KindCluster

    from backend import Backend
    from e2e.pod import Pod

FINALIZERS = Permission("update", "selfheal.dev", "podgroups/finalizers")
"""Never asked for by us: the admission plugin OwnerReferencesPermissionEnforcement wants it for blockOwnerDeletion."""

ASKING = {
    Permission("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
    Permission("create", "authorization.k8s.io", "selfsubjectrulesreviews"),
}
"""What everybody who is logged in may do: ask what they may do."""


@pytest.fixture(scope="module")
def _audited(backend: Backend) -> None:
    if backend.name != "local":
        pytest.skip("only the local control plane has an audit log")


def do_everything(shop: Namespace) -> None:
    """Have the operator use each of its permissions."""
    uid = shop.create_group(replicas=0)
    owner = shop.create("configmaps", {"metadata": {"name": "owner"}})["metadata"]
    stranger = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"], "controller": True}
    taken = shop.create_pod(pod_name("web", uid, 0, 0), {}, ownerReferences=[stranger])  # whose is it? get pods
    shop.patch_group({"spec": {"replicas": 2}})
    first, second = shop.complete()  # list, watch, create pods; status
    assert taken.name not in names([first, second])
    shop.kill(first)
    shop.complete(without=[first])  # does the group live? get podgroups
    shop.relabel(second, **{"selfheal.dev/podgroup": "other"})
    wait_for("the release", lambda: not shop.pod(second.name).controller)  # patch pods
    shop.complete()
    shop.patch_group({"spec": {"replicas": 1}})
    shop.complete()  # delete pods
    wait_for("the Event", lambda: shop.notes("SuccessfulDelete") or None)  # create events
    for stranger_to_it in (shop.pod(second.name), taken):
        shop.kill(stranger_to_it)
    change_its_template(shop)
    resize(shop)
    sick = shop.live()[0]
    shop.crash(sick)
    shop.complete(without=[sick])  # create pods/eviction


def resize(shop: Namespace) -> None:
    """Have the operator change a pod in place: patch pods/resize."""
    for cpu in ("1m", "2m"):
        container = {"name": "web", "image": "app", "resources": {"requests": {"cpu": cpu}}}
        template = {"metadata": {"annotations": None}, "spec": {"containers": [container]}}
        shop.patch_group({"spec": {"strategy": {"inPlace": "IfPossible"}, "template": template}})
        shop.complete()
        eventually([cpu], lambda: [requested(pod) for pod in shop.live()])


def requested(pod: Pod) -> str:
    """How much CPU a pod asks for."""
    return str(pod.body["spec"]["containers"][0].get("resources", {}).get("requests", {}).get("cpu", ""))


def change_its_template(shop: Namespace) -> None:
    """Have the operator use each of the permissions that rollouts take."""
    first = shop.group()["spec"]["template"]  # create, list, watch revisions
    metadata = {"name": f"web-{template_hash(web('2'))}"}
    shop.create("controllerrevisions", {"metadata": metadata, "data": {}, "revision": 1}, APPS)
    # Is it the same in other words? create podtemplates. Whose is its name? get revisions.
    shop.patch_group({"spec": {"template": web("2")}})
    shop.kubectl("wait", "podgroups.selfheal.dev/web", "--for=condition=Ready", "--timeout=60s")
    first["metadata"] = {"annotations": None, "labels": None}
    shop.patch_group({"spec": {"template": first}})  # the newest again: patch revisions
    eventually(3, lambda: max(revisions(shop).values()))
    shop.patch_group({"spec": {"revisionHistoryLimit": 0}})
    eventually({3}, lambda: set(revisions(shop).values()) - {1})  # delete revisions


@pytest.mark.usefixtures("operator", "_audited")
def test_what_is_granted_is_what_is_used(shop: Namespace, kind_cluster: KindCluster) -> None:
    """The operator's requests of the whole run are its rules, one by one, but what an admission plugin wants."""
    do_everything(shop)
    used = {request.permission for request in requests(kind_cluster.name)}
    assert permissions([*operator_rules(), *node_rules()]) - {FINALIZERS} == used - ASKING


@pytest.mark.usefixtures("operator", "_audited")
def test_nothing_was_forbidden(kind_cluster: KindCluster) -> None:
    """In the whole run the operator asked for nothing that it may not do."""
    assert [request for request in requests(kind_cluster.name) if request.forbidden] == []


def rows(cluster: KindCluster, namespace: str, user: str) -> set[str]:
    """What `kubectl auth can-i --list` says, as its lines with single blanks."""
    account = user.split(":")[2]
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{account}", "system:authenticated")
    impersonate = [f"--as={user}", *(f"--as-group={group}" for group in groups)]
    text = cluster.kubectl("auth", "can-i", "--list", f"--namespace={namespace}", *impersonate)
    return {" ".join(line.split()) for line in text.splitlines()}


OUR_ROWS = {
    "controllerrevisions.apps [] [] [get list watch create patch delete]",
    "events.events.k8s.io [] [] [create]",
    "nodes [] [] [list watch]",
    "podgroups.selfheal.dev [] [] [get list watch]",
    "podgroups.selfheal.dev/finalizers [] [] [update]",
    "podgroups.selfheal.dev/status [] [] [patch]",
    "pods [] [] [get list watch create patch delete]",
    "pods/resize [] [] [patch]",
    "pods/eviction [] [] [create]",
    "podtemplates [] [] [create]",
}


@pytest.mark.usefixtures("operator_account")
def test_it_may_do_this_and_nothing_else(kind_cluster: KindCluster, namespace: str) -> None:
    """`kubectl auth can-i --list` shows our ten lines, and what every ServiceAccount has."""
    everybody = rows(kind_cluster, namespace, f"system:serviceaccount:{namespace}:nobody")
    ours = rows(kind_cluster, namespace, OPERATOR_USER)
    assert everybody <= ours
    assert ours - everybody == OUR_ROWS


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "update", "patch", "delete"])
def test_secrets_are_out_of_reach(operator_account: ServiceAccount, verb: str) -> None:
    """The operator may not read or write Secrets, not even in its own namespace."""
    assert not operator_account.may(Permission(verb, "", "secrets"))


def test_block_owner_deletion_needs_the_finalizers(
    local_cluster: Callable[..., AbstractContextManager[KindCluster]], tmp_path: Path
) -> None:
    """With OwnerReferencesPermissionEnforcement no pod is made without podgroups/finalizers; the group says why."""
    flag = "--kube-apiserver-arg=--enable-admission-plugins=OwnerReferencesPermissionEnforcement"
    with local_cluster("owners", "--nodes=1", flag) as cluster, Api(cluster.kubeconfig_path) as api:
        install_crds(cluster, api)
        with new_namespace(api) as name:
            shop = Namespace(cluster, api, name)
            account = ServiceAccount(cluster, api, name, "operator")
            account.allow(rules_without(FINALIZERS))
            kubeconfig = account.write_kubeconfig(tmp_path / "kubeconfig")
            with OperatorProcess(kubeconfig, tmp_path / "log", [f"--namespace={name}"]) as process:
                process.start()
                shop.create_group()
                eventually("FailedCreate", lambda: shop.condition("ReplicaFailure").get("reason"))
                assert "cannot set blockOwnerDeletion" in shop.condition("ReplicaFailure")["message"]
                assert shop.pods() == []
                account.allow(operator_rules())
                shop.complete()

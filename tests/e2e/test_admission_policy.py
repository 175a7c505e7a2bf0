"""The chart's ValidatingAdmissionPolicy on a real API server: what one may not do to pods no operator does for him."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.namespace import PODGROUPS
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace

ROOT = Path(__file__).resolve().parents[2]
GENERATE = runpy.run_path(str(ROOT / "deploy/helm/generate.py"))
POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
VERBS = {"create": "creates", "patch": "adopts", "delete": "deletes"}
"""What the operator does with pods, and what the policy calls it."""


def sentence(verb: str, shop: Namespace) -> str:
    """What the policy says to Ann who lacks this right."""
    where = f'in namespace {shop.name}: ask for the role "edit" there'
    return f"a PodGroup {VERBS[verb]} pods, and ann may not {verb} pods {where}"


GROUP: dict[str, Any] = {
    "apiVersion": "selfheal.dev/v1",
    "kind": "PodGroup",
    "metadata": {"name": "web"},
    "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "registry.k8s.io/pause:3.10"}]}}},
}


@pytest.fixture(scope="module", autouse=True)
def policy(kind_cluster: KindCluster, podgroup_crd: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The policy of deploy/install.yaml, in force."""
    manifests = [each for each in GENERATE["install_manifests"]() if each["kind"] in POLICIES]
    assert len(manifests) == 2 * len(POLICIES)  # of groups, and of revisions
    file = tmp_path_factory.mktemp("policy") / "policy.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))
    kind_cluster.kubectl("apply", "--server-side", f"--filename={file}")
    yield
    kind_cluster.kubectl("delete", f"--filename={file}")


@pytest.fixture
def ann(shop: Namespace) -> Callable[..., str]:
    """What kubectl says to Ann, who may do everything with PodGroups here, but nothing with pods."""
    allow(shop, "podgroups", "selfheal.dev", "podgroups", "podgroups/scale")

    def kubectl(*arguments: str, manifest: object = None) -> str:
        return shop.kubectl_as("ann", *arguments, manifest=manifest)

    # A new policy is not in force at once.
    wait_for(
        "the policy", lambda: "may not create" in kubectl("create", "--filename=-", manifest=GROUP) or forget(shop)
    )
    return kubectl


def forget(shop: Namespace) -> bool:
    """Remove what was created before the policy was in force."""
    shop.delete_group()
    return False


def allow(shop: Namespace, name: str, group: str, *resources: str, verbs: Iterable[str] = ("*",)) -> None:
    """Let Ann do everything, or this, with these resources."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rule = {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
    shop.create("roles", {"metadata": {"name": name}, "rules": [rule]}, rbac)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ann"}
    shop.create("rolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}, rbac)


def test_who_may_not_create_pods_may_not_create_a_group(shop: Namespace, ann: Callable[..., str]) -> None:
    """The refusal says what is missing and whom to ask for it."""
    said = ann("create", "--filename=-", manifest=GROUP)
    assert sentence("create", shop) in said
    assert shop.groups() == []


@pytest.mark.parametrize("missing", VERBS)
def test_who_lacks_one_right_on_pods_has_no_operator_use_it(
    shop: Namespace, ann: Callable[..., str], missing: str
) -> None:
    """A PodGroup that selects somebody's bare pods adopts them, and at 0 replicas deletes them, with others' rights."""
    bare = shop.create_pod("bare", {"app": "db"})
    allow(shop, "pods", "", "pods", verbs=VERBS.keys() - {missing})
    template = {"metadata": {"labels": {"app": "db"}}, **GROUP["spec"]["template"]}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "db"}}, "template": template}
    trap = {**GROUP, "spec": spec}
    wait_for("the role", lambda: sentence(missing, shop) in ann("create", "--filename=-", manifest=trap))
    assert (shop.groups(), [pod.uid for pod in shop.live()]) == ([], [bare.uid])


def test_who_may_create_patch_and_delete_pods_may(shop: Namespace, ann: Callable[..., str]) -> None:
    """With the rights on pods, and no other, the same user creates and changes the same PodGroup."""
    allow(shop, "pods", "", "pods", verbs=VERBS)
    eventually("podgroup.selfheal.dev/web created\n", lambda: ann("create", "--filename=-", manifest=GROUP))
    assert "patched" in ann("patch", "pgrp", "web", "--type=merge", '--patch={"spec": {"replicas": 2}}')


def test_a_group_of_another_cannot_be_changed_to_one_of_his(shop: Namespace, ann: Callable[..., str]) -> None:
    """Nor may a template be changed by who may not create pods; labels, scale and deletion are his as RBAC says."""
    shop.create("podgroups", GROUP, PODGROUPS)
    patch = '--patch={"spec": {"template": {"spec": {"hostNetwork": true}}}}'
    assert "may not create pods" in ann("patch", "pgrp", "web", "--type=merge", patch)
    assert "labeled" in ann("label", "pgrp", "web", "team=a")
    assert "scaled" in ann("scale", "podgroups.selfheal.dev", "web", "--replicas=2")
    assert "deleted" in ann("delete", "pgrp", "web")


def test_a_revision_cannot_be_forged(shop: Namespace, ann: Callable[..., str]) -> None:
    """Who may write ControllerRevisions but no pods makes none that a PodGroup owns, new or by giving it an owner."""
    allow(shop, "revisions", "apps", "controllerrevisions")
    uid = shop.create_group(replicas=0)
    owner = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": uid, "controller": True}
    forged: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 9, "data": {}}
    forged["metadata"] = {"name": "web-forged", "ownerReferences": [owner]}
    wait_for("the role", lambda: "forbidden: User" not in ann("get", "controllerrevisions"))
    assert "written by its operator alone" in ann("create", "--filename=-", manifest=forged)
    del forged["metadata"]["ownerReferences"]
    assert "created" in ann("create", "--filename=-", manifest=forged)
    patch = json.dumps({"metadata": {"ownerReferences": [owner]}})
    assert "written by its operator alone" in ann(
        "patch", "controllerrevision", "web-forged", "--type=merge", "-p", patch
    )

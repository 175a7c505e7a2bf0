"""Something stands between the operator and the store: it changes what is written, or forbids it for some pods."""

from __future__ import annotations

import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest

from e2e.api import MERGE_PATCH
from e2e.namespace import template
from e2e.pod import names, pod_spec
from e2e.policies import is_denied, policy
from e2e.waiting import eventually, stays

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

APP, GROUP, PROTECTED = "app", "selfheal.dev/podgroup", "protected"
RECOVERY = 40.0
"""Seconds after a policy is gone."""

NOT_PROTECTED = "!has(oldObject.metadata.labels) || !('protected' in oldObject.metadata.labels)"


def denies(shop: Namespace, pod: Pod, method: str) -> Callable[[], bool]:
    """Give a test whether a change of a pod is denied, made as a dry run."""
    path, body = shop.path("pods", pod.name), {"metadata": {"annotations": {"probe": "1"}}}
    if method == "DELETE":
        return lambda: is_denied(partial(shop.api.request, "DELETE", path, {"dryRun": ["All"]}))
    return lambda: is_denied(partial(shop.api.request, "PATCH", path, body, MERGE_PATCH, dryRun="All"))


def test_a_label_that_is_changed_on_its_way_makes_no_pods_without_end(shop: Namespace) -> None:
    """A ReplicaSet would make them for ever; here label and value are named, a handful is made, and all ends well."""

    def works() -> bool:
        probe = {"metadata": {"name": "probe", "labels": {APP: "web"}}, "spec": pod_spec()}
        made = shop.api.request("POST", shop.path("pods"), probe, dryRun="All")
        return bool(made["metadata"]["labels"][APP] == "changed")

    change = '[JSONPatch{op: "add", path: "/metadata/labels/app", value: "changed"}]'
    mutations = [{"patchType": "JSONPatch", "jsonPatch": {"expression": change}}]
    with policy(shop, "mutating", "CREATE", works, mutations=mutations, reinvocationPolicy="Never"):
        shop.create_group(
            replicas=2, selector={"matchLabels": {APP: "web"}}, template=template({"labels": {APP: "web"}})
        )
        eventually("True", lambda: shop.condition("Stalled").get("status"))
        message = shop.condition("Stalled")["message"]
        assert "app=web (it has changed)" in message
        assert "between the operator and the store" in message
        stays((), lambda: tuple(shop.pods())[2:], 3.0)
    eventually(2, lambda: len([pod for pod in shop.live() if pod.ready and pod.labels[APP] == "web"]), RECOVERY)
    shop.complete()


def test_a_pod_that_may_not_be_deleted_keeps_nothing_else_waiting(shop: Namespace) -> None:
    """Another victim goes, what is lost is replaced, the status is fresh; when it may be deleted, it is."""
    protected, *_ = shop.start_group(replicas=5)
    costs = {"controller.kubernetes.io/pod-deletion-cost": "-100"}
    shop.patch_pod(protected, {"metadata": {"labels": {PROTECTED: "yes"}, "annotations": costs}})
    denied = denies(shop, protected, "DELETE")
    with policy(shop, "validating", "DELETE", denied, validations=[{"expression": NOT_PROTECTED}]):
        shop.patch_group({"spec": {"replicas": 3}})
        eventually(4, lambda: len(shop.live()))
        eventually("FailedDelete", lambda: shop.condition("ReplicaFailure").get("reason"))
        assert shop.status()["observedGeneration"] == shop.group()["metadata"]["generation"]
        lost = [pod for pod in shop.live() if pod.uid != protected.uid][:2]
        for pod in lost:
            shop.kill(pod, gracePeriodSeconds=0)
        eventually(3, lambda: len(shop.live()))
    eventually(3, lambda: len(shop.live()), RECOVERY)
    shop.complete()


def test_a_pod_that_may_not_be_changed_keeps_nothing_else_waiting(shop: Namespace) -> None:
    """One cannot be released, a stray cannot be adopted: what else is lost is replaced, and scaling goes on."""
    relabelled, *others = shop.start_group(replicas=4)
    shop.relabel(relabelled, **{PROTECTED: "yes"})
    stray = shop.create_pod("stray", {PROTECTED: "yes", GROUP: "other"})

    def denied() -> bool:
        """Only service accounts are denied; as one that may do everything we find out whether it is in force."""
        probe = ("label", f"pod/{stray.name}", "probe=1", "--dry-run=server")
        try:
            shop.kubectl(*probe, "--as=system:serviceaccount:default:probe", "--as-group=system:masters")
        except subprocess.CalledProcessError:
            return True
        return False

    def ours() -> int:
        return len([pod for pod in shop.live() if pod.controller and pod.labels[GROUP] == "web"])

    people = "!request.userInfo.username.startsWith('system:serviceaccount:')"
    with policy(shop, "validating", "UPDATE", denied, validations=[{"expression": f"{people} || {NOT_PROTECTED}"}]):
        shop.relabel(relabelled, **{GROUP: "nobodys"})
        shop.relabel(stray, **{GROUP: "web"})
        for pod in others:
            shop.kill(pod, gracePeriodSeconds=0)
        eventually((3, 0), lambda: (ours(), len(names(others) & names(shop.live()))))
        eventually("True", lambda: shop.condition("ReplicaFailure").get("status"))
        shop.patch_group({"spec": {"replicas": 2}})
        eventually(2, ours)
        assert shop.pod(relabelled.name).controller
        assert not shop.pod(stray.name).controller
    shop.patch_group({"spec": {"replicas": 3}})
    eventually(3, ours, RECOVERY)
    eventually("", lambda: shop.pod(relabelled.name).controller, RECOVERY)  # each pod waits by itself

"""Pods that live and ail, on the real API server: they are evicted within their budget, and come up elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.api import MERGE_PATCH
from e2e.waiting import eventually, stays, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

POLICY = "/apis/policy/v1"


def heir_of(shop: Namespace, *pods: Pod) -> Pod | None:
    """Give the pod that says it replaces one of these, if it is there."""
    names = {pod.name for pod in pods}
    return next((each for each in shop.pods() if each.replaces in names), None)


def test_a_crash_loop_is_moved_to_another_node(shop: Namespace) -> None:
    """A pod in a crash loop is evicted; its replacement says why, avoids that node, and lands on another."""
    pods = shop.start_group(replicas=3)
    shop.crash(pods[0])
    heir = wait_for("its replacement", lambda: heir_of(shop, pods[0]))
    assert heir.cause == "CrashLoop"
    assert heir.annotations["selfheal.dev/avoids"].startswith(f"{pods[0].node}=")
    shop.complete(without=pods[:1])
    assert shop.pod(heir.name).node != pods[0].node
    eventually("CrashLoop", lambda: shop.status()["healing"].get("lastCause"))
    wait_for("the Event", lambda: [note for note in shop.notes("PodHealed") if "CrashLoop" in note] or None)


def test_a_budget_holds_it_and_is_named(shop: Namespace) -> None:
    """Where a PodDisruptionBudget allows none to go the pod stays, an Event names the cure, and with that it goes."""
    pods = shop.start_group(replicas=2)
    selector = {"matchLabels": {"selfheal.dev/podgroup": "web"}}
    budget = {"metadata": {"name": "web"}, "spec": {"maxUnavailable": 0, "selector": selector}}
    shop.create("poddisruptionbudgets", budget, POLICY)
    path = shop.path("poddisruptionbudgets", "web", POLICY)
    wait_for("the budget", lambda: "expectedPods" in (shop.api.request("GET", path).get("status") or {}))
    shop.crash(pods[0])
    wait_for("the Event", lambda: [each for each in shop.notes("HealingSuppressed") if "AlwaysAllow" in each] or None)
    stays(2, lambda: len(shop.live()), 2.0)
    shop.api.request("PATCH", path, {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}, MERGE_PATCH)
    wait_for("its replacement", lambda: heir_of(shop, pods[0]))
    shop.complete(without=pods[:1])


def test_all_of_a_bad_image_are_left_and_mended_by_a_good_one(shop: Namespace) -> None:
    """Where all crash one is tried elsewhere and no more; a person is told; a changed template brings them back."""
    pods = shop.start_group(replicas=3)
    for pod in pods:
        shop.crash(pod)
    heir = wait_for("one replacement", lambda: heir_of(shop, *pods))
    wait_for("its start", lambda: shop.pod(heir.name).ready or None)
    shop.crash(heir)
    eventually("PodsKeepFailing", lambda: shop.condition("ReplicaFailure")["reason"])
    stays(3, lambda: len(shop.live()), 3.0)
    assert [pod.name for pod in shop.live() if pod.replaces] == [heir.name]
    shop.patch_group({"spec": {"template": {"metadata": {"annotations": {"fixed": "yes"}}}}})
    shop.complete(without=[*pods, heir])
    eventually("False", lambda: shop.condition("ReplicaFailure")["status"])

"""Scaling: with kubectl, through the scale subresource, and what other parts of Kubernetes read there."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from e2e.api import MERGE_PATCH
from e2e.namespace import PODGROUPS, template
from e2e.pod import names, uids
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

RESOURCE = "podgroups.selfheal.dev/web"
LABELS = {"app": "web"}
DISCOVERY_SECONDS = 60.0
"""The disruption controller looks for new kinds every 30 s."""

WEB: dict[str, Any] = {"selector": {"matchLabels": LABELS}, "template": template({"labels": LABELS})}


def scale(shop: Namespace, replicas: int) -> None:
    """Scale the PodGroup and wait for it as a user would."""
    shop.kubectl("scale", RESOURCE, f"--replicas={replicas}")
    shop.kubectl("wait", f"--for=jsonpath={{.status.replicas}}={replicas}", "pgrp/web", "--timeout=15s")
    shop.kubectl("wait", "--for=condition=Ready", "pgrp/web", "--timeout=15s")


def test_up_and_down(shop: Namespace) -> None:
    """`kubectl scale` adds pods in new slots and takes some away again; those that stay are the same."""
    three = shop.start_group()
    scale(shop, 5)
    five = shop.complete()
    assert uids(three) < uids(five)
    assert {"0", "1", "2", "3", "4"} == {pod.slot for pod in five}
    scale(shop, 2)
    two = shop.complete()
    assert uids(two) < uids(five)
    assert shop.status()["healing"]["total"] == 0


def test_to_nothing_and_back(shop: Namespace) -> None:
    """Scaled to 0 the group has no pods and is Ready; scaled back it has new ones."""
    before = shop.start_group()
    scale(shop, 0)
    eventually([], shop.pods)
    assert shop.status()["ready"] == "0/0"
    scale(shop, 3)
    after = shop.complete()
    assert uids(before).isdisjoint(uids(after))
    assert shop.status()["healing"]["total"] == 0


def test_the_cheapest_pod_goes_first(shop: Namespace) -> None:
    """On the way down, the pod with the lowest pod-deletion-cost goes first, then the others by their cost."""
    first, second, third = shop.start_group()
    for pod, cost in ((first, "100"), (second, "-5"), (third, "7")):
        shop.kubectl("annotate", f"pod/{pod.name}", f"controller.kubernetes.io/pod-deletion-cost={cost}")
    scale(shop, 2)
    assert names([first, third]) == names(shop.complete())
    scale(shop, 1)
    assert names([first]) == names(shop.complete())


def test_a_pod_that_does_not_run_goes_before_one_that_does(shop: Namespace) -> None:
    """On the way down, a pod that no node will have goes before those that run."""
    running = shop.start_group(replicas=2)
    nowhere = {"spec": {"nodeSelector": {"no": "such-node"}}}
    shop.patch_group({"spec": {"replicas": 3, "strategy": {"type": "OnDelete"}, "template": nowhere}})
    wait_for("the pod that does not run", lambda: len(shop.live()) == 3)
    shop.kubectl("scale", RESOURCE, "--replicas=2")
    assert uids(running) == uids(shop.complete())


def test_the_scale_subresource_tells_numbers_and_selector(shop: Namespace) -> None:
    """The scale subresource has what an autoscaler needs: wanted and current replicas, and the selector as a text."""
    tier = {"key": "tier", "operator": "In", "values": ["front", "back"]}
    pods = template({"labels": LABELS | {"tier": "front"}})
    shop.start_group(selector={"matchLabels": LABELS, "matchExpressions": [tier]}, template=pods)
    scaled = shop.api.request("GET", shop.path("podgroups", "web/scale", PODGROUPS))
    assert scaled["spec"] == {"replicas": 3}
    assert scaled["status"] == {"replicas": 3, "selector": "app=web,tier in (back,front)"}
    found = shop.kubectl("get", "pods", "--selector", scaled["status"]["selector"], "--output=name").split()
    assert len(found) == 3


def test_the_selector_may_be_left_out(shop: Namespace) -> None:
    """Without a selector the group's own label is the selector."""
    shop.start_group()
    assert shop.status()["selector"] == "selfheal.dev/podgroup=web"


def test_a_disruption_budget_counts_the_groups_pods(shop: Namespace) -> None:
    """A PodDisruptionBudget over the group knows through its scale subresource how many pods are expected."""
    shop.start_group(**WEB)
    budget = {
        "metadata": {"name": "web"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
    }
    shop.create("poddisruptionbudgets", budget, "/apis/policy/v1")
    path = shop.path("poddisruptionbudgets", "web", "/apis/policy/v1")

    def counted() -> tuple[int, ...]:
        status = shop.api.request("GET", path).get("status") or {}
        return tuple(status.get(key, 0) for key in ("expectedPods", "currentHealthy", "disruptionsAllowed"))

    looks = count()

    def counted_anew() -> tuple[int, ...]:
        # A kind that it did not know yet the controller mentions in the budget's status and does not try again
        # (`failSafe` in upstream's disruption.go answers no error): it counts when the budget or a pod next changes.
        change = {"metadata": {"annotations": {"test/look": str(next(looks))}}}
        shop.api.request("PATCH", path, change, MERGE_PATCH)
        return counted()

    eventually((3, 3, 1), counted_anew, DISCOVERY_SECONDS, pause=1)
    scale(shop, 4)
    eventually((4, 4, 1), counted)

"""Ends that others have planned are no failures of the pods: a node's shutdown, a deletion right after the birth."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from e2e.api import MERGE_PATCH
from e2e.pod import pod_spec
from e2e.waiting import eventually, stays

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

POD = pod_spec()
AT_ONCE = 5.0
"""Seconds; held back by the back-off of failures it would be many more."""


def end(shop: Namespace, pod: Pod, reason: str) -> None:
    """Let a pod end as its kubelet would report it when its node shuts down (kubernetes#113278)."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = {"exitCode": 143, "reason": "Error", "startedAt": now, "finishedAt": now}
    container = {"name": "web", "image": "", "imageID": "", "ready": False, "restartCount": 0}
    disruption = {"type": "DisruptionTarget", "status": "True", "reason": reason, "lastTransitionTime": now}
    status = {
        "phase": "Failed",
        "reason": "Terminated",
        "message": "Pod was terminated in response to imminent node shutdown.",
        "containerStatuses": [{**container, "state": {"terminated": ended}}],
        "conditions": [disruption],
    }
    shop.api.request("PATCH", shop.path("pods", f"{pod.name}/status"), {"status": status}, MERGE_PATCH)


def test_a_node_that_shuts_down_again_and_again_is_no_failure_of_its_pods(shop: Namespace) -> None:
    """All its pods are replaced at once, four times in a row, though each was young; their cause is Evicted."""
    pods = shop.start_group(replicas=6)
    for _ in range(4):
        start = time.monotonic()
        for pod in pods:
            end(shop, pod, "TerminationByKubelet")
        pods = shop.filled(without=pods)
        assert time.monotonic() - start < AT_ONCE
        assert {pod.cause for pod in pods} == {"Evicted"}
    assert shop.condition("ReplicaFailure")["status"] == "False"
    shop.complete()


def test_pods_that_are_deleted_as_soon_as_they_are_made_do_not_pile_up(shop: Namespace) -> None:
    """Something holds them, and a ReplicaSet makes ten a second: here a few at once, then ever fewer, as is told."""
    shop.create_group(replicas=1, template={"metadata": {"finalizers": ["selfheal.test/hold"]}, "spec": POD})
    until = time.monotonic() + 12
    while time.monotonic() < until:
        for pod in shop.live():
            shop.kill(pod)
        time.sleep(0.1)
    made = shop.pods()
    assert 6 <= len(made) <= 6 + 5
    assert any("New pods are deleted" in note for note in shop.notes("HealingSuppressed"))
    for pod in made:
        shop.let_go(pod)
    eventually(1, lambda: len(shop.live()))
    stays(1, lambda: len(shop.live()), 1.0)

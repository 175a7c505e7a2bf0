"""Pods that fail as soon as they are made: few are made, few are kept, and deletions are healed at once even so."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

from e2e.api import MERGE_PATCH, Refused
from e2e.namespace import template
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

WATCHED = 12.0
"""Seconds; a ReplicaSet makes some 360 pods in this time (kubernetes#72593)."""

MOST_CREATES = 3
"""In that time, beyond the first three: at 4 s, then 16 s later, and one more for the jitter."""

RECOVERY = 30.0
"""Seconds after the cause is gone."""

ROOM = "selfheal.test/room"
"""A label that no node has while pods are rejected, so that none comes to run before it is."""

SLOT = "selfheal.dev/slot"
WORDS = {"reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu, requested: 1000, capacity: 2"}


class Rejecting:
    """A node that rejects pods as soon as they are made, as a kubelet does that has no room for them."""

    def __init__(self, shop: Namespace, chosen: Callable[[Pod], bool]) -> None:
        self._shop = shop
        self._chosen = chosen
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._reject, daemon=True)
        self.most_pods = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _reject(self) -> None:
        while not self._ending.wait(0.05):
            pods = self._shop.pods()
            self.most_pods = max(self.most_pods, len(pods))
            for pod in pods:
                if pod.live and self._chosen(pod):
                    self._fail(pod)

    def _fail(self, pod: Pod) -> None:
        path = self._shop.path("pods", f"{pod.name}/status")
        try:
            self._shop.api.request("PATCH", path, {"status": {"phase": "Failed", **WORDS}}, MERGE_PATCH)
        except Refused:  # it is gone by now
            return


def test_pods_that_are_rejected_at_birth_are_no_hot_loop(shop: Namespace) -> None:
    """A handful is made, replicas + 5 objects at most; the conditions have the node's words; then all come up."""
    with shop.record() as recording:
        with Rejecting(shop, lambda _: True) as node:
            shop.create_group(template=template(nodeSelector={ROOM: shop.name}))
            time.sleep(WATCHED)
            failure, stalled = shop.condition("ReplicaFailure"), shop.condition("Stalled")
        ended = time.monotonic()
        shop.kubectl("label", "node", "--all", f"{ROOM}={shop.name}")
        assert 4 <= len(recording.created()) <= 3 + MOST_CREATES
        assert node.most_pods <= 3 + 5
        assert (failure["status"], failure["reason"]) == ("True", "PodsKeepFailing")
        assert "OutOfcpu: Node didn't have enough resource: cpu" in failure["message"]
        assert stalled["status"] == "False"  # not before it has lasted a minute
        wait_for("the Event", lambda: shop.notes("HealingSuppressed") or None)
        eventually(3, lambda: len([pod for pod in shop.pods() if pod.ready]), RECOVERY)
        assert time.monotonic() - ended < RECOVERY
    shop.complete()
    shop.kubectl("label", "node", "--all", f"{ROOM}-")
    eventually("NoFailure", lambda: shop.condition("ReplicaFailure")["reason"])
    eventually("NotStalled", lambda: shop.condition("Stalled")["reason"])


def test_a_deletion_is_healed_at_once_in_the_midst_of_a_streak(shop: Namespace) -> None:
    """One slot's pods keep failing; a pod of another slot that somebody deletes is replaced within a second or two."""
    shop.start_group(replicas=3)
    with Rejecting(shop, lambda pod: pod.labels[SLOT] == "0"):
        wait_for("a streak", lambda: shop.notes("HealingSuppressed") or None)
        for _ in range(3):
            victim = next(pod for pod in shop.live() if pod.labels[SLOT] == "1")
            with shop.record() as recording:
                start = time.monotonic()
                shop.kill(victim, gracePeriodSeconds=0)
                heir = recording.first(
                    "the replacement", lambda change: change.kind == "ADDED" and change.pod.labels.get(SLOT) == "1"
                )
                assert heir.heard - start < 2.0
    shop.complete()

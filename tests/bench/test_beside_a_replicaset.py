"""How a PodGroup compares with a ReplicaSet, and with the least that any healer must do.

All live in one cluster at the same time, and they heal by turns, in random order: what else the machine does it does to
all of them. One watch outside tells for all when a pod is there. So the ratios hold on a busy machine too, and are the
result; the milliseconds say more about the machine.

The controllers' limits of requests a second are lifted, or a ReplicaSet would be slow for a reason of its own.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from typing import TYPE_CHECKING

import pytest

from bench.rivals import RIVALS
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess
    from e2e.pod import Pod
    from e2e.recording import Change, Recording

LIFTED = ("--kube-api-qps=5000", "--kube-api-burst=10000")
CLUSTER_FLAGS = (
    "--pods-per-node=500",
    *(f"--{program}-arg={flag}" for program in ("kube-controller-manager", "kube-scheduler") for flag in LIFTED),
)
WARM_UP = 5
KILLS = 60
PAUSE = 0.3
"""Seconds after a heal: what it leaves to do, such as a status that is held back, shall not be in another's time."""

MOST = 1.2
"""How much longer the median heal may take than a ReplicaSet's."""

MOST_SECONDS = 120.0


class Contestant:
    """A rival with its pods, as the outside watch sees them."""

    def __init__(self, name: str, shop: Namespace, recording: Recording) -> None:
        self.name = name
        self._shop = shop
        self._rival = RIVALS[name](shop)
        self._recording = recording
        self._read = len(recording.changes)
        self._ready: dict[str, Change] = {}  # by UID, of each pod that is Ready the change that made it so
        self._uid = ""

    def create(self, replicas: int) -> tuple[float, float]:
        """Create all pods; return after how many seconds the last was there, and after how many all were Ready."""
        start = len(self._recording.changes)
        self._uid, asked = self._rival.start(replicas)
        wait_for(f"the pods of {self.name}", lambda: len(self._living()) == replicas, MOST_SECONDS)
        added = [each for each in self._recording.changes[start:] if self._owns(each) and each.kind == "ADDED"]
        return added[-1].heard - asked, max(change.heard for change in self._ready.values()) - asked

    def heal(self, chance: random.Random) -> tuple[float, float]:
        """Delete a pod; return after how many milliseconds its replacement was there, and after how many Ready.

        The time begins before the request is sent: when it is answered the replacement may be there already.
        """
        victim = chance.choice(self._living())
        start, killed = len(self._recording.changes), time.monotonic()
        self._shop.kill(victim)
        heir = self._recording.first(
            f"the replacement by {self.name}", lambda change: self._owns(change) and change.kind == "ADDED", start
        )
        uid = heir.pod.uid
        ready = self._recording.first("its start", lambda change: change.pod.uid == uid and change.pod.ready, start)
        self._recording.first(
            "the end", lambda change: change.pod.uid == victim.uid and change.kind == "DELETED", start
        )
        return (heir.heard - killed) * 1000, (ready.heard - killed) * 1000

    def end(self) -> None:
        """Take it all away."""
        self._rival.end()
        wait_for("the last pod's end", lambda: not self._living(), MOST_SECONDS)

    def _owns(self, change: Change) -> bool:
        return change.pod.controller == self._uid

    def _living(self) -> list[Pod]:
        """Read what has been heard since the last time; return the pods that are Ready."""
        changes = self._recording.changes
        for change in changes[self._read :]:
            if change.kind == "DELETED" or change.pod.terminating:
                self._ready.pop(change.pod.uid, None)
            elif change.pod.ready and self._owns(change):
                self._ready.setdefault(change.pod.uid, change)
        self._read = len(changes)
        return [change.pod for change in self._ready.values()]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("replicas", [100, 1000])
def test_heals_like_a_replicaset(
    replicas: int, shop: Namespace, operator: OperatorProcess, measured: Callable[..., None]
) -> None:
    """The median heal of a PodGroup takes at most 1.2 times as long as that of a ReplicaSet of its size."""
    chance = random.Random(1)  # noqa: S311 - any pod and any order will do
    with shop.record() as recording:
        contestants = [Contestant(name, shop, recording) for name in RIVALS]
        for each in chance.sample(contestants, len(contestants)):
            created, ready = each.create(replicas)
            measured(f"{each.name}, creation of {replicas} pods", created, "s")
            measured(f"{each.name}, creation of {replicas} pods until all are Ready", ready, "s")
        heals: dict[str, list[tuple[float, float]]] = {each.name: [] for each in contestants}
        for _ in range(WARM_UP + KILLS):
            for each in chance.sample(contestants, len(contestants)):
                heals[each.name].append(each.heal(chance))
                time.sleep(PAUSE)
        for each in contestants:
            each.end()
    tell({name: times[WARM_UP:] for name, times in heals.items()}, f"one heal of {replicas}", measured)


def tell(heals: dict[str, list[tuple[float, float]]], what: str, measured: Callable[..., None]) -> None:
    """Put the times into the table, and at last compare the medians."""
    replaced = {name: sorted(time for time, _ in times) for name, times in heals.items()}
    for name, times in replaced.items():
        measured(f"{name}, {what}, median", statistics.median(times), "ms")
        measured(f"{name}, {what}, 90th percentile", percentile(times, 90), "ms")
        measured(f"{name}, {what}, median until Ready", statistics.median(ready for _, ready in heals[name]), "ms")
    measured(f"load while {what} was measured", os.getloadavg()[0], "")
    ours = replaced["PodGroup"]
    for name, theirs in replaced.items():
        if name != "PodGroup":
            measured(f"PodGroup to {name}, {what}, 90th percentile", percentile(ours, 90) / percentile(theirs, 90), "x")
    least = replaced["null healer"]
    measured(f"PodGroup to null healer, {what}, median", statistics.median(ours) / statistics.median(least), "x")
    theirs = replaced["ReplicaSet"]
    measured(f"PodGroup to ReplicaSet, {what}, median", statistics.median(ours) / statistics.median(theirs), "x", MOST)


def percentile(times: Sequence[float], which: int) -> float:
    """Give a percentile of sorted times."""
    return times[len(times) * which // 100]

"""How long one lost pod is missing, as somebody outside sees it."""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess
    from e2e.pod import Pod
    from e2e.recording import Recording

REPLICAS = 100
WARM_UP = 5
KILLS = 30
ROUNDS = 3
MEDIAN = 50.0  # milliseconds


def test_one_killed_pod_of_a_hundred(shop: Namespace, operator: OperatorProcess, measured: Callable[..., None]) -> None:
    """From the request that deletes a pod until a watch shows its replacement, half of the times less than 50 ms.

    Of up to three rounds the calmest counts, for a machine may be busy elsewhere; how long a pod takes that is made by
    hand, from its request until the watch shows it, tells how busy it was.
    """
    pods = shop.start_group(replicas=REPLICAS)
    chance = random.Random(1)  # noqa: S311 - any pod will do, and the same ones each time
    rounds: list[tuple[float, list[float], float]] = []
    with shop.record() as recording:
        for _ in range(WARM_UP):
            heal(shop, recording, pods, chance)
        while len(rounds) < ROUNDS and min(rounds, default=(MEDIAN + 1,))[0] > MEDIAN:
            heals, makes = [], []
            for number in range(KILLS):
                heals.append(heal(shop, recording, pods, chance))
                makes.append(make(shop, recording, f"by-hand-{len(rounds)}-{number}"))
            rounds.append((statistics.median(heals), sorted(heals), statistics.median(makes)))
    median, heals, by_hand = min(rounds)
    measured("one pod made by hand, median", by_hand, "ms")
    measured("one heal of 100, 90th percentile", heals[len(heals) * 9 // 10], "ms")
    measured("one heal of 100, longest", heals[-1], "ms")
    measured("one heal of 100, median", median, "ms", MEDIAN)


def heal(shop: Namespace, recording: Recording, pods: list[Pod], chance: random.Random) -> float:
    """Kill one of the pods; return after how many milliseconds its replacement was seen, when that one is Ready."""
    victim = pods.pop(chance.randrange(len(pods)))
    start, killed = len(recording.changes), time.monotonic()
    shop.kill(victim)
    added = recording.heir(victim, start)
    recording.first("its start", lambda change: change.pod.uid == added.pod.uid and change.pod.ready, start)
    pods.append(added.pod)
    return (added.heard - killed) * 1000


def make(shop: Namespace, recording: Recording, name: str) -> float:
    """Create a bare pod and delete it; return after how many milliseconds it was seen."""
    start, asked = len(recording.changes), time.monotonic()
    pod = shop.create_pod(name, {})
    seen = recording.first("the pod", lambda change: change.pod.uid == pod.uid, start).heard
    shop.kill(pod, gracePeriodSeconds=0)
    recording.first("its end", lambda change: change.pod.uid == pod.uid and change.kind == "DELETED", start)
    return (seen - asked) * 1000

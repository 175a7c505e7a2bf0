"""A storm of kills: never a pod too many, no kill answered twice, and the status is right at once."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess
    from e2e.pod import Pod

REPLICAS = 50
KILLS = 500
BURST = 40
SETTLE = 2.0  # seconds


def test_five_hundred_random_kills(shop: Namespace, operator: OperatorProcess, measured: Callable[..., None]) -> None:
    """Of 50 pods 500 are killed: never 51 live, exactly 500 made, and the status is right 2 s after the last kill."""
    shop.start_group(replicas=REPLICAS)
    with shop.record() as recording:
        started = time.monotonic()
        victims = storm(shop)
        ended = time.monotonic()
        # The scheduler binds 50 pods a second and no more: the status is judged by what there is, once that rests.
        wait_for("all pods to be Ready", lambda: all_ready(shop))
        ready = time.monotonic()
        eventually((REPLICAS, REPLICAS, REPLICAS, 0, KILLS), lambda: told(shop), SETTLE)
        settled = time.monotonic()
        shop.complete(without=victims)
        history, most = recording.history(), recording.most_live()
    created = [change.pod for change in history if change.kind == "ADDED"]
    assert len(created) == KILLS
    assert {pod.replaces for pod in created} == {pod.name for pod in victims}
    assert len({pod.name for pod in created}) == KILLS
    measured("500 kills, the storm", ended - started, "s")
    measured("500 kills, until all pods were Ready", ready - ended, "s")
    measured("500 kills, from then until the status was right", settled - ready, "s", SETTLE)
    measured("500 kills, most pods live at once", most, "", REPLICAS)


def storm(shop: Namespace) -> list[Pod]:
    """Kill pods in bursts, gracefully and by force, as fast as the API takes it; each pod once."""
    chance = random.Random(1)  # noqa: S311 - any pods will do
    victims: dict[str, Pod] = {}
    with ThreadPoolExecutor(8) as killers:
        while len(victims) < KILLS:
            live = [pod for pod in shop.live() if pod.uid not in victims]
            number = min(chance.randint(1, BURST), len(live), KILLS - len(victims))
            burst = chance.sample(live, number)
            options = [{"gracePeriodSeconds": 0} if chance.random() < 1 / 2 else {} for _ in burst]
            list(killers.map(lambda pod, option: shop.kill(pod, **option), burst, options))
            victims |= {pod.uid: pod for pod in burst}
    return list(victims.values())


def all_ready(shop: Namespace) -> bool:
    """Whether there are exactly the pods that are wanted, and all are Ready."""
    pods = shop.pods()
    return len(pods) == REPLICAS and all(pod.ready for pod in pods)


def told(shop: Namespace) -> tuple[int, ...]:
    """The counts of the status that must be right."""
    status = shop.status()
    counts = (status["replicas"], status["readyReplicas"], status["availableReplicas"], status["terminatingReplicas"])
    return (*counts, status["healing"]["total"])

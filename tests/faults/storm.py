"""A storm of kills, and in the midst of it the operator is killed too, right after a create that nobody answers."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from faults.performance import Performance
from faults.plan import Plan
from faults.strike import Crash, Strike

if TYPE_CHECKING:
    from faults.stage import Stage

REPLICAS = 50
KILLS = 200
SECONDS = 20.0
CRASHES = tuple(Strike(Crash(), "create pods", REPLICAS + kills) for kills in (50, 100, 150))

STORM = Plan(f"storm: {KILLS} kills, {len(CRASHES)} of the operator", "storm", CRASHES, pause=5.0)


class Storm(Performance):
    """A plan whose scenario is the storm."""

    def _perform(self, stage: Stage) -> None:
        stage.group(REPLICAS)
        stage.complete()
        dice, began = random.Random(self._plan.seed), time.monotonic()  # noqa: S311 - which pods, protects nothing
        for number in range(KILLS):
            time.sleep(max(0.0, began + SECONDS * number / KILLS - time.monotonic()))
            stage.kill_any(dice)
        stage.complete()

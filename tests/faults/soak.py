"""A long life: one group and one operator, and people and faults at random, drawn with a seed, for SOAK_MINUTES.

Without SOAK_MINUTES it is a third of a minute: enough to show that a soak works, and for a first few faults.
"""

from __future__ import annotations

import os
import random
import sys
import time
from typing import TYPE_CHECKING

from fakeapi.faults import Cut
from faults.performance import Performance
from faults.plan import Plan
from faults.plans import COLLECTIONS, READ_REFUSALS, REFUSALS, STREAM_FAULTS
from faults.strike import Crash, Strike

if TYPE_CHECKING:
    from pathlib import Path

    from faults.performance import Site
    from faults.stage import Stage

MINUTES = float(os.environ.get("SOAK_MINUTES") or 1 / 3)

WRITES = ("create pods", "delete pods", "patch podgroups/status", "create events")
MOST = 8
"""Pods that are wanted at most."""


def soak(seed: int) -> Plan:
    """Give the plan of a soak."""
    return Plan("soak", "soak", seed=seed, pause=25.0, blind=5.0)


class Soak(Performance):
    """A plan whose scenario and faults are drawn as it goes on; it prints a line for each step."""

    def __init__(self, plan: Plan, site: Site, folder: Path) -> None:
        super().__init__(plan, site, folder)
        self._dice = random.Random(plan.seed)  # noqa: S311 - which faults, protects nothing

    def _perform(self, stage: Stage) -> None:
        until = time.monotonic() + MINUTES * 60
        replicas = 3
        stage.group(replicas)
        stage.complete()
        while time.monotonic() < until:
            began = time.monotonic()
            stage.trouble()
            step = self._dice.choice(("kill", "vanish", "fail", "scale"))
            if step == "scale":
                replicas = self._dice.randint(1, MOST)
                stage.scale(replicas)
            else:
                hurt(stage, step, self._dice.randint(1, replicas))
            stage.complete()
            struck = " & ".join(map(str, self._strikes.strikes))
            self._tell(f"{time.monotonic() - began:5.1f} s  {step}, {replicas} replicas: {struck}\n")

    def _tell(self, line: str) -> None:
        """Print a line, and put it among those of the operator's log, which it explains."""
        sys.stdout.write(line)
        sys.stdout.flush()
        with (self._folder / "log-0").open("a") as log:
            log.write(line)

    def _trouble(self) -> None:
        """Let something else go wrong from now on."""
        self._strikes.clear()
        for _ in range(self._dice.randint(0, 2)):
            self._strikes.add(self._draw())
        if any(strike.key.startswith("watch") for strike in self._strikes.strikes):
            self._proxies[0].disconnect()

    def _draw(self) -> Strike:
        if self._dice.random() < 0.3:
            reading = self._dice.choice((*STREAM_FAULTS, *READ_REFUSALS))
            return Strike(reading, f"watch {self._dice.choice(COLLECTIONS)}")
        if self._dice.random() < 0.1:
            return Strike(Cut(), times=self._dice.randint(1, 6))
        fault = self._dice.choice((Crash(), Cut(after=True), *REFUSALS))
        return Strike(fault, self._dice.choice(WRITES), self._dice.randint(1, 3))


def hurt(stage: Stage, step: str, number: int) -> None:
    """Take pods away."""
    match step:
        case "kill":
            stage.kill(number)
        case "vanish":
            stage.kill(number, gracePeriodSeconds=0)
        case "fail":
            stage.fail()

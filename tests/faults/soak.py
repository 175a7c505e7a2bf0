"""A long life: one group and one operator, and people and faults at random, drawn with a seed, for SOAK_MINUTES.

Without SOAK_MINUTES it is a third of a minute: enough to show that a soak works, and for a first few faults.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from typing import TYPE_CHECKING

from fakeapi.faults import Cut
from faults.performance import Performance
from faults.plan import Plan
from faults.plans import READ_REFUSALS, REFUSALS, ROLLED, STREAM_FAULTS
from faults.scenarios import IN_PLACE
from faults.stage import patchable
from faults.strike import Crash, Strike

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from faults.performance import Site
    from faults.stage import Stage

MINUTES = float(os.environ.get("SOAK_MINUTES") or 1 / 3)

WRITES = ("create pods", "delete pods", "patch podgroups/status", "create events", "patch pods", "patch pods/resize")
STEPS = ("kill", "vanish", "fail", "scale", "change")
MOST = 8
"""Pods that are wanted at most."""

LONGEST_BACKOFF = 20
"""Seconds: what fails again and again, as pods do here, is still tried well within a plan's patience."""

RESTARTS = 1 / 3
"""The part of the time in which the operator is killed too; then it lives on, so that its memory can be judged."""

JUDGED_SECONDS = 300.0
"""A life that is shorter says nothing of memory: the first minutes fill caches."""

RESTART = 1 / 4
"""How likely it is in that time that the operator is ended at the next create, before or after its effect."""

IN_PLACE_CHANGES = 1 / 3
"""How likely a change of the template is one that can be patched into the pods that there are."""

GROWTH = 1.05
"""How much more memory it may have, at the most, in the last third of its life than in the first."""


def soak(seed: int) -> Plan:
    """Give the plan of a soak."""
    return Plan("soak", "soak", seed=seed, pause=25.0, blind=5.0)


class Soak(Performance):
    """A plan whose scenario and faults are drawn as it goes on; it prints a line for each step."""

    def __init__(self, plan: Plan, site: Site, folder: Path) -> None:
        super().__init__(plan, site, folder)
        self._dice = random.Random(plan.seed)  # noqa: S311 - which faults, protects nothing
        self._restarts_until = 0.0
        self._version = 1
        self._memory: dict[int, list[tuple[float, float]]] = {}

    def _perform(self, stage: Stage) -> None:
        until = time.monotonic() + MINUTES * 60
        self._restarts_until = time.monotonic() + MINUTES * 60 * RESTARTS
        replicas = 3
        backoff = {"backoff": {"maxSeconds": LONGEST_BACKOFF}}
        stage.group(replicas, healing=backoff, template=patchable("1"), strategy=IN_PLACE)
        stage.complete()
        while time.monotonic() < until:
            began = time.monotonic()
            stage.trouble()
            step = self._dice.choice(STEPS)
            if step == "scale":
                replicas = self._dice.randint(1, MOST)
                stage.scale(replicas)
            elif step == "change":
                step = self._change(stage)
            else:
                hurt(stage, step, self._dice.randint(1, replicas))
            stage.complete()
            struck = " & ".join(map(str, self._strikes.strikes))
            seconds, memory = time.monotonic() - began, self._weigh()
            self._tell(f"{seconds:5.1f} s  {memory:>8}  {step}, {replicas} replicas: {struck}\n")
        sys.stdout.write(f"{self._strikes.hits} requests were struck, the operator lived {len(self._memory)} times\n")
        for weights in self._memory.values():
            stays_flat(weights)

    def _change(self, stage: Stage) -> str:
        """Change the template, by which the pods are patched or replaced; say which."""
        self._version += 1
        if self._dice.random() < IN_PLACE_CHANGES:
            stage.change_in_place_or_not(str(self._version))
            return "patch"
        stage.change_more(str(self._version))
        return "roll"

    def _weigh(self) -> str:
        """Note how much memory the operator has by now, unless it may be killed in this very moment."""
        (operator,) = self._operators
        if any(isinstance(strike.fault, Crash) for strike in self._strikes.strikes):
            return ""
        megabytes = operator.megabytes()
        self._memory.setdefault(operator.pid, []).append((time.monotonic(), megabytes))
        return f"{megabytes:.1f} MB"

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
        if time.monotonic() < self._restarts_until and self._dice.random() < RESTART:
            crash = Crash(self._dice.choice((signal.SIGKILL, signal.SIGTERM)), self._dice.choice((False, True)))
            self._strikes.add(Strike(crash, "create pods"))
        if any(strike.key.startswith("watch") for strike in self._strikes.strikes):
            self._proxies[0].disconnect()

    def _draw(self) -> Strike:
        if self._dice.random() < 0.3:
            reading = self._dice.choice((*STREAM_FAULTS, *READ_REFUSALS))
            return Strike(reading, f"watch {self._dice.choice(ROLLED)}")
        if self._dice.random() < 0.1:
            return Strike(Cut(), times=self._dice.randint(1, 6))
        fault = self._dice.choice((Cut(after=True), *REFUSALS))
        return Strike(fault, self._dice.choice(WRITES), self._dice.randint(1, 3))


def stays_flat(weights: Sequence[tuple[float, float]]) -> None:
    """Assert that a process did not need more and more memory."""
    begun, ended = weights[0][0], weights[-1][0]
    if ended - begun < JUDGED_SECONDS:
        return
    third = (ended - begun) / 3
    first = max(megabytes for at, megabytes in weights if at < begun + third)
    last = max(megabytes for at, megabytes in weights if at > ended - third)
    sys.stdout.write(
        f"{ended - begun:.0f} s of life: at most {first:.1f} MB in its first third, {last:.1f} in its last\n"
    )
    assert last <= first * GROWTH, f"memory: {last:.1f} MB, after {first:.1f} MB at the most in the beginning"


def hurt(stage: Stage, step: str, number: int) -> None:
    """Take pods away."""
    match step:
        case "kill":
            stage.kill(number)
        case "vanish":
            stage.kill(number, gracePeriodSeconds=0)
        case "fail":
            stage.fail()

"""What people do while things go wrong. Each scenario is short, and waits after each step until all is well again.

`stage.trouble()` stands where a fault that begins in the middle begins: everything is well, and something is about
to happen.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from faults.stage import Stage

BURST = 10
LEAST_BACKOFF = 0.8 * (2 + 4 + 8) - 4
"""Seconds."""


def grow(stage: Stage) -> None:
    """A group of three is made."""
    stage.trouble()
    stage.group(3)
    stage.complete()


def heal(stage: Stage) -> None:
    """One pod of three is killed."""
    stage.group(3)
    stage.complete()
    stage.trouble()
    stage.kill()
    stage.complete()


def vanish(stage: Stage) -> None:
    """One pod of three is taken out of the API at once."""
    stage.group(3)
    stage.complete()
    stage.trouble()
    stage.kill(gracePeriodSeconds=0)
    stage.complete()


def fail(stage: Stage) -> None:
    """One pod of three fails."""
    stage.group(3)
    stage.complete()
    stage.trouble()
    stage.fail()
    stage.complete()


def reject(stage: Stage) -> None:
    """A pod fails, and so do the four that replace it one after the other; however often the operator starts anew.

    The pauses before the last three are 2, 4 and 8 s, less a fifth for jitter and a second and more, for a pod's end is
    read off times in whole seconds.
    """
    stage.group(2)
    stage.complete()
    stage.trouble()
    began = time.monotonic()
    stage.fail()
    for _ in range(4):
        stage.fail_again()
    stage.complete()
    seconds = time.monotonic() - began
    assert seconds > LEAST_BACKOFF, f"back_off: five pods that failed were replaced in {seconds:.1f} s"


def scale(stage: Stage) -> None:
    """A group is scaled from two to five, and back."""
    stage.group(2)
    stage.complete()
    stage.trouble()
    stage.scale(5)
    stage.complete()
    stage.scale(2)
    stage.complete()


def adopt(stage: Stage) -> None:
    """A group takes in a pod that was there before, and lets go one whose labels are changed."""
    stage.orphan("stray")
    stage.group(2)
    stage.complete()
    stage.trouble()
    stage.estrange()
    stage.complete()


def burst(stage: Stage) -> None:
    """All ten pods of a group are killed together."""
    stage.group(BURST)
    stage.complete()
    stage.trouble()
    stage.kill(BURST)
    stage.complete()


def end(stage: Stage) -> None:
    """A group is deleted."""
    stage.group(3)
    stage.complete()
    stage.trouble()
    stage.end()


SCENARIOS: Mapping[str, Callable[[Stage], None]] = {
    scenario.__name__: scenario for scenario in (grow, heal, vanish, fail, reject, scale, adopt, burst, end)
}

"""What people do while things go wrong. Each scenario is short, and waits after each step until all is well again.

`stage.trouble()` stands where a fault that begins in the middle begins: everything is well, and something is about
to happen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from faults.stage import Stage

BURST = 10


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
    scenario.__name__: scenario for scenario in (grow, heal, vanish, fail, scale, adopt, burst, end)
}

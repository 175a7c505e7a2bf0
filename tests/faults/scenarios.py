"""What people do while things go wrong. Each scenario is short, and waits after each step until all is well again.

`stage.trouble()` stands where a fault that begins in the middle begins: everything is well, and something is about
to happen.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from faults.stage import patchable

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


def roll(stage: Stage) -> None:
    """The template of four pods is changed."""
    stage.group(4)
    stage.complete()
    stage.trouble()
    stage.change("2")
    stage.complete()


def supersede(stage: Stage) -> None:
    """In the middle of a rollout a pod is killed, one more is wanted, and a third template; no old one is kept."""
    stage.group(4, revisionHistoryLimit=0)
    stage.complete()
    stage.trouble()
    stage.change("2")
    stage.await_pods("2")
    stage.kill()
    stage.scale(5)
    stage.change("3")
    stage.complete()


def back(stage: Stage) -> None:
    """A template whose pods do not start is taken back; the old pods that are left stay."""
    stage.group(4)
    stage.complete()
    stage.trouble()
    stage.change("2", delay="24h")
    stage.await_pods("2", 2)
    stage.change("1")
    stage.births, stage.removals, stage.spare = 4 + 2 + 1, 1 + 2, 0
    stage.complete()


def recreate(stage: Stage) -> None:
    """The template of three pods is changed that may not be there beside new ones; then one of them is killed."""
    stage.group(3, lingers="500ms", strategy={"type": "Recreate"})
    stage.complete()
    stage.trouble()
    stage.change("2")
    stage.complete()
    stage.kill()
    stage.complete()


def tight(stage: Stage) -> None:
    """The template of four pods is changed, and a quota has no room for any beyond them."""
    stage.group(4)
    stage.complete()
    stage.allow_pods(4)
    stage.trouble()
    stage.change("2")
    stage.complete()


def ask(stage: Stage) -> None:
    """The replacement of one pod of three is asked for."""
    stage.group(3)
    stage.complete()
    stage.trouble()
    stage.ask()
    stage.complete()


def patch(stage: Stage) -> None:
    """Image and resources of three pods are changed where they run, and back."""
    stage.group(3, template=patchable("1"), strategy=IN_PLACE)
    stage.complete()
    stage.trouble()
    stage.change_in_place("2")
    stage.complete()
    stage.change_in_place("1")
    stage.complete()


def halt(stage: Stage) -> None:
    """In the middle of that another strategy is chosen, by which nothing is begun any more: what was is finished."""
    stage.group(3, template=patchable("1"), strategy=IN_PLACE)
    stage.complete()
    stage.trouble()
    stage.change_in_place("2")
    stage.await_changing()
    stage.choose(type="OnDelete", inPlace=None, rollingUpdate=None)
    stage.await_changed()
    stage.choose(type="RollingUpdate", **IN_PLACE)
    stage.complete()


IN_PLACE = {"inPlace": "IfPossible", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
"""A strategy."""

ROLLOUTS = (roll, supersede, back, recreate, tight, ask, patch, halt)

SCENARIOS: Mapping[str, Callable[[Stage], None]] = {
    scenario.__name__: scenario for scenario in (grow, heal, vanish, fail, reject, scale, adopt, burst, end, *ROLLOUTS)
}

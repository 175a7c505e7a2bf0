"""Claims: orphans that match are taken in, pods that match no longer are let go.

Which these are is in `view.py`. Each pod that is taken in gets a seat.
"""

from dataclasses import replace

from podgroup_operator.core.budget import Budget
from podgroup_operator.core.model.actions import Adopt, Release
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.slots import empty_slots
from podgroup_operator.core.step import Step
from podgroup_operator.core.view import View


def claims(view: View, budget: Budget) -> Step:
    """Take in and let go."""
    adopts = seat(view.adoptable, view)
    budget.adopt(adopts, tuple(replace(adopt.pod, slot=adopt.slot) for adopt in adopts))
    return Step(adopts=adopts, releases=tuple(Release(pod) for pod in view.released))


def seat(adoptable: tuple[Pod, ...], view: View) -> tuple[Adopt, ...]:
    """Give each pod that is taken in a seat: its own if it brings one that is free, else the first empty one."""
    taken = set(view.seats)
    adopts = []
    for pod in sorted(adoptable, key=lambda pod: (pod.created, pod.uid)):
        own = pod.slot is not None and pod.slot not in taken
        slot = pod.slot if own and pod.slot is not None else next(empty_slots(taken))
        taken.add(slot)
        adopts.append(Adopt(pod, slot))
    return tuple(adopts)

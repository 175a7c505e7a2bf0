"""Changing in place: pods that can be patched are, and one that has all of the new revision is labelled with it.

The label comes last: until then the pod is of no revision, and whoever finds it so finishes it by the same steps, also
where nothing new would be begun: with OnDelete, while the group is paused, or under a higher `partition`. It costs
nobody anything, for the pod counts as unavailable if anything is yet to restart in it.
"""

import math

from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.classify import Bucket, classify
from podgroup_operator.core.model.actions import Change
from podgroup_operator.core.model.changing import Changing, Stage
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.turnover import Turnover
from podgroup_operator.core.view import View


def change_in_place(view: View, budget: Budget) -> Step:
    """Patch what can be patched."""
    desired, waits = view.desired, view.observed.waits(Lane.CHANGE)
    ways = [(pod, pod.changing) for pod in view.active if pod.changing]
    look_again = min((way.until for _, way in ways if view.now < way.until < math.inf), default=None)
    if budget.adopted or waits:
        return Step(look_again=look_again)
    due = () if view.observed.refuses(desired.revision) > 0 else budget.turnover.changing[:BURST]
    others = {pod.uid for pod in (*due, *budget.turnover.leaving)} | view.observed.stuck
    rest = [(pod, way) for pod, way in ways if pod.uid not in others and not pod.kept]
    changes = [Change(pod, desired.revision) for pod in due]
    changes += [Change(pod, way.to) for pod, way in rest if is_left_halfway(view, pod, way, budget.turnover)]
    budget.change(change.pod for change in changes)
    changes += [Change(pod, way.to, last=True) for pod, way in rest if is_finished(view, pod, way)]
    return Step(changes=tuple(changes), look_again=look_again)


def is_left_halfway(view: View, pod: Pod, way: Changing, turnover: Turnover) -> bool:
    """Tell whether something is yet to be written of a pod's way, and it is to go no other."""
    elsewhere = pod in turnover.going or way.to != view.desired.revision
    return way.stage is Stage.UNWRITTEN and not (pod.uid in turnover.rolled and elsewhere)


def is_finished(view: View, pod: Pod, way: Changing) -> bool:
    """Tell whether nothing is left to do for a pod on its way but to say so."""
    return way.stage is Stage.DONE and classify(pod, view.desired.min_ready_seconds, view.now) is Bucket.AVAILABLE

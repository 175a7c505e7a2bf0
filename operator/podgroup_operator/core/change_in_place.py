"""Changing in place: pods that can be patched are, and one that has all of the new revision is labelled with it.

The label comes last: until then the pod is of no revision, and whoever finds it so finishes it by the same steps.
"""

import math

from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.classify import Bucket, classify
from podgroup_operator.core.model.actions import Change
from podgroup_operator.core.model.changing import Changing, Stage
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.view import View


def change_in_place(view: View, budget: Budget) -> Step:
    """Patch what can be patched."""
    desired, waits = view.desired, view.observed.waits(Lane.CHANGE)
    ways = [(pod, pod.changing) for pod in view.active if pod.changing]
    look_again = min((way.until for _, way in ways if view.now < way.until < math.inf), default=None)
    if budget.adopted or waits:
        return Step(look_again=look_again)
    due = () if view.observed.refuses(desired.revision) > 0 else budget.turnover.changing[:BURST]
    patched = {pod.uid for pod in due}
    changes = [Change(pod, desired.revision) for pod in due]
    changes += [
        Change(pod, way.to, last=True) for pod, way in ways if pod.uid not in patched and is_finished(view, pod, way)
    ]
    budget.change(due)
    return Step(changes=tuple(changes), look_again=look_again)


def is_finished(view: View, pod: Pod, way: Changing) -> bool:
    """Tell whether nothing is left to do for a pod on its way but to say so."""
    if way.stage is not Stage.DONE or pod.kept or pod.uid in view.observed.stuck:
        return False
    return classify(pod, view.desired.min_ready_seconds, view.now) is Bucket.AVAILABLE

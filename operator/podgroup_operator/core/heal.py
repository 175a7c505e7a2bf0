"""Healing: a pod that lives, and ails for too long, is evicted, and another is made elsewhere.

A ladder, not a hammer. First there is patience (`ailment.py`). Then as many as `healing.maxUnavailable` are on their
way at once, those that ail longest first. A replacement that ails from its birth on is moved in its turn, after a pause
that doubles from `healing.backoff.initialSeconds`; one that does not even start is not. And where all pods of a
revision suffer from the same, and one was moved in vain already, it is the template that is at fault, or what all of
them need: nothing more is moved until it changes or one gets well, and a person is told.

The first minute decides nothing: what is seen then may be stale, and an outage that has just ended heals by itself. A
rollout goes first: what it takes away soon is not moved, for it takes the sick ones first (decision of `turnover.py`).
"""

import math
from collections.abc import Sequence

from podgroup_operator.core.ailment import Patient, patients
from podgroup_operator.core.avoidance import avoided
from podgroup_operator.core.budget import Budget
from podgroup_operator.core.model.actions import How, Remove, Why
from podgroup_operator.core.model.loss import SICK, Loss
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.view import View
from podgroup_operator.core.ward import attempts, ward_of

FIRST_MINUTE = 60.0
"""Seconds."""

SICK_CAUSES = frozenset(cause.value for cause in SICK)


def heal(view: View, budget: Budget) -> Step:
    """Evict pods that ail."""
    desired, begun = view.desired, view.observed.began + FIRST_MINUTE
    if desired.healing.paused or budget.adopted or view.observed.waits(Lane.EVICT):
        return Step()
    ward = ward_of(view)
    if not ward.sick:
        return Step()  # nearly always
    going = {pod.uid for pod in budget.turnover.going}
    free = {pod.uid for pod in budget.steady if not pod.kept} - going
    waiting = [(max(due, begun), each) for due, each in ward.sick if each.pod.uid in free]
    due = [each for time, each in waiting if time <= view.now and each.pod.uid not in view.observed.stuck]
    number = desired.healing.at_once(desired.replicas) - on_their_way(view, budget.active) if due else 0
    if view.observed.refuses(desired.revision) > 0:
        number = 0  # of which there will be no other
    chosen = [each for each in due[: max(number, 0)] if budget.take(each.pod)]
    return Step(
        removes=tuple(Remove(each.pod, Why.SICK, How.EVICT, loss_of(view, each)) for each in chosen),
        look_again=min((time for time, _ in waiting if view.now < time < math.inf), default=None),
    )


def on_their_way(view: View, active: Sequence[Pod]) -> int:
    """Count the pods that were taken away for what ailed them and whose replacements are not available.

    One that is sick in its turn is not waited for, or nothing else would ever be healed.
    """
    missed = sum(loss.cause in SICK for loss in view.observed.losses.values())
    coming = [pod for pod in active if pod.cause in SICK_CAUSES]
    sick = {each.pod.uid for each in patients(view.desired, coming, view.now) if each.ailment.due <= view.now}
    least = view.desired.min_ready_seconds
    up = {pod.uid for pod in coming if pod.ready_since is not None and view.now >= pod.ready_since + least}
    return missed + sum(pod.uid not in sick | up for pod in coming)


def loss_of(view: View, patient: Patient) -> Loss:
    """Tell what the end of a sick pod is to its group."""
    pod, cause = patient.pod, patient.ailment.cause
    return Loss(
        slot=-1 if pod.slot is None else pod.slot,
        pod=pod.name,
        cause=cause,
        at=view.now,
        revision=pod.revision,
        ready_since=pod.ready_since,
        attempt=attempts(pod) + 1,
        avoids=avoided(pod, view.now),
    )

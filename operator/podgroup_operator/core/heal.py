"""Healing: a pod that lives, and ails for too long, is evicted, and another is made elsewhere.

A ladder, not a hammer. First there is patience (`ailment.py`). Then as many as `healing.maxUnavailable` are on their
way at once, those that ail longest first. A replacement that ails from its birth on is moved in its turn, after a pause
that doubles from `healing.backoff.initialSeconds`; one that does not even start is not. And where all pods of a
revision suffer from the same, and one was moved in vain already, it is the template that is at fault, or what all of
them need: nothing more is moved until it changes or one gets well, and a person is told.

What is on a lost node is dead as far as anybody can tell: all of it is replaced, unless there is a storm (`storm.py`).

The first minute decides nothing, nor does an upgrade at once (`takeover.py`). A pod that must be kept is none of this;
only where its node is lost is it replaced all the same (`apart.py`). A rollout goes first: what it takes away soon is
not moved, for it takes the sick ones first (decision of `turnover.py`).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from podgroup_operator.core.ailment import Patient, patients
from podgroup_operator.core.avoidance import avoided
from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.crash_loop import STEADY
from podgroup_operator.core.model.actions import How, Remove, Why
from podgroup_operator.core.model.loss import SICK, Cause, Loss, Wait
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.takeover import FIRST_MINUTE, begun, healed_from, in_words
from podgroup_operator.core.view import View
from podgroup_operator.core.waits import BACKOFF, DISRUPTION, STORM, UNAVAILABLE
from podgroup_operator.core.ward import Ward, attempts, ward_of

SICK_CAUSES = frozenset(cause.value for cause in SICK)


def heal(view: View, budget: Budget) -> Step:
    """Take pods away that ail, or whose nodes are lost."""
    if view.desired.healing.paused or budget.adopted or view.observed.refuses(view.desired.revision) > 0:
        return Step()  # of what is refused there will be no other
    ward = ward_of(view)
    if not ward.sick:
        return Step()
    going = {pod.uid for pod in budget.turnover.going} | view.observed.stuck
    free = {pod.uid for pod in budget.steady if not pod.kept} - going
    start, calm = max(begun(view), healed_from(view, view.now)), view.observed.storm.over
    times = [(max(due, start, calm if is_lost(each) else 0.0), each) for due, each in ward.sick]
    given_up = [time for time, each in times if is_lost(each)]
    times = [(time, each) for time, each in times if each.pod.uid in free]
    due = [each for time, each in times if time <= view.now]
    arrivals = arrivals_of(view, budget.active) if due else {}
    made = coming(view, budget.active, arrivals) if due else []
    chosen = [each for each in (*lost(view, due), *ailing(view, due, made)) if budget.take(each.pod)]
    changes = (
        *given_up,
        *(time for time, _ in times),
        *arrivals.values(),
        *(pod.created + FIRST_MINUTE for pod in made),
    )
    return Step(
        removes=tuple(Remove(each.pod, Why.SICK, how(view, each), loss_of(view, each)) for each in chosen),
        look_again=min((time for time in changes if view.now < time < math.inf), default=None),
        suppressed=" ".join(filter(None, why_left(view, made, ward, [each for each in due if each not in chosen]))),
    )


def why_left(view: View, made: Sequence[Pod], ward: Ward, left: Sequence[Patient]) -> Iterator[str]:
    """Say why pods that ail are left."""
    if any(is_lost(each) and not each.pod.kept for _, each in ward.sick):
        yield in_a_storm(view)
    if any(due <= view.now and not each.pod.kept for due, each in ward.sick):
        yield in_words(view)
    ailing = sum(not is_lost(each) for each in left)
    slow = sorted(pod.name for pod in made if view.now >= pod.created + FIRST_MINUTE)
    if ailing and slow:
        who = "1 pod that ails waits" if ailing == 1 else f"{ailing} pods that ail wait"
        yield f"{who} until {slow[0]} is available, which was made in the place of another (healing.maxUnavailable)."


def is_lost(patient: Patient) -> bool:
    """Tell whether it is the node that is lost, and the pod with it."""
    return patient.ailment.cause is Cause.NODE_LOST


def lost(view: View, due: Sequence[Patient]) -> list[Patient]:
    """Choose the pods of lost nodes: all, for nobody is served by them any more."""
    return [] if view.observed.waits(Lane.REMOVE) else [each for each in due if is_lost(each)][:BURST]


def ailing(view: View, due: Sequence[Patient], made: Sequence[Pod]) -> list[Patient]:
    """Choose the pods that ail: as many as may be on their way, those last that could not be evicted before."""
    found = [] if view.observed.waits(Lane.EVICT) else [each for each in due if not is_lost(each)]
    found = [each for each in found if each.pod.uid not in view.observed.protected]
    if not found:
        return []
    number = view.desired.healing.at_once(view.desired.replicas) - on_their_way(view, made)
    return sorted(found, key=lambda each: view.observed.tries.get(each.pod.uid, 0))[: max(number, 0)]


def how(view: View, patient: Patient) -> How:
    """Tell in which way a pod is taken away.

    One of a lost node is dead as far as anybody can tell, and no PodDisruptionBudget is asked about it, as for
    Kubernetes' own eviction by taints. It is let go without its kubelet's word only where the node is gone for good.
    """
    if not is_lost(patient):
        return How.EVICT
    return How.FORCE if view.observed.nodes[patient.pod.node].is_dead else How.DELETE


def in_a_storm(view: View) -> str:
    """Say that pods of lost nodes are left, and why; "" if they are not."""
    storm = view.observed.storm
    if storm.raging:
        return "So many nodes are lost at once that it is hardly they who are at fault: their pods are left, for now."
    if view.now < storm.until:
        return "Many nodes were lost at once a moment ago: pods of nodes are left, for now."
    return ""


def on_their_way(view: View, made: Sequence[Pod]) -> int:
    """Count the pods that were taken away for what ailed them and whose replacements are not available.

    One that is sick in its turn is not waited for, or nothing else would ever be healed.
    """
    return sum(loss.cause in SICK for loss in view.observed.losses.values()) + len(made)


def coming(view: View, active: Sequence[Pod], arrivals: Mapping[str, float]) -> list[Pod]:
    """Give the replacements of sick pods that are not available, and not sick themselves."""
    made = [pod for pod in active if pod.cause in SICK_CAUSES]
    sick = {each.pod.uid for each in patients(view, made) if each.ailment.due <= view.now}
    return [pod for pod in made if pod.uid not in sick and arrivals[pod.uid] > view.now]


def arrivals_of(view: View, active: Sequence[Pod]) -> dict[str, float]:
    """Give from when on the replacement of each sick pod is not waited for any more; infinity while it is not Ready.

    It is not when it is available, as long as another of its revision stands. Else it has to stay so for a minute: what
    crashes a few seconds after each start is Ready until then.
    """
    ready = [pod for pod in active if pod.ready_since is not None]
    ailing = {each.pod.uid for each in patients(view, ready)}
    arrivals = dict[str, float]()
    proved = {pod.uid for pod in ready if pod.cause not in SICK_CAUSES or view.now >= steady_at(view, pod)} - ailing
    stand = {pod.revision for pod in ready if pod.uid in proved}
    for pod in (pod for pod in active if pod.cause in SICK_CAUSES):
        arrivals[pod.uid] = steady_at(view, pod) - (STEADY if pod.revision in stand else 0.0)
    return arrivals


def steady_at(view: View, pod: Pod) -> float:
    """Give from when on a pod has come up well; infinity while it is not Ready."""
    return math.inf if pod.ready_since is None else pod.ready_since + view.desired.min_ready_seconds + STEADY


def loss_of(view: View, patient: Patient) -> Loss:
    """Tell what the end of a sick pod is to its group."""
    pod, cause, due = patient.pod, patient.ailment.cause, patient.ailment.due
    return replace(
        Loss.of(pod, cause, view.now),
        seen=patient.ailment.seen,
        ailed=(patient.ailment.since, due),
        wait=Wait(held_by(view, patient), due) if due < view.now else None,
        attempt=0 if is_lost(patient) else attempts(view, pod) + 1,
        avoids=avoided(pod, view.now),
    )


def held_by(view: View, patient: Patient) -> str:
    """Name what held a pod back that is taken away later than it might have been."""
    if view.observed.tries.get(patient.pod.uid):
        return DISRUPTION
    if is_lost(patient):
        return STORM
    return BACKOFF if attempts(view, patient.pod) else UNAVAILABLE

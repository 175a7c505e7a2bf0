"""Losses: which pods the group had and has no more, though nobody asked it to shrink.

The cache notes them as they happen. Two kinds it cannot know of: a pod that is released in this very plan, and what
went while nobody was looking.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from podgroup_operator.core.apart import corpses_of
from podgroup_operator.core.avoidance import avoided
from podgroup_operator.core.backoff import failed_early
from podgroup_operator.core.classify import cause_of_loss
from podgroup_operator.core.model.loss import SICK, Cause, Loss
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.slots import empty_slots
from podgroup_operator.core.turnover import is_asked, is_rolling
from podgroup_operator.core.view import View

LONG_AGO = 0.0

SEEN = 200
"""Characters that are kept of what a node says of a pod's end."""


def losses_of(view: View, active: Sequence[Pod]) -> dict[int, Loss]:
    """Give the losses that are yet to be made good, by slot.

    Args:
        view: the group.
        active: the pods that count, those that are taken in in this very plan among them.
    """
    known = released(view) | given_up(view) | dict(view.observed.losses)
    return unseen(view, active, known) if view.observed.first_look else known


def given_up(view: View) -> dict[int, Loss]:
    """Count a pod as lost that must be kept and whose node is lost, until another has its place."""
    corpses = corpses_of(view)
    replaced = {pod.replaces for pod in view.active} if corpses else set[str]()
    missed = [pod for pod in corpses if pod.name not in replaced]
    losses = (replace(Loss.of(pod, Cause.NODE_LOST, view.now), avoids=avoided(pod, view.now)) for pod in missed)
    return {loss.slot: loss for loss in losses}


def outlives(view: View, loss: Loss) -> bool:
    """Tell whether a loss is remembered though there are pods enough.

    A new pod that ailed is made again by its rollout, beyond `replicas`, and must know how often that was in vain.
    """
    desired = view.desired
    if loss.cause not in SICK or loss.revision != desired.revision:
        return False
    outdated = [pod for pod in view.active if pod.revision != desired.revision]
    return bool(outdated) and is_rolling(desired, outdated)


def released(view: View) -> dict[int, Loss]:
    """Count a pod that is released in this very plan as lost: its replacement need not wait for the news."""
    return {pod.slot: Loss.of(pod, Cause.DELETED, view.now) for pod in view.released if pod.slot is not None}


def unseen(view: View, active: Sequence[Pod], known: Mapping[int, Loss]) -> dict[int, Loss]:
    """Work out, at the first look after a start, which pods were lost while nobody was looking.

    Some are still there, finished or on their way out. Of those that are gone without a trace only the number is known:
    the last status tells how many pods there were, and what is missing of those was deleted. A pod that finished is a
    loss in any case. Of the deleted ones no more are than are missing: what another operator removed was one too many.
    Those that were seen to go come first: a finished pod may have been replaced long ago, and its replacement removed.
    One that another pod, or the record of the last replacement, says it replaces has been. In the middle of a rollout
    nobody knows whether we have deleted them ourselves: then they are made good, and are no heals. Pods that a rollout
    has beyond `replicas` stand for none of those that we cannot have deleted.
    """
    taken = {pod.slot for pod in active if pod.slot is not None}
    replaced = {pod.replaces for pod in view.members} | {view.observed.status.healing.last_pod}
    visible = {}
    for pod in sorted(view.finished + view.terminating, key=lambda pod: (pod.epoch, pod.uid)):
        if pod.name not in replaced and (loss := visible_loss(pod, view.now)):
            visible[loss.slot] = loss
    found = [loss for slot, loss in (visible | dict(known)).items() if slot not in taken]
    found.sort(key=lambda loss: (loss.slot not in known, not loss.early, -loss.at, loss.slot))
    missing = view.desired.replicas - len(active)
    missed = max(min(view.observed.status.replicas, view.desired.replicas) - len(active), taken_by_others(view))
    losses: dict[int, Loss] = {}
    for loss in found:
        if len(losses) < (missed if loss.cause is Cause.DELETED else missing):
            losses[loss.slot] = loss
    traceless = islice(empty_slots([*taken, *losses]), max(missed - len(losses), 0))
    old = unseen_old(view, losses.values())
    losses |= {slot: traceless_loss(view, slot, old=rank < old) for rank, slot in enumerate(traceless)}
    asked = asked_for(view)
    doubtful = losses.keys() - known.keys() if rolls(view) else asked
    losses = {slot: replace(loss, heals=loss.heals and slot not in doubtful) for slot, loss in losses.items()}
    return {slot: replace(each, cause=Cause.ASKED) if slot in asked else each for slot, each in losses.items()}


def rolls(view: View) -> bool:
    """Tell whether a rollout may have been under way when nobody was looking."""
    desired, told = view.desired, view.observed.status
    outdated = [pod for pod in view.active if pod.revision != desired.revision]
    begun = told.observed_generation != desired.generation or told.updated < told.replicas
    return is_rolling(desired, outdated) and (bool(outdated) or (bool(told.update_revision) and begun))


def asked_for(view: View) -> set[int]:
    """Give the slots of the pods that are on their way out, and for whose replacement somebody had asked."""
    return {pod.slot for pod in view.terminating if is_asked(pod) and pod.slot is not None}


def asked_loss(pod: Pod, now: float) -> Loss:
    """Give the loss of a pod that goes because somebody has asked for another one in its place."""
    return replace(Loss.of(pod, Cause.ASKED, now), heals=False)


def traceless_loss(view: View, slot: int, *, old: bool) -> Loss:
    """Give the loss of a pod of which nothing is known, but for its revision: how long it had been Ready nobody saw."""
    lost = Loss(slot, "", Cause.DELETED, view.now)
    return replace(lost, revision=view.desired.former, ready_since=LONG_AGO) if old else lost


def unseen_old(view: View, seen: Iterable[Loss]) -> int:
    """Count the pods of another revision that were available by the last status, and are gone without a trace."""
    told, tally = view.observed.status, view.tally
    gone = told.replicas - told.updated - (tally.replicas - tally.updated)
    known = sum(loss.revision != view.desired.revision for loss in seen)
    return max(min(gone - known, told.available - tally.available), 0)


def taken_by_others(view: View) -> int:
    """Count those of them that we cannot have taken ourselves: fewer would have been available than may be."""
    desired = view.desired
    return max(unseen_old(view, ()) - max(view.observed.status.available - desired.least_available, 0), 0)


def visible_loss(pod: Pod, now: float) -> Loss | None:
    """Tell what was lost with a pod that is still there but no longer active."""
    if pod.slot is None:
        return None
    cause = cause_of_loss(replace(pod, deleted=None, phase=Phase.RUNNING), pod)
    if cause is None:
        return None
    at = pod.deleted or pod.finished or now
    return replace(Loss.of(pod, cause, at), early=failed_early(pod), seen=seen_of(pod))


def seen_of(pod: Pod) -> str:
    """Give what was seen of a pod's end: a reason, an exit code."""
    return pod.complaint[:SEEN]

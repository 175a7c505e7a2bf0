"""Slots: the seats of a group, numbered from 0.

A live pod sits in one slot, and a new one takes the lowest that is empty: the slot of the pod that it replaces,
unless a scale-down has left gaps. An empty seat is what everyone can see: `kubectl get pods -L selfheal.dev/slot`.
Slots never decide how many pods there are (that is plain counting, as in ReplicaSet); they decide what a new pod
is called, and whom it replaces.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, islice

from podgroup_operator.core.backoff import failed_early
from podgroup_operator.core.claim import claim
from podgroup_operator.core.classify import cause_of_loss, is_active
from podgroup_operator.core.model import Adopt, Cause, Create, Desired, Loss, Observed, Phase, Pod
from podgroup_operator.core.names import pod_name


def seats(pods: Iterable[Pod]) -> dict[int, Pod]:
    """Seat each pod that has a slot to itself; of two on one slot the older keeps it."""
    seated: dict[int, Pod] = {}
    for pod in sorted(pods, key=lambda pod: (pod.created, pod.uid)):
        if pod.slot is not None:
            seated.setdefault(pod.slot, pod)
    return seated


def empty_slots(taken: Iterable[int]) -> Iterator[int]:
    """Count the free slots upwards."""
    occupied = set(taken)
    return (slot for slot in count() if slot not in occupied)


def adopt_all(adoptable: Sequence[Pod], kept: Sequence[Pod]) -> tuple[Adopt, ...]:
    """Give each pod that is taken in a seat: its own if it brings one that is free, else the first empty one."""
    taken = set(seats(kept))
    adopts = []
    for pod in sorted(adoptable, key=lambda pod: (pod.created, pod.uid)):
        own = pod.slot is not None and pod.slot not in taken
        slot = pod.slot if own and pod.slot is not None else next(empty_slots(taken))
        taken.add(slot)
        adopts.append(Adopt(pod, slot))
    return tuple(adopts)


def fill(desired: Desired, observed: Observed, active: Sequence[Pod], number: int, now: float) -> tuple[Create, ...]:
    """Name the pods that fill the first `number` empty slots.

    A slot's next epoch is one above the highest seen; a name that another pod of the namespace bears
    is passed over, so a pod that was released keeps its name and a stranger's name is not asked for twice.
    A new pod replaces the one that its slot lost, else one whose slot stays empty or is taken by another pod.
    What is remembered of losses must not change a name: a create whose answer was lost has to be repeated as it was.
    """
    taken = seats(active)
    known = released_losses(desired, observed, now) | dict(observed.losses)
    losses = unseen_losses(desired, observed, active, known, now) | known
    slots = tuple(islice(empty_slots(taken), number))
    seatless = [loss for slot, loss in sorted(losses.items()) if slot not in slots]
    names = observed.names | {pod.name for pod in observed.pods}
    creates = []
    for slot in slots:
        loss = losses.get(slot) or (seatless.pop(0) if seatless else None)
        epoch = next_epoch(desired, slot, observed.epochs.get(slot, -1) + 1, names)
        creates.append(Create(pod_name(desired.name, desired.uid, slot, epoch), slot, epoch, loss))
    return tuple(creates)


def released_losses(desired: Desired, observed: Observed, now: float) -> dict[int, Loss]:
    """Count a pod that is released in this very plan as lost: its replacement need not wait for the news."""
    released = claim(desired, observed.pods).released
    return {pod.slot: Loss(pod.slot, pod.name, Cause.DELETED, now) for pod in released if pod.slot is not None}


def next_epoch(desired: Desired, slot: int, first: int, names: frozenset[str]) -> int:
    """Find the first epoch from `first` on whose name is free."""
    return next(epoch for epoch in count(first) if pod_name(desired.name, desired.uid, slot, epoch) not in names)


def unseen_losses(
    desired: Desired, observed: Observed, active: Sequence[Pod], known: Mapping[int, Loss], now: float
) -> dict[int, Loss]:
    """Work out, at the first look after a start, which pods were lost while nobody was watching.

    Some are still there, finished or on their way out. Of those that are gone without a trace only the number
    is known: the last status tells how many pods there were, and what is missing of those was deleted.
    """
    if not observed.first_look:
        return {}
    taken = seats(active)
    by_age = sorted(observed.pods, key=lambda pod: (pod.epoch, pod.uid))
    visible = {loss.slot: loss for pod in by_age if (loss := visible_loss(pod, desired.uid, now))}
    losses = {slot: loss for slot, loss in (visible | dict(known)).items() if slot not in taken}
    missing = min(observed.status.replicas, desired.replicas) - len(active) - len(losses)
    free = empty_slots([*taken, *losses])
    return losses | {slot: Loss(slot, "", Cause.DELETED, now) for slot in islice(free, max(missing, 0))}


def visible_loss(pod: Pod, owner: str, now: float) -> Loss | None:
    """Tell what was lost with a pod that is still there but no longer active."""
    if pod.controller != owner or pod.slot is None or is_active(pod):
        return None
    cause = cause_of_loss(replace(pod, deleted=None, phase=Phase.RUNNING), pod)
    return Loss(pod.slot, pod.name, cause, pod.deleted or pod.finished or now, failed_early(pod)) if cause else None

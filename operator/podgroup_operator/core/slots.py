"""Slots: the seats of a group, numbered from 0.

A live pod sits in one slot, a replacement takes the slot of the pod that it replaces, and an empty seat is
what everyone can see: `kubectl get pods -L selfheal.dev/slot`. Slots never decide how many pods there are
(that is plain counting, as in ReplicaSet); they decide what a new pod is called, and whom it replaces.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice

from podgroup_operator.core.model import Adopt, Cause, Create, Desired, Loss, Observed, Pod
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
    """
    taken = seats(active)
    losses = dict(observed.losses) | unseen_losses(desired, observed, active, now)
    seatless = [loss for slot, loss in sorted(losses.items()) if slot in taken]
    names = observed.names | {pod.name for pod in observed.pods}
    creates = []
    for slot in islice(empty_slots(taken), number):
        loss = losses.get(slot) or (seatless.pop(0) if seatless else None)
        epoch = next_epoch(desired, slot, first_epoch(slot, loss, observed), names)
        creates.append(Create(pod_name(desired.name, desired.uid, slot, epoch), slot, epoch, loss))
    return tuple(creates)


def first_epoch(slot: int, loss: Loss | None, observed: Observed) -> int:
    """Find the first epoch of a slot that no pod can have had.

    Of a pod that went while nobody was watching the epoch is unknown, but it cannot be above the number of
    replacements ever made; so the new pod's name differs from the old one's here too.
    """
    if slot in observed.epochs:
        return observed.epochs[slot] + 1
    return observed.status.healing.total + 1 if loss else 0


def next_epoch(desired: Desired, slot: int, first: int, names: frozenset[str]) -> int:
    """Find the first epoch from `first` on whose name is free."""
    return next(epoch for epoch in count(first) if pod_name(desired.name, desired.uid, slot, epoch) not in names)


def unseen_losses(desired: Desired, observed: Observed, active: Sequence[Pod], now: float) -> dict[int, Loss]:
    """Work out, at the first look after a start, which slots lost their pod while nobody was watching.

    The last status tells how many pods there were; what is missing of those was deleted.
    """
    if not observed.first_look:
        return {}
    missing = min(observed.status.replicas, desired.replicas) - len(active) - len(observed.losses)
    free = (slot for slot in empty_slots(seats(active)) if slot not in observed.losses)
    return {slot: Loss(slot, "", Cause.DELETED, now) for slot in islice(free, max(missing, 0))}

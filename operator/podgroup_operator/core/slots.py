"""Slots: the seats of a group, numbered from 0.

A live pod sits in one slot, and a new one takes the lowest that is empty: the slot of the pod that it replaces,
unless a scale-down has left gaps. An empty seat is what everyone can see: `kubectl get pods -L selfheal.dev/slot`.
Slots never decide how many pods there are (that is plain counting, as in ReplicaSet); they decide what a new pod
is called, and whom it replaces.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from itertools import count

from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.names import pod_name
from podgroup_operator.core.view import View


def empty_slots(taken: Iterable[int]) -> Iterator[int]:
    """Count the free slots upwards."""
    occupied = set(taken)
    return (slot for slot in count() if slot not in occupied)


def named(view: View, names: Container[str], slot: int, revision: str, loss: Loss | None = None) -> Create:
    """Name the pod that fills a slot; the next epoch is one above the highest seen.

    Args:
        view: the group.
        names: of the pods that are seen.
        slot: where it sits.
        revision: of its template.
        loss: which pod it replaces, if any; what ailed one of another template says nothing of this one.
    """
    desired, observed = view.desired, view.observed
    if loss and loss.revision != revision:
        loss = replace(loss, attempt=0)
    epoch = next_epoch(desired, slot, observed.epochs.get(slot, -1) + 1, names, observed.names)
    return Create(pod_name(desired.name, desired.uid, slot, epoch), slot, epoch, revision, loss)


def next_epoch(desired: Desired, slot: int, first: int, *taken: Container[str]) -> int:
    """Find the first epoch from `first` on whose name is free.

    A name that another pod of the namespace bears is passed over, so a pod that was released keeps its name and a
    stranger's name is not asked for twice.
    """
    for epoch in count(first):
        name = pod_name(desired.name, desired.uid, slot, epoch)
        if not any(name in names for names in taken):
            return epoch
    raise AssertionError("there are always names left")

"""Haste: pods that are deleted or evicted as soon as they are made, and that stay because something holds them.

Where another controller deletes each new pod, or a taint evicts it, and a finalizer keeps it from going, a ReplicaSet
makes the next one at once, and they pile up by the hundred. Here the first few are replaced at once, for people delete
pods too; then each next one waits twice as long. What is counted is what lies there, so a restart forgets nothing, and
it ends when they are gone.
"""

from collections.abc import Container, Sequence

from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.times import deletion_of, life_until_deletion
from podgroup_operator.core.view import View

HASTE = 10.0
"""Seconds of life; whoever deletes a pod later has at least looked at it."""

FEW = 5
"""So many are replaced at once, and as many more as the group wants: one deletion of all is no pile."""

PILE_UP = "New pods are deleted or evicted within seconds, and something, perhaps a finalizer, keeps them from going."

LONGEST = 20.0
"""Seconds; the longest pause between two replacements."""


def hold_hasty(creates: Sequence[Create], view: View) -> tuple[tuple[Create, ...], float | None]:
    """Hold back replacements of pods that were made to go while others lie there that were so in haste.

    Returns:
        What may be created now, and when to look again if something is held back.
    """
    until = next_replacement(view)
    if not until:
        return tuple(creates), None
    lying = {pod.name for pod in view.terminating}
    hasty = [create for create in creates if adds_to_pile(create, lying)]
    held = hasty if view.now < until else hasty[1:]
    allowed = tuple(create for create in creates if create not in held)
    return allowed, max(until, view.now) if held else None


def next_replacement(view: View) -> float:
    """Give when the next pod that was made to go may be replaced; 0 if there is no pile."""
    most = view.desired.replicas + FEW
    if view.tally.terminating <= most:
        return 0.0
    lives = ((deletion_of(pod), life_until_deletion(pod)) for pod in view.terminating)
    ends = [end for end, life in lives if end is not None and life is not None and life < HASTE]
    return max(ends) + min(2.0 ** (len(ends) - most - 1), LONGEST) if len(ends) > most else 0.0


def adds_to_pile(create: Create, lying: Container[str]) -> bool:
    """Tell whether a new pod takes the place of one that was deleted, or that was evicted and still lies there.

    Args:
        create: the new pod.
        lying: the names of the pods that are being deleted.
    """
    loss = create.loss
    if loss is None:
        return False
    return loss.cause is Cause.DELETED or (loss.cause is Cause.EVICTED and loss.pod in lying)

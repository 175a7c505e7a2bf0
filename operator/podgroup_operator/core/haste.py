"""Haste: pods that somebody deletes as soon as they are made, and that stay because something holds them.

Where another controller deletes each new pod and a finalizer keeps it from going, a ReplicaSet makes the next one at
once, and they pile up by the hundred. Here the first few are replaced at once, for people delete pods too; then each
next one waits twice as long. What is counted is what lies there, so a restart forgets nothing, and it ends when they
are gone.
"""

from collections.abc import Sequence

from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.view import View

HASTE = 10.0
"""Seconds of life; whoever deletes a pod later has at least looked at it."""

FEW = 5
"""So many are replaced at once, and as many more as the group wants: one deletion of all is no pile."""

PILE_UP = "Somebody deletes new pods within seconds, and something, perhaps a finalizer, keeps them from going."

LONGEST = 20.0
"""Seconds; the longest pause between two replacements."""


def hold_hasty(creates: Sequence[Create], view: View) -> tuple[tuple[Create, ...], float | None]:
    """Hold back replacements of deleted pods while others lie there that were deleted just so.

    Returns:
        What may be created now, and when to look again if something is held back.
    """
    until = next_replacement(view)
    if until <= view.now:
        if until and (first := next((create for create in creates if replaces_deleted(create)), None)):
            others = [create for create in creates if not replaces_deleted(create) or create is first]
            return tuple(others), (view.now if len(others) < len(creates) else None)
        return tuple(creates), None
    allowed = tuple(create for create in creates if not replaces_deleted(create))
    return allowed, until if len(allowed) < len(creates) else None


def next_replacement(view: View) -> float:
    """Give when the next deleted pod may be replaced; 0 if there is no pile."""
    most = view.desired.replicas + FEW
    if view.tally.terminating <= most:
        return 0.0
    ends = [pod.deleted for pod in view.terminating if pod.deleted is not None and pod.deleted - pod.created < HASTE]
    return max(ends) + min(2.0 ** (len(ends) - most - 1), LONGEST) if len(ends) > most else 0.0


def replaces_deleted(create: Create) -> bool:
    """Tell whether a new pod takes the place of one that somebody deleted."""
    return create.loss is not None and create.loss.cause is Cause.DELETED

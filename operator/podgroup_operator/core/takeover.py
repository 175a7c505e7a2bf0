"""Takeover: from when on an operator decides anything about pods that live.

Not in its first minute: what is seen then may be stale, and an outage that has just ended heals by itself.

And not at once in a group that was there before pods that live were healed at all: the defaults switch that on for all
groups of a cluster in the moment of an upgrade, and what ails then has perhaps done so for months. Of such groups 1 % a
minute have their turn, by their UIDs. The status remembers when (`status.healingStartTime`): that it lacks this is what
tells such a group from others, and a restart begins nothing anew.
"""

import hashlib

from podgroup_operator.core.manifest import whole_seconds
from podgroup_operator.core.view import View

FIRST_MINUTE = 60.0
"""Seconds."""

TURNS = 100
"""Minutes until each group of a cluster has had its turn."""


def begun(view: View) -> float:
    """Give from when on this operator decides about pods of a group that live, in seconds since the epoch."""
    return view.observed.began + FIRST_MINUTE


def healed_from(view: View, now: float) -> float:
    """Give from when on pods of a group are healed that live; that is now for a new one.

    What the status says may be of another clock: nobody waits for longer than until the last turn.
    """
    told, began = view.observed.status.healing_start, view.observed.began
    if told is None:
        return began + FIRST_MINUTE * turn(view.desired.uid) if began else now
    return min(told, now + FIRST_MINUTE * TURNS)


def turn(uid: str) -> int:
    """Give the minute after an upgrade in which a group has its turn."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") % TURNS


def in_words(view: View) -> str:
    """Say that pods that ail are left as they were before the upgrade, and until when; "" if they are not."""
    start = healed_from(view, view.now)
    if view.now >= start:
        return ""
    return f"This group is older than the healing of pods that live, which begins for it at {whole_seconds(start)}."

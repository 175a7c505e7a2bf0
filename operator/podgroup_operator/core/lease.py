"""Leader election: which of several operators may act, decided from the Lease that they share.

The rules are client-go's (tools/leaderelection @v1.37). Nobody compares clocks: an operator that waits measures with
its own how long the Lease has not changed, and takes it over when that is longer than its holder asked for. A holder
believes in its lease for less than that, counted from before it asked for it; so the two never overlap as long as
their clocks go at about the same rate.
"""

from dataclasses import dataclass
from enum import Enum

DURATION = 12.0
"""Seconds without a renewal after which others may take the Lease; with the polls around it less than 15 s in all."""

DEADLINE = 8.0
"""Seconds after the start of a successful renewal for which its holder acts; the rest allows for clocks that differ."""

RENEWAL = 2.0
"""Seconds between renewals."""

POLL = 1.0
"""Seconds between two looks of those who wait; so long is nobody leading after a release."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The Lease as the API told it.

    Attributes:
        holder: who has it; "" is nobody.
        duration: for how many seconds after a renewal.
        transitions: how often it has changed hands.
        version: its resourceVersion.
    """

    holder: str
    duration: float
    transitions: int
    version: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A Lease, and since when (our monotonic seconds) we have seen it as it is."""

    lease: Lease
    since: float


class Step(Enum):
    """What to do about the Lease."""

    CREATE = "create"
    RENEW = "renew"
    TAKE = "take"
    WAIT = "wait"


def see(before: Sighting | None, lease: Lease | None, now: float) -> Sighting | None:
    """Note what was read; one that has not changed keeps the time of its first sighting."""
    if lease is None:
        return None
    if before and before.lease == lease:
        return before
    return Sighting(lease, now)


def next_step(seen: Sighting | None, identity: str, now: float) -> Step:
    """Decide what an operator of this identity does about the Lease."""
    if seen is None:
        return Step.CREATE
    if seen.lease.holder == identity:
        return Step.RENEW
    if not seen.lease.holder or now - seen.since > seen.lease.duration:
        return Step.TAKE
    return Step.WAIT

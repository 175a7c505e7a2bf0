"""Leader election: which of several operators may act, decided from the Leases that they share.

The rules are client-go's (tools/leaderelection @v1.37). Nobody compares clocks: an operator that waits measures with
its own how long the Lease has not changed, and takes it over when that is longer than its holder asked for. A holder
believes in its lease for less than that, counted from before it asked for it; so the two never overlap as long as
their clocks go at about the same rate.

A Lease says for whom it is. Who serves all namespaces holds `WIDE` in the operator's own namespace. Who serves some
holds a Lease `NARROW` in each of them, where all meet that serve it; who serves all leaves out a namespace while such a
Lease is live there. Version 0.1.0 held `WIDE` whatever it served. So that it never leads beside them, all later
operators of single namespaces hold `WIDE` too, together, as `SHARED`; who serves all may take it from them at any time,
and keeps version 0.1.0 away as well.
"""

from dataclasses import dataclass
from enum import Enum

WIDE = "podgroup-operator"
NARROW = "podgroup-operator-namespace"

SHARED = "namespaces/podgroup-operator"
"""The holder of `WIDE` that is no single operator but all that serve single namespaces."""

DURATION = 12.0
"""Seconds without a renewal after which others may take the Lease; with the polls around it less than 15 s in all."""

DEADLINE = 8.0
"""Seconds after the start of a successful renewal for which its holder acts; the rest allows for clocks that differ."""

RENEWAL = 2.0
"""Seconds between renewals."""

POLL = 1.0
"""Seconds between two looks of those who wait; so long is nobody leading after a release."""

LEFT_OUT = 24.0
"""Seconds without a change after which who serves all namespaces serves one where there is a Lease `NARROW`: so long
that another operator of that namespace comes first."""

RECENT = 20.0
"""Seconds after a change of a Lease `NARROW` within which nobody who serves all can have taken that as its end."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The Lease as the API told it.

    Attributes:
        holder: who has it; "" is nobody.
        duration: for how many seconds after a renewal.
        transitions: how often it has changed hands.
        version: its resourceVersion.
        settled: whether its holder had it for so long that who serves all namespaces has noticed.
    """

    holder: str
    duration: float
    transitions: int
    version: int
    settled: bool = False


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
    if seen.lease.holder in {"", SHARED} or now - seen.since > seen.lease.duration:
        return Step.TAKE
    return Step.WAIT


def of_our_kind(holder: str) -> bool:
    """Tell whether a holder of `WIDE` knows of `NARROW`: all after version 0.1.0 have a slash in their identity."""
    return "/" in holder


def is_left(seen: Sighting, now: float) -> bool:
    """Tell whether the operators of a namespace have left it to who serves all."""
    return now - seen.since > LEFT_OUT


def is_covered(seen: Sighting | None, known_at: float, now: float) -> bool:
    """Tell whether who takes `NARROW` now may act at once: nobody who serves all serves this namespace.

    Args:
        seen: the Lease as it was read.
        known_at: when it was in an earlier state; since then it has been changed.
        now: our monotonic seconds.
    """
    return seen is not None and seen.lease.settled and now - known_at <= RECENT

"""Leader election: which of several operators may act, decided from the Leases that they share.

The rules are client-go's (tools/leaderelection @v1.37). Nobody compares clocks: an operator that waits measures with
its own how long the Lease has not changed, and takes it over when that is longer than its holder asked for. A holder
believes in its lease for less than that, counted from before it asked for it; so the two never overlap as long as
their clocks go at about the same rate.

One rule is not client-go's: a Lease that somebody deletes is no free one. Its holder does not know yet and may have
renewed it right before, so it is waited for as if the Lease had been renewed when it was missed.

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

STALE = 3.0
"""Seconds after which one of those that hold a Lease together renews it: longer than its looks are apart, so that few
of many do; so short that it is done, or found done, within `DEADLINE` where each answer takes a second."""

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
        uid: of the object; one that was deleted and made anew has another.
    """

    holder: str
    duration: float
    transitions: int
    version: int
    settled: bool = False
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A Lease, and since when (our monotonic seconds) we have seen it as it is.

    Attributes:
        lease: None if there is none any more.
        since: when we first saw it so.
        lost: the one that was deleted while another operator held it, and since when we have missed it.
    """

    lease: Lease | None
    since: float
    lost: "Sighting | None" = None

    @property
    def holder(self) -> str:
        """Give who has it; "" is nobody."""
        return self.lease.holder if self.lease else ""


class Step(Enum):
    """What to do about the Lease."""

    CREATE = "create"
    RENEW = "renew"
    TAKE = "take"
    WAIT = "wait"


def see(before: Sighting | None, lease: Lease | None, now: float, identity: str = "") -> Sighting | None:
    """Note what was read; one that has not changed keeps the time of its first sighting.

    Args:
        before: what was noted last.
        lease: what was read.
        now: our monotonic seconds.
        identity: who we are; we do not wait for ourselves.
    """
    if before and before.lease == lease:
        return before
    lost = before.lost if before else None
    known = before.lease if before else None
    if known and known.holder not in {"", SHARED, identity} and (lease is None or lease.uid != known.uid):
        lost = Sighting(known, now)
    return Sighting(lease, now, lost) if lease or lost else None


def awaited(seen: Sighting | None, now: float) -> str:
    """Name the operator whose Lease was deleted, for as long as it may not have noticed; "" if there is none."""
    lost = seen.lost if seen else None
    return lost.holder if lost and lost.lease and now - lost.since <= lost.lease.duration else ""


def next_step(seen: Sighting | None, identity: str, now: float) -> Step:
    """Decide what an operator of this identity does about the Lease; "" is one that holds none."""
    if identity and seen and seen.holder == identity:
        return Step.RENEW
    other = awaited(seen, now)
    if other and not (identity == SHARED and of_our_kind(other)):  # who serves all is not in the way of these
        return Step.WAIT
    if seen is None or seen.lease is None:
        return Step.CREATE
    if seen.holder in {"", SHARED} or now - seen.since > seen.lease.duration:
        return Step.TAKE
    return Step.WAIT


def of_our_kind(holder: str) -> bool:
    """Tell whether a holder of `WIDE` knows of `NARROW`: all after version 0.1.0 have a slash in their identity."""
    return "/" in holder


def is_left(seen: Sighting, now: float) -> bool:
    """Tell whether the operators of a namespace have left it to who serves all.

    Where there is no Lease any more none of its own may act at once (`is_covered`), so none has to come first.
    """
    return not awaited(seen, now) and (seen.lease is None or now - seen.since > LEFT_OUT)


def is_covered(seen: Sighting | None, known_at: float, now: float) -> bool:
    """Tell whether who takes `NARROW` now may act at once: nobody who serves all serves this namespace.

    Args:
        seen: the Lease as it was read.
        known_at: when it was in an earlier state; since then it has been changed.
        now: our monotonic seconds.
    """
    return seen is not None and seen.lease is not None and seen.lease.settled and now - known_at <= RECENT

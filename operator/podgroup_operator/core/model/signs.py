"""Signs: what is seen of a living pod that may be sick.

Each moment is by our own clock, from when it was first seen: a node's clock may be an hour off, and what was before we
looked nobody can tell. So after a restart of the operator every patience begins anew.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loop:
    """A container that has ended and been started again by its kubelet.

    Attributes:
        container: its name.
        restarts: how often it was restarted.
        ran: how many seconds its last run took.
        ended: when that run ended, by the node's clock: another end is another crash.
        seen: how that run ended, in words.
        waits: the kubelet lets it wait now (CrashLoopBackOff).
        up: since when it has not, in this loop.
        before: how many of its restarts were before the present loop.
        since: when it was first seen to wait in that loop; None if it was not yet.
        well: for how many seconds the pod was Ready at most, before one of the loop's crashes.
        well_before: how many of the restarts were before that crash.
        well_since: when that crash was seen.
    """

    container: str
    restarts: int
    ran: float
    ended: float
    seen: str = ""
    waits: bool = False
    up: float | None = None
    before: int = 0
    since: float | None = None
    well: float = 0.0
    well_before: int = 0
    well_since: float = 0.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What is seen of a pod that is not Ready, or has been restarted.

    Attributes:
        unstarted: since when it has had a node and no container was ever started; None if one was, or it has no node.
        unready: since when it has not been Ready, though it was before; None if it is, or never was.
        well: for how many seconds it was Ready at most; infinity once it was changed in place: another birth.
        waits_for: what its containers, or its scheduling, wait for, in words; "" if nothing is said.
        loop: of the container that was restarted most; one that waits for its next start comes first.
        others: of the other containers that were.
    """

    unstarted: float | None = None
    unready: float | None = None
    well: float = 0.0
    waits_for: str = ""
    loop: Loop | None = None
    others: tuple[Loop, ...] = ()

    @property
    def loops(self) -> tuple[Loop, ...]:
        """Give the loops of all containers."""
        return (self.loop, *self.others) if self.loop else ()

"""Pods that are missed, and pods that fail in a row."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from podgroup_operator.core.model.pod import Pod


class Cause(Enum):
    """Why a pod was lost to its group."""

    DELETED = "Deleted"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    EVICTED = "Evicted"
    CRASH_LOOP = "CrashLoop"
    UNREADY = "Unready"
    START_TIMEOUT = "StartTimeout"
    NODE_LOST = "NodeLost"
    MAINTENANCE = "Maintenance"  # its node is drained, or about to be
    ASKED = "Asked"  # somebody has asked for its replacement, which is no heal


NO_SEAT = -1

SICK = frozenset({Cause.CRASH_LOOP, Cause.UNREADY, Cause.START_TIMEOUT})
"""For which a pod that lives is replaced."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What a replacement waits for, and since when."""

    what: str
    since: float


@dataclass(frozen=True, slots=True)
class Loss:
    """A pod that the group had and has no more, though nobody asked the group to shrink.

    Attributes:
        slot: where it sat; a negative number if it had no seat.
        pod: its name; "" if it went while nobody was watching.
        cause: why it was lost.
        at: when, in seconds since the epoch.
        early: it finished so soon that its replacement may well do the same.
        revision: which it was made from.
        ready_since: since when it had been Ready; None if it was not.
        node: where the pod was; "" if that is not known.
        seen: what was seen of it: a reason, an exit code; no words of its program.
        ailed: since when it had ailed, and from when on that counted as a loss; None if its end came at once.
        wait: what its replacement waits for, if anything.
        skew: by how many seconds our clock was set since; what is decided by `at` is decided as if it had not been.
        attempt: how many were replaced in a row with it, for they lived and ailed from birth on.
        avoids: the nodes that its replacement had better not go to, each until when.
        heals: whether its replacement is a heal; not where nobody knows that it was no rollout that took it away.
    """

    slot: int
    pod: str
    cause: Cause
    at: float
    early: bool = False
    revision: str = ""
    ready_since: float | None = None
    heals: bool = True
    node: str = field(default="", compare=False)  # what is only told makes no other loss
    seen: str = field(default="", compare=False)
    ailed: tuple[float, float] | None = field(default=None, compare=False)
    wait: Wait | None = field(default=None, compare=False)
    skew: float = field(default=0.0, compare=False)
    attempt: int = 0
    avoids: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, pod: Pod, cause: Cause, at: float) -> Self:
        """Give the loss of a pod, with what is known of that."""
        slot = NO_SEAT if pod.slot is None else pod.slot
        return cls(slot, pod.name, cause, at, revision=pod.revision, ready_since=pod.ready_since, node=pod.node)

    @property
    def known(self) -> tuple[float, float]:
        """Give since when there was a sign of it, and from when on it counted, by our clock as it is set now."""
        return self.ailed or (self.at + self.skew, self.at + self.skew)


@dataclass(frozen=True, slots=True)
class Streak:
    """Pods of one template that have failed early in a row.

    Attributes:
        failures: how many; 0 is no streak.
        last: the one that failed last.
        until: until when what failed is not tried again.
        patience: for how many seconds a new pod that is not Ready may still fail as the others did.
        over: when the first of these failures is forgiven, should nothing fail until then.
    """

    failures: int = 0
    last: Pod | None = None
    until: float = 0.0
    patience: float = 0.0
    over: float = 0.0

"""Lanes: how each kind of write waits after a refusal. What one is refused holds no other back.

A pause begins with a second and doubles up to 20, so that recovery comes within half a minute of the cause's end; after
what may pass at any moment (429, 5xx, no answer) it is shorter. A look in which at least as much was accepted as was
refused doubles nothing. A single pod that may not be removed, adopted or released waits by itself. All pauses are
monotonic: a wall clock that steps back holds nothing up.
"""

import math
from dataclasses import dataclass, field

from podgroup_operator.api.refusals import CONFLICT, FOR_A_PERSON, TOO_MANY_REQUESTS, Refused, Undone, Unreachable
from podgroup_operator.backoff import Backoff
from podgroup_operator.core.model.refusal import Lane, Refusal

FIRST_PAUSE, LAST_PAUSE = 1.0, 20.0
"""Seconds, after the API server's no."""

LAST_PAUSE_AWAY = 10.0
"""Seconds, after a failure of the API server or no answer at all, beginning with half a second."""

LAST_PAUSE_BUSY = 4.0
"""Seconds, after 429, which passes sooner than anything else."""

LONGEST_ASKED = 25.0
"""Seconds; whoever asks for more patience, recovery comes within half a minute of a cause's end."""

SOON = 0.1
"""Seconds until what is left is tried after a look in which most was accepted."""

BRIEF = 3
"""Tries within a second."""

FREED = 1.0
"""Seconds; pods that go within them make room once."""

FORGOTTEN = 60.0
"""Seconds."""

JITTER = (0.8, 1.0)

OF_PODS = (Lane.CREATE, Lane.SURGE, Lane.REMOVE, Lane.EVICT, Lane.CLAIM, Lane.CHANGE)
"""The lanes in which pods are written."""

Trouble = Refused | Unreachable


@dataclass(slots=True)
class Waiting:
    """One pod that may not be changed.

    Attributes:
        tries: how often that was tried in vain.
        until: when it is worth another try, in monotonic seconds.
        changed: it had only changed since it was seen.
        undone: it was changed, and something has undone that: a pod made in its place would end the same way.
    """

    tries: int = 0
    until: float = 0.0
    changed: bool = False
    undone: bool = False


@dataclass(slots=True)
class LaneMemory:
    """What one lane remembers.

    Attributes:
        tries: looks in a row in which more was refused than accepted.
        until: when anything may be tried again, in monotonic seconds.
        message: what was refused last that is still wanted; "" if nothing is.
        forbidden: whether only a person can change that.
        passing: whether it may pass at any moment, for the API server itself has failed.
        departed: how many pods of the group had gone when it was refused.
        freed_at: when one that had gone was last taken for room, in monotonic seconds.
        stuck: pods that may not be changed, by UID.
    """

    tries: int = 0
    until: float = 0.0
    message: str = ""
    forbidden: bool = False
    passing: bool = False
    departed: int = 0
    freed_at: float = -math.inf
    stuck: dict[str, Waiting] = field(default_factory=dict)

    def accepted(self) -> None:
        """Note that all that was asked for was done."""
        self.tries, self.until, self.message, self.forbidden, self.passing = 0, 0.0, "", False, False

    def refused(self, trouble: Trouble, message: str, now: float, *, mostly: bool, departed: int = 0) -> None:
        """Note that something was refused, and wait.

        Args:
            trouble: the first refusal of the look.
            message: it, in words.
            now: monotonic seconds.
            mostly: whether more was refused than accepted.
            departed: how many pods of the group have gone so far.
        """
        self.note(trouble, message, departed)
        pause = pause_after(trouble, self.tries) if mostly else SOON
        self.tries = self.tries + 1 if mostly else 0
        self.until = now + max(pause, asked_for(trouble))

    def note(self, trouble: Trouble, message: str, departed: int = 0) -> None:
        """Note that something was refused for the sake of single pods, which wait by themselves."""
        self.message, self.departed = message, departed
        self.forbidden = isinstance(trouble, Refused) and trouble.code in FOR_A_PERSON
        self.passing = trouble.is_passing

    def stick(self, uid: str, trouble: Trouble, now: float) -> None:
        """Note that a pod could not be changed."""
        waiting = self.stuck.setdefault(uid, Waiting())
        waiting.until = now + max(pause_after(trouble, waiting.tries), asked_for(trouble))
        waiting.tries += 1
        waiting.changed = isinstance(trouble, Refused) and trouble.code == CONFLICT
        waiting.undone = isinstance(trouble, Undone)

    def forget_before(self, now: float) -> None:
        """Drop what was noted of pods that nobody has tried to change for a minute: they may be gone."""
        for uid in [uid for uid, waiting in self.stuck.items() if waiting.until < now - FORGOTTEN]:
            del self.stuck[uid]

    def stuck_at(self, now: float) -> frozenset[str]:
        """Give the pods that are not worth another try yet."""
        return frozenset(uid for uid, waiting in self.stuck.items() if waiting.until > now)

    def changed_at(self, now: float) -> frozenset[str]:
        """Give those of them whose places no others may take.

        They had only changed since they were seen, so that the next try, very soon, should succeed; or what was done to
        them was undone.
        """
        waits = ((uid, waiting) for uid, waiting in self.stuck.items() if waiting.until > now)
        return frozenset(uid for uid, each in waits if each.undone or (each.changed and each.tries <= BRIEF))

    def try_again(self) -> None:
        """Note that what was refused may be granted by now."""
        self.tries, self.until, self.passing = 0, 0.0, False
        self.stuck.clear()

    def held(self, now: float, departed: int) -> Refusal | None:
        """Give what was refused, and for how long it has to wait; None if nothing is held up.

        Where a quota was full, a pod that has gone since may have made room.
        """
        if self.forbidden and departed > self.departed:
            self.departed = departed
            if now - self.freed_at >= FREED:
                self.try_again()
                self.freed_at, self.tries = now, -2  # a quota counts a moment later: try at once, and soon again
            else:
                self.until = min(self.until, self.freed_at + FREED)
        if not self.message:
            return None
        return Refusal(self.message, max(self.until - now, 0.0), self.forbidden)


def new_lanes() -> dict[Lane, LaneMemory]:
    """Give a memory to each lane."""
    return {lane: LaneMemory() for lane in Lane}


def asked_for(trouble: Trouble) -> float:
    """Give the seconds of patience that the API server asks for; a webhook may ask for hours in its name."""
    return min(trouble.retry_after or 0.0, LONGEST_ASKED) if isinstance(trouble, Refused) else 0.0


def pause_after(trouble: Trouble, tries: int) -> float:
    """Give the seconds to wait after so many tries in vain."""
    first, last = FIRST_PAUSE, LAST_PAUSE
    if trouble.is_passing:
        busy = isinstance(trouble, Refused) and trouble.code == TOO_MANY_REQUESTS
        first, last = FIRST_PAUSE / 2, LAST_PAUSE_BUSY if busy else LAST_PAUSE_AWAY
    elif isinstance(trouble, Refused) and trouble.code == CONFLICT:
        first = SOON  # it has changed, and the news of that is on its way
    return Backoff(first, last, jitter=JITTER, tries=tries).next()

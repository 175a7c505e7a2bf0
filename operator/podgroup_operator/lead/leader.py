"""The leader's Lease: taken, renewed, given back, and asked before each write.

`core/lease.py` decides; here it is done. Losing the Lease stops all writes at once, for `remaining` counts the time
that is left by our own clock, also across a pause of the whole process; the caches stay full, so whoever leads next
starts within a second.
"""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from podgroup_operator.api.cluster import CONFLICT, Refused, Unreachable
from podgroup_operator.core.lease import (
    DEADLINE,
    DURATION,
    NARROW,
    POLL,
    RECENT,
    RENEWAL,
    SHARED,
    STALE,
    Sighting,
    Step,
    awaited,
    is_covered,
    next_step,
    of_our_kind,
    see,
)
from podgroup_operator.lead import boot
from podgroup_operator.lead.leases import LeaseObject, read_lease, renewed_stamp

Json = dict[str, Any]

SETTLING = (
    "Leading for {whom} begins within {seconds:.0f} s: an operator that serves all namespaces has to notice first."
)

logger = logging.getLogger(__name__)


async def nothing() -> None:
    """Do nothing."""


async def never() -> bool:
    """Say no."""
    return False


def unlimited() -> float:
    """Give no limit."""
    return math.inf


def unheard(_: str) -> None:
    """Hear nothing."""


class Leadership(Protocol):
    """Whether this operator may act for what it serves by one Lease."""

    async def run(self) -> None:
        """Strive for leadership for ever."""

    async def gained(self) -> None:
        """Return when this operator may act, now or later."""

    async def lost(self) -> None:
        """Return when it may not act, now or later."""

    async def release(self) -> None:
        """Let another one lead."""

    @property
    def tenure(self) -> int:
        """Give the number of the present time of leading, or of the last one."""

    def remaining(self) -> float:
        """Give the seconds for which it may act without asking again; 0 or less: it may not."""


class Alone:
    """No election: this operator may always act."""

    tenure = 0

    async def run(self) -> None:
        """Strive for nothing."""

    async def gained(self) -> None:
        """Return at once."""

    async def lost(self) -> None:
        """Never return."""
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Have nothing to give back."""

    def remaining(self) -> float:
        """Give no limit."""
        return math.inf


class Pursuit:
    """Keeps trying to hold one Lease.

    Args:
        lease: which.
        identity: who we are, as no other operator is.
        trouble: told why the Lease cannot be had or kept, a sentence; "" when nothing is in the way.
        clock: seconds that nobody sets.
    """

    def __init__(
        self,
        lease: LeaseObject,
        identity: str,
        trouble: Callable[[str], None],
        clock: Callable[[], float] = boot.seconds,
    ) -> None:
        self._lease = lease
        self._identity = identity
        self._trouble = trouble
        self._clock = clock
        self._seen: Sighting | None = None
        self._asked = -math.inf  # when we asked for the state that we know
        self._known_at = -math.inf  # when the state before it was the present one
        self._until = 0.0

    def remaining(self) -> float:
        """Give the seconds for which we may act without another renewal; 0 or less: we may not."""
        return self._until - self._clock()

    async def attempt(self) -> None:
        """Read the Lease and do about it what is to be done; trouble is for the next time."""
        try:
            async with asyncio.timeout(DEADLINE / 2):
                await self._read_and_step()
            self._trouble("")
        except TimeoutError:
            self._fail("the API server does not answer")
        except Unreachable as error:
            self._fail(str(error))
        except Refused as refusal:
            if refusal.code != CONFLICT:  # somebody was faster
                self._fail(str(refusal))

    async def _rest(self, began: float, seconds: float) -> None:
        """Wait until so many seconds after a try began: where answers are slow there must not be fewer renewals."""
        await asyncio.sleep(max(began + seconds - self._clock(), 0.0))

    def _fail(self, why: str) -> None:
        logger.warning("The Lease %s: %s", self._lease, why)
        self._trouble(f"The Lease {self._lease} cannot be kept: {why.rstrip('.')}. It is tried again.")

    async def _read_and_step(self) -> None:
        asked = self._clock()
        self._notice(await self._lease.read(), asked)
        step = next_step(self._seen, self._identity, self._clock())
        if step is Step.WAIT:
            self._until = 0.0  # should another one have taken it while we were away
            self._waits(awaited(self._seen, self._clock()) or (self._seen.holder if self._seen else ""))
        else:
            await self._take(step, asked)

    def _notice(self, body: Json | None, asked: float) -> None:
        """Note what was read, and since when it can be so at the earliest."""
        before, lease = self._seen, read_lease(body) if body else None
        self._seen = see(before, lease, self._clock(), self._identity)
        if self._asked == -math.inf:
            age = boot.age_of(renewed_stamp(body)) if body else None
            self._known_at = -math.inf if age is None else self._clock() - age
        elif self._seen is not before:
            self._known_at = self._asked
        self._asked = asked

    async def _take(self, step: Step, asked: float) -> None:
        """Write ourselves into it."""
        await self._write(step, self._identity, asked)
        self._until = asked + DEADLINE

    async def _write(self, step: Step, holder: str, asked: float, *, settled: bool = True) -> None:
        before = self._seen.lease if self._seen else None
        lease = await self._lease.write(step, before, holder, settled=settled)
        self._seen, self._known_at, self._asked = Sighting(lease, self._clock()), asked, asked

    def _waits(self, holder: str) -> None:
        """Note whose it is."""


class Candidate(Pursuit):
    """An operator that leads while it holds a Lease.

    Args:
        lease, identity, trouble, clock: as of `Pursuit`.
        whom: for whom one leads by this Lease, as a sentence names them.
        say: told why we do not lead, a sentence; "" when we do.
        first: done at the beginning of each try; what it finds out is as fresh as the Lease.
        within: for how long we may act by something else that it takes as well.
        unopposed: tells whether nobody serves all namespaces, for certain.

    Attributes:
        tenure: how many times we have begun to lead.
    """

    def __init__(  # noqa: PLR0913 - two of them are for all, four for some kinds of Lease
        self,
        lease: LeaseObject,
        identity: str,
        trouble: Callable[[str], None],
        clock: Callable[[], float] = boot.seconds,
        *,
        whom: str = "all namespaces",
        say: Callable[[str], None] = unheard,
        first: Callable[[], Awaitable[None]] = nothing,
        within: Callable[[], float] = unlimited,
        unopposed: Callable[[], Awaitable[bool]] = never,
    ) -> None:
        super().__init__(lease, identity, trouble, clock)
        self._whom = whom
        self._say = say
        self._first = first
        self._within = within
        self._unopposed = unopposed
        self._leading, self._following = asyncio.Event(), asyncio.Event()
        self._following.set()
        self._told = ""
        self._acts_from: float | None = None  # when who serves all namespaces has noticed
        self.tenure = 0

    def remaining(self) -> float:
        """Give the seconds for which we may act without another renewal; 0 or less: we may not."""
        return min(super().remaining(), self._within()) if self._leading.is_set() else 0.0

    async def gained(self) -> None:
        """Return when we lead, now or later."""
        await self._leading.wait()

    async def lost(self) -> None:
        """Return when we do not lead, now or later."""
        await self._following.wait()

    async def run(self) -> None:
        """Take the Lease when it is free, and renew it as long as we have it."""
        while True:
            began = self._clock()
            await self.attempt()
            self._follow()
            await self._rest(began, RENEWAL if self._leading.is_set() else POLL)

    def _follow(self) -> None:
        """Begin or cease to lead, as the time says that is left."""
        if min(super().remaining(), self._within()) <= 0:
            if self._leading.is_set():
                logger.warning("%s is not led any more: nothing is written there until it is again.", self._subject)
                self._step_down()
        elif not self._leading.is_set() and (self._acts_from is None or self._clock() >= self._acts_from):
            self.tenure += 1
            self._following.clear()
            self._leading.set()
            self._tell("", f"This operator leads for {self._whom}.")

    @property
    def _subject(self) -> str:
        return self._whom[0].upper() + self._whom[1:]

    async def release(self) -> None:
        """Give the Lease back, so that the next one need not wait for its end."""
        self._step_down()
        if self._until - self._clock() <= 0:
            return
        self._until = 0.0
        try:
            # Read, for a renewal may have been cut off; it may also be nobody's by now, or gone.
            asked = self._clock()
            self._notice(await self._lease.read(), asked)
            if next_step(self._seen, self._identity, self._clock()) is Step.RENEW:
                await self._write(Step.RENEW, "", asked, settled=self._is_settled())
        except (Refused, Unreachable) as error:
            logger.warning("The Lease %s could not be given back: %s", self._lease, error)

    def _step_down(self) -> None:
        self._leading.clear()
        self._following.set()

    async def _read_and_step(self) -> None:
        asked = self._clock()
        await self._first()
        await super()._read_and_step()
        if self._until:
            self._until = min(self._until, asked + DEADLINE)

    async def _take(self, step: Step, asked: float) -> None:
        ours, covered = step is Step.RENEW, is_covered(self._seen, self._known_at, self._clock())
        settling = ours and self._acts_from is not None and self._clock() - self._known_at <= RECENT
        if self._lease.name != NARROW or covered:
            self._acts_from = None
        elif not settling:
            self._acts_from = math.inf
            self._step_down()
        await self._write(step, self._identity, asked, settled=self._is_settled())
        self._until = asked + DEADLINE
        if step is not Step.RENEW:
            await self._first()  # who came before we had it did not see us; who comes now does
        if self._acts_from == math.inf:
            await self._settle()

    async def _settle(self) -> None:
        """Leave who serves all namespaces the time to notice, unless it can be seen that there is nobody."""
        if await self._unopposed():
            self._acts_from = self._clock()
        else:
            self._acts_from = self._clock() + DURATION
            self._tell(SETTLING.format(whom=self._whom, seconds=DURATION))

    def _is_settled(self) -> bool:
        return self._acts_from is None or self._clock() >= self._acts_from

    def _waits(self, holder: str) -> None:
        self._step_down()
        older = "" if of_our_kind(holder) else ", perhaps an operator of version 0.1.0,"
        self._tell(f"Standing by: {holder}{older} leads for {self._whom} (Lease {self._lease}).")

    def _tell(self, why: str, line: str = "") -> None:
        self._say(why)
        if (why or line) != self._told:
            self._told = why or line
            logger.info("%s", self._told)


class Guard(Pursuit):
    """Keeps operators of version 0.1.0 from leading beside those of single namespaces, which all hold `WIDE` together.

    Where one that serves all namespaces holds it, that keeps them away too, as long as it is seen to be renewed.
    """

    def __init__(
        self, lease: LeaseObject, trouble: Callable[[str], None], say: Callable[[str], None], **clock: Any
    ) -> None:
        super().__init__(lease, SHARED, trouble, **clock)
        self._say = say
        self._told = ""

    async def run(self) -> None:
        """Hold it for ever; it is never given back, for others hold it too."""
        while True:
            began = self._clock()
            await self.attempt()
            # Those who hold it together must not come back together.
            await self._rest(began, (RENEWAL if self.remaining() > 0 else POLL) * random.uniform(0.7, 1))  # noqa: S311

    async def _take(self, step: Step, asked: float) -> None:
        if step is Step.RENEW:
            self._until = max(self._until, self._known_at + DEADLINE)
        if step is not Step.RENEW or asked - self._known_at >= STALE:
            await self._write_unless_another_does(step, asked)
        self._tell("")

    async def _write_unless_another_does(self, step: Step, asked: float) -> None:
        try:
            await super()._take(step, asked)
        except Refused as refusal:
            # Who has changed it since we asked is no operator of version 0.1.0: that must see it stand still first.
            if refusal.code != CONFLICT or step is not Step.RENEW or self.remaining() <= 0:
                raise
            self._until = asked + DEADLINE

    def _waits(self, holder: str) -> None:
        if of_our_kind(holder):
            self._until = self._known_at + DEADLINE
            self._tell("")
        else:
            self._tell(
                f"Standing by: {holder}, perhaps an operator of version 0.1.0, holds the Lease {self._lease}, by which "
                "it may lead for any namespace."
            )

    def _tell(self, why: str) -> None:
        self._say(why)
        if why and why != self._told:
            logger.info("%s", why)
        self._told = why

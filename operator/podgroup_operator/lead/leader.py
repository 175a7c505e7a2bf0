"""The leader: it leads while it holds a Lease, gives that back, and is asked before each write.

Losing the Lease stops all writes at once; the caches stay full, so whoever leads next starts within a second.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

from podgroup_operator.api.refusals import Refused, Unreachable
from podgroup_operator.core.lease import (
    DEADLINE,
    DURATION,
    NARROW,
    POLL,
    RECENT,
    RENEWAL,
    Step,
    is_covered,
    next_step,
    of_our_kind,
)
from podgroup_operator.lead import boot
from podgroup_operator.lead.leases import LeaseObject
from podgroup_operator.lead.pursuit import Pursuit

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
        if step is not Step.RENEW:
            await self._first()  # who came before we had it did not see us; who comes now does
        self._until = asked + DEADLINE
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

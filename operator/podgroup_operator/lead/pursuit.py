"""The pursuit of a Lease: taken when it is free, renewed as long as it is ours.

`core/lease.py` decides; here it is done. `remaining` counts the time that is left by our own clock, also across a pause
of the whole process.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

from podgroup_operator.api.refusals import CONFLICT, Refused, Unreachable
from podgroup_operator.core.lease import DEADLINE, Sighting, Step, awaited, next_step, see
from podgroup_operator.lead import boot
from podgroup_operator.lead.leases import LeaseObject, read_lease, renewed_stamp

Json = dict[str, Any]

logger = logging.getLogger(__name__)


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

"""Operators that lead while one without election is about to start: two at once would make pods too many."""

import asyncio
from collections.abc import Callable

from podgroup_operator.core.lease import SHARED, Step, next_step, see
from podgroup_operator.hopeless import Hopeless
from podgroup_operator.lead import boot
from podgroup_operator.lead.leases import LeaseObject, read_lease

LOOK = 0.5  # seconds between two looks whether a Lease is renewed


class Rival(Hopeless):
    """Another operator leads for what we were to serve; a sentence says which, and what to do."""


async def none_leads(lease: LeaseObject, clock: Callable[[], float] = boot.seconds) -> None:
    """Return when nobody leads by this Lease: it is nobody's, or is not renewed for as long as its holder had it.

    Raises:
        Rival: it is renewed.
        Refused: the API server's no.
        Unreachable: there was no answer.
    """
    seen = None
    while True:
        body = await lease.read()
        before, seen = seen, see(seen, read_lease(body) if body else None, clock())
        if before and before is not seen and seen and seen.holder not in {"", SHARED}:
            raise Rival(
                f"{seen.holder} leads by the Lease {lease}, and renews it. Stop that operator first, or leave "
                "--no-leader-elect out, so that this one stands by."
            )
        if next_step(seen, "", clock()) is not Step.WAIT:
            return
        await asyncio.sleep(LOOK)

"""A tenure: the time for which this operator leads, and what it does before the first write of it.

Caches may lag, and those of one that was not leading have lagged unnoticed. So each tenure begins with a new list of
all pods, and every PodGroup is read afresh before anything is done for it. What was remembered of our own writes is
dropped, for others have written since.
"""

import asyncio
from collections.abc import Awaitable, Callable

from podgroup_operator import metrics
from podgroup_operator.lead.leader import Leadership


class Tenure:
    """Opens and closes the door to writing.

    Args:
        leadership: tells whether we lead.
        begin: called at the start of each tenure, before the first write.
        catch_up: returns when the caches are as fresh as the API server was when it was called.
    """

    def __init__(
        self, leadership: Leadership, begin: Callable[[], None], catch_up: Callable[[], Awaitable[None]]
    ) -> None:
        self._leadership = leadership
        self._begin = begin
        self._catch_up = catch_up
        self._open = asyncio.Event()

    async def opened(self) -> None:
        """Return when groups may be looked at, now or later."""
        await self._open.wait()

    async def run(self) -> None:
        """Follow the leadership for ever."""
        while True:
            await self._leadership.gained()
            await self._catch_up()
            self._begin()
            metrics.leading.set(1)
            self._open.set()
            await self._leadership.lost()
            self._open.clear()
            metrics.leading.set(0)

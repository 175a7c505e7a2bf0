"""A tenure: the time for which this operator leads somewhere, and what it does before the first write of it.

Caches may lag, and those of one that was not leading have lagged unnoticed. So each tenure begins with a new list of
all pods, and every PodGroup is read afresh before anything is done for it. What was remembered of our own writes is
dropped as far as others may have made it untrue.
"""

import asyncio
from collections.abc import Awaitable, Callable

from podgroup_operator.lead.leadership import Leadership


class Tenure:
    """Opens and closes the door to looking at groups.

    Args:
        leadership: tells whether we lead.
        begin: called before the first write in each tenure and after each interruption; told whether others may have
            led since it was called last.
        catch_up: returns when the caches are as fresh as the API server was when it was called.

    Attributes:
        is_open: whether groups may be looked at.
    """

    def __init__(
        self, leadership: Leadership, begin: Callable[[bool], None], catch_up: Callable[[], Awaitable[None]]
    ) -> None:
        self._leadership = leadership
        self._begin = begin
        self._catch_up = catch_up
        self._interrupted = asyncio.Event()
        self.is_open = False

    def interrupt(self) -> None:
        """Close the door until the caches are fresh again: they cannot be kept so just now."""
        self.is_open = False
        self._interrupted.set()

    async def run(self) -> None:
        """Follow the leadership for ever."""
        led: int | None = None  # the number of the time of leading in which the door was opened last
        while True:
            await self._leadership.gained()
            tenure = self._leadership.tenure
            self._interrupted.clear()
            await self._catch_up()
            if self._interrupted.is_set() or tenure != self._leadership.tenure:
                continue  # in the latter case others may have written what the list does not show
            self.is_open = True
            self._begin(tenure != led)
            led = tenure
            await first_of(self._leadership.lost(), self._interrupted.wait())
            self.is_open = False


async def first_of(*waits: Awaitable[object]) -> None:
    """Return when one of these has."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()

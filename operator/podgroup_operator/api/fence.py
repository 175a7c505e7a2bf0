"""A fence: for how long a write may be under way.

What is sent must have arrived, or be given up, before somebody else may write. How much time that leaves is known when
it is sent, and more of it may be granted meanwhile: an answer is waited for until the fence falls, and no longer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import isinf

EXTENSION = 1.0  # seconds between two looks whether there is more time by now

Remaining = Callable[[], float]
"""Gives the seconds for which this operator may still write; infinity where nobody else may."""


@asynccontextmanager
async def until_it_falls(left: float, remaining: Remaining) -> AsyncIterator[None]:
    """Give up what is done within this context when there is no time left.

    Args:
        left: what `remaining` has just said.
        remaining: asked again and again.

    Raises:
        TimeoutError: the time was up.
    """
    loop, timer = asyncio.get_running_loop(), None
    async with asyncio.timeout(None if isinf(left) else left) as limit:

        def extend() -> None:
            nonlocal timer
            until = limit.when()
            if until is not None and not limit.expired():
                limit.reschedule(max(until, loop.time() + remaining()))
            timer = loop.call_later(EXTENSION, extend)

        timer = loop.call_later(EXTENSION, extend)
        try:
            yield
        finally:
            timer.cancel()

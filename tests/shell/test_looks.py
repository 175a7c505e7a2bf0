"""Looks under way: when a group is looked at again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from podgroup_operator.api.refusals import Refused
from podgroup_operator.looks import Looks
from podgroup_operator.workqueue import Key

WEB = ("shop", "web")
BUSY = Refused(429, {})


class Seen:
    """Counts looks, and fails as long as it is told to."""

    def __init__(self) -> None:
        self.fails = True
        self.count = 0

    async def look(self, _: Key) -> float | None:
        """Look."""
        self.count += 1
        if self.fails:
            raise BUSY
        return None


@asynccontextmanager
async def looking(seen: Seen) -> AsyncIterator[Looks]:
    """Run looks for a while."""
    looks = Looks(seen.look, lambda _: True)
    task = asyncio.ensure_future(looks.run())
    yield looks
    task.cancel()


async def news(looks: Looks, times: int) -> None:
    """Let news of a group come one after the other."""
    for _ in range(times):
        looks.add(WEB)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_news_of_a_group_that_cannot_be_read_hasten_nothing() -> None:
    """After the second look in vain its pause counts, whatever happens to its pods; else each would be a request."""
    seen = Seen()
    async with looking(seen) as looks:
        await news(looks, 50)
        assert seen.count == 2
        assert looks.unanswered() == (WEB,)


async def test_the_end_of_an_outage_and_a_new_tenure_end_that_pause() -> None:
    """What was forgotten is looked at with the next news, and a look that succeeds leaves nothing behind."""
    seen = Seen()
    async with looking(seen) as looks:
        await news(looks, 5)
        seen.fails = False
        looks.forget(WEB)
        await news(looks, 3)
        assert seen.count == 5
        assert looks.unanswered() == ()

"""A tenure: when the door to looking at groups opens, and on what."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from podgroup_operator.lead.tenure import Tenure


class Lead:
    """A leadership as a test wants it."""

    def __init__(self) -> None:
        self.tenure = 0
        self._gained, self._lost = asyncio.Event(), asyncio.Event()

    def win(self) -> None:
        """Begin to lead."""
        self.tenure += 1
        self._lost.clear()
        self._gained.set()

    def lose(self) -> None:
        """Cease to lead."""
        self._gained.clear()
        self._lost.set()

    async def run(self) -> None:
        """Strive for nothing."""

    async def gained(self) -> None:
        """Return when it leads."""
        await self._gained.wait()

    async def lost(self) -> None:
        """Return when it does not lead."""
        await self._lost.wait()

    async def release(self) -> None:
        """Have nothing to give back."""

    def remaining(self) -> float:
        """Give a minute if it leads."""
        return 60.0 if self._gained.is_set() else 0.0


class Door:
    """A tenure that runs, and what came of it.

    Attributes:
        lists: one for each time that it caught up; set when that list is to end.
        begun: for each begin, whether others may have led since the last one.
    """

    def __init__(self) -> None:
        self.lead = Lead()
        self.lists: list[asyncio.Event] = []
        self.begun: list[bool] = []
        self.tenure = Tenure(self.lead, self.begun.append, self._catch_up)

    async def _catch_up(self) -> None:
        self.lists.append(asyncio.Event())
        await self.lists[-1].wait()

    async def rest(self) -> None:
        """Let all that can happen now happen."""
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """One that runs."""
    door = Door()
    running = asyncio.create_task(door.tenure.run())
    yield door
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_tenure_opens_on_no_list_that_was_begun_in_an_earlier_one(door: Door) -> None:
    """While it hung another operator led, and wrote what it does not show: the pods are listed again."""
    door.lead.win()
    await door.rest()
    door.lead.lose()
    await door.rest()
    door.lead.win()
    door.lists[0].set()
    await door.rest()
    assert (door.tenure.is_open, door.begun, len(door.lists)) == (False, [], 2)
    door.lists[1].set()
    await door.rest()
    assert (door.tenure.is_open, door.begun) == (True, [True])


async def test_an_interruption_is_no_tenure_of_others(door: Door) -> None:
    """When the pods can be read again nobody else has written; when the lead was lost between they may have."""
    door.lead.win()
    await door.rest()
    door.lists[0].set()
    await door.rest()
    door.tenure.interrupt()
    assert not door.tenure.is_open
    await door.rest()
    door.lists[1].set()
    await door.rest()
    assert (door.tenure.is_open, door.begun) == (True, [True, False])
    door.lead.lose()
    await door.rest()
    door.lead.win()
    await door.rest()
    door.lists[2].set()
    await door.rest()
    assert (door.tenure.is_open, door.begun) == (True, [True, False, True])

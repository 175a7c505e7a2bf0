"""Leadership: whether this operator may act for what it serves by one Lease."""

import asyncio
import math
from typing import Protocol


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

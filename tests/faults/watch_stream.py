"""A watch, handed on line by line, and what can go wrong with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from fakeapi.faults import CutLine, ErrorEvent, Silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from aiohttp import web

    from faults.strike import WatchFault


class CutOff(Exception):
    """The connection is to end at once."""


@dataclass
class WatchStream:
    """One open watch.

    Attributes:
        faults: what is to happen; each after as many whole events as it says.
    """

    faults: Sequence[WatchFault]

    async def hand_on(self, lines: AsyncIterable[bytes], response: web.StreamResponse) -> None:
        """Copy a watch's lines until it ends, or until a fault ends it.

        Raises:
            CutOff: the connection is to end in the middle of a line.
        """
        events = 0
        if await self._struck(events, response):
            return
        async for line in lines:
            await response.write(line)
            events += b'"type":"BOOKMARK"' not in line
            if await self._struck(events, response):
                return

    async def _struck(self, events: int, response: web.StreamResponse) -> bool:
        """Let what is due happen; tell whether the watch has ended."""
        for fault in self.faults:
            if fault.events != events:
                continue
            match fault:
                case ErrorEvent():
                    event = {"type": "ERROR", "object": fault.error().status}
                    await response.write(orjson.dumps(event) + b"\n")
                    return True
                case CutLine():
                    await response.write(b'{"type":"MODIFIED","object":{"kind":"Po')
                    await asyncio.sleep(0)
                    raise CutOff
                case Silence():
                    await asyncio.Event().wait()  # until the client gives up
        return False

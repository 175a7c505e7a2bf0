"""Answers of the API server as kopf gets them: nothing in them is nested deeper than it can read.

kopf ends, and again at each start, when a PodGroup cannot be parsed, and whoever may patch one can give it managed
fields that are nested a thousand levels deep: a real API server keeps them.
"""

import json
from collections.abc import AsyncIterator
from typing import Any, Self

import aiohttp
from aiohttp.connector import Connection

from podgroup_operator.api.jsontext import lines, shallow

HARMLESS = 500
"""Braces and brackets that a text may have and be read as it is, however they are nested: Python's limit is 1000."""


class Answer(aiohttp.ClientResponse):
    """A response whose JSON can always be parsed; for a session's `response_class`."""

    async def start(self, connection: Connection) -> Self:
        """Begin to receive it."""
        await super().start(connection)
        self.content = Lines(self.content)  # type: ignore[assignment] # it does what is asked of it
        return self

    async def json(self, **_: Any) -> Any:
        """Parse all of it."""
        return json.loads(readable(await self.read()))


class Lines:
    """A stream of JSON lines, in front of aiohttp's own.

    Args:
        content: the stream.
    """

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        """Be the stream in all else."""
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Give whole lines, several at once."""
        async for several in lines(self._content.iter_chunked(size)):
            yield b"".join(readable(line) + b"\n" for line in several)


def readable(text: bytes) -> bytes:
    """Cut off what may be nested too deep."""
    return text if text.count(b"{") + text.count(b"[") <= HARMLESS else shallow(text)

"""The network between the operators and the API server: what stands in for `aiohttp.ClientSession`.

A request that is on its way arrives, or not, whatever becomes of its sender: an operator that gives up or dies does
not call it back. It is late by at most `LINGERS` then, for the connection is closed behind it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

import aiohttp
import orjson

from fakeapi.errors import StatusError
from simulate.apiserver import BOOKMARK_SECONDS, ApiServer
from simulate.asked import Asked, now
from simulate.processes import PROCESS, WORLD, Process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from random import Random

    from aiohttp import web

    from fakeapi.routing import Target
    from fakeapi.watch import Watch
    from simulate.weather import Weather

LINGERS = 1.0
"""Seconds for which a request may still arrive when its sender has given it up."""

CONNECT_SECONDS = 5.0
"""After which a connection that nobody accepts is given up."""


@dataclass
class Network:
    """All that is on its way.

    Attributes:
        requests: all that were sent, in order.
        notice: told of each request when it has been done or refused.
    """

    server: ApiServer
    weather: Weather
    chance: Random
    notice: Callable[[Asked], None]
    requests: list[Asked] = field(default_factory=list)
    _journeys: set[asyncio.Task[None]] = field(default_factory=set)
    _streams: dict[Stream, Process] = field(default_factory=dict)

    def hang_up(self, process: Process) -> None:
        """Close all connections of a process that is dead."""
        for asked in reversed(self.requests):
            if asked.process is process and asked.told is None and asked.given_up is None:
                asked.given_up = now()
        for stream in [stream for stream, owner in self._streams.items() if owner is process]:
            stream.close()

    def opened(self, stream: Stream, process: Process) -> None:
        """Note that a watch is open."""
        self._streams[stream] = process

    def closed(self, stream: Stream) -> None:
        """Note that a watch is over."""
        self._streams.pop(stream, None)

    def send(self, asked: Asked) -> asyncio.Future[Response]:
        """Send a request; the future is its answer, or never done."""
        self.requests.append(asked)
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        journey = asyncio.get_running_loop().create_task(self._travel(asked, answer), context=WORLD)
        self._journeys.add(journey)
        journey.add_done_callback(self._journeys.discard, context=WORLD)
        return answer

    async def drain(self) -> None:
        """Wait for all that is on its way now: what hangs in a webhook has its effect when that lets it go."""
        if self._journeys:
            await asyncio.wait(tuple(self._journeys))

    async def _travel(self, asked: Asked, answer: asyncio.Future[Response]) -> None:
        """Bring a request to the API server, and the answer back."""
        chance, weather = self.chance, self.weather
        await asyncio.sleep(weather.delay(chance))
        if weather.out == 0 or weather.loses(chance, asked.process.name):
            await self._fail(asked, answer, silently=weather.out != 0 and chance.random() < 0.5)
            return
        try:
            target = self.server.read(asked)
            await asyncio.sleep(weather.work(chance, asked))
            if too_late(asked):
                return
            refusal = weather.refusal(chance, asked)
            if refusal:
                raise refusal
            response = self._answer(asked, target)
        except StatusError as error:
            response = refused(error)
        asked.code, asked.done = response.status, now()
        self.notice(asked)
        await asyncio.sleep(weather.delay(chance))
        if weather.loses(chance, asked.process.name):
            await self._fail(asked, answer, silently=chance.random() < 0.5)
        elif not answer.done():
            asked.told = response.status
            answer.set_result(response)

    def _answer(self, asked: Asked, target: Target | None) -> Response:
        if target and asked.verb == "watch":
            stream = Stream(self, asked)
            return Response(200, stream=stream.follow(self.server.watch(asked, target)))
        return Response(201 if asked.method == "POST" else 200, orjson.dumps(self.server.do(asked, target)))

    async def _fail(self, asked: Asked, answer: asyncio.Future[Response], *, silently: bool) -> None:
        """Let a request have no answer: the connection is reset, or nothing is heard any more."""
        if silently or asked.process.name in self.weather.cut_off:
            return
        await asyncio.sleep(0)
        if not answer.done():
            answer.set_exception(aiohttp.ClientConnectionError("Connection reset by the simulation"))


def too_late(asked: Asked) -> bool:
    """Tell whether a request's sender has been gone for so long that the API server drops it."""
    return asked.given_up is not None and now() > asked.given_up + LINGERS


def refused(error: StatusError) -> Response:
    """Give the answer to a request that is refused."""
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    return Response(error.code, orjson.dumps(error.status), headers)


class Stream:
    """A watch's way back: its lines come in order, each late by what the weather brings."""

    def __init__(self, network: Network, asked: Asked) -> None:
        self._network = network
        self._asked = asked
        self._arrived: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._last = 0.0

    def follow(self, watch: Watch) -> Stream:
        """Hand a watch's lines on until it ends."""
        loop = asyncio.get_running_loop()
        seconds = float(self._asked.query.get("timeoutSeconds") or 3600)
        timers = [loop.call_later(seconds, watch.end, context=WORLD)]

        def bookmark() -> None:
            watch.bookmark(self._network.server.store.version)
            timers.append(loop.call_later(BOOKMARK_SECONDS, bookmark, context=WORLD))

        timers.append(loop.call_later(BOOKMARK_SECONDS, bookmark, context=WORLD))
        self._task = loop.create_task(self._send(watch, timers), context=WORLD)
        self._network.opened(self, self._asked.process)
        return self

    async def _send(self, watch: Watch, timers: list[asyncio.TimerHandle]) -> None:
        try:
            await watch.send(cast("web.StreamResponse", self), lambda: None)
            self._arrive(None)
        except aiohttp.ClientError as error:
            self._arrive(error)
        finally:
            self._network.server.close(watch)
            self._network.closed(self)
            for timer in timers:
                timer.cancel()

    async def write(self, data: bytes) -> None:
        """Take lines from the watch."""
        weather, chance = self._network.weather, self._network.chance
        for line in data.splitlines(keepends=True):
            if weather.silent or self._asked.process.name in weather.cut_off:
                await asyncio.Event().wait()  # nothing more is ever heard of it
            if chance.random() < weather.torn:
                raise aiohttp.ClientPayloadError("Response payload is not completed")
            self._arrive(line, chance.uniform(0, weather.lag))

    def _arrive(self, what: bytes | Exception | None, lag: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        # Timers of one and the same moment may come in any order, and lines must not.
        self._last = max(self._last + 1e-6, loop.time() + lag + self._network.weather.delay(self._network.chance))
        loop.call_at(self._last, self._arrived.put_nowait, what, context=WORLD)

    def close(self) -> None:
        """Hang up."""
        self._task.cancel()

    async def chunks(self, silence: float | None) -> AsyncIterator[bytes]:
        """Give what arrives, and end when the watch does.

        Raises:
            TimeoutError: nothing has come for so long.
        """
        while True:
            async with asyncio.timeout(silence):
                what = await self._arrived.get()
            if what is None:
                return
            if isinstance(what, Exception):
                raise what
            yield what


async def once(body: bytes) -> AsyncIterator[bytes]:
    """Give a body as a stream."""
    yield body


class Response:
    """An answer, as much of `aiohttp.ClientResponse` as is used."""

    def __init__(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, stream: Stream | None = None
    ) -> None:
        self.status = status
        self.headers = headers or {}
        self.stream = stream
        self.silence: float | None = None
        self._body = body

    @property
    def ok(self) -> bool:
        """Whether it is a good one."""
        return self.status < 400

    @property
    def content(self) -> Self:
        """Give the stream."""
        return self

    async def read(self) -> bytes:
        """Give the body."""
        return self._body

    def iter_any(self) -> AsyncIterator[bytes]:
        """Give a watch's bytes as they come."""
        return self.stream.chunks(self.silence) if self.stream else once(self._body)


class Exchange:
    """A request and its answer, as an async context manager."""

    def __init__(self, network: Network, asked: Asked, timeout: aiohttp.ClientTimeout) -> None:
        self._network = network
        self._asked = asked
        self._timeout = timeout
        self._response: Response

    async def __aenter__(self) -> Response:
        limit = self._timeout.total or self._timeout.sock_read
        try:
            async with asyncio.timeout(limit):
                self._response = await self._network.send(self._asked)
        except BaseException:
            self._asked.given_up = now()
            raise
        self._response.silence = self._timeout.sock_read
        return self._response

    async def __aexit__(self, *_: object) -> None:
        if self._response.stream:
            self._response.stream.close()


class Session:
    """What an operator's process takes for an `aiohttp.ClientSession`."""

    network: Network

    def __init__(self, timeout: aiohttp.ClientTimeout | None = None, **_: Any) -> None:
        self._timeout = timeout or aiohttp.ClientTimeout(total=30.0)
        process = PROCESS.get()
        assert process, "only an operator's process sends requests"
        self._process: Process = process

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close nothing."""

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
        **_: Any,
    ) -> Exchange:
        """Ask for something."""
        body = orjson.loads(data) if data else None
        asked = Asked(method, urlsplit(url).path, dict(params or {}), "", body=body, process=self._process)
        asked.form = (headers or {}).get("Content-Type", "")
        return Exchange(self.network, asked, timeout or self._timeout)

    def get(self, url: str, **options: Any) -> Exchange:
        """Ask to read something."""
        return self.request("GET", url, **options)

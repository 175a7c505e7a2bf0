"""The proxy between the operator and the API server: it remembers every request, and lets faults strike some.

Plain HTTP towards the operator, whose credentials it hands on; TLS towards the API server. It lives in a thread
of the tests' process, with an event loop of its own.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import aiohttp
import orjson
from aiohttp import web
from yarl import URL

from fakeapi.faults import Answer, Cut, CutLine, Delay, ErrorEvent, Silence
from faults.asked import Asked, read_request
from faults.strike import Crash, RequestFault, Strikes
from faults.watch_stream import CutOff, WatchStream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from faults.strike import Fault

LOOPBACK = "127.0.0.1"
START_SECONDS = 10.0
HANDED_ON = ("Authorization", "Content-Type", "Accept", "User-Agent")
HANDED_BACK = ("Content-Type", "Retry-After")
CLOSING_SECONDS = 35.0  # longer than asyncio waits for the other side's farewell before it cuts a TLS connection
LONGEST_LINE = 1 << 23  # bytes


class Proxy:
    """A proxy in front of one API server, used as a context manager.

    Args:
        server: the API server's URL.
        tls: how to trust it.
        operator: the number of the operator that it serves.
        strikes: what goes wrong.
        crash: ends the operator in the way that is given and starts it again; may take its time.
    """

    def __init__(
        self, server: str, tls: ssl.SSLContext, operator: int, strikes: Strikes, crash: Callable[[Crash], None]
    ) -> None:
        self._server = server
        self._tls = tls
        self._operator = operator
        self._strikes = strikes
        self._crash = crash
        self.requests: list[Asked] = []
        self.url = ""
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(START_SECONDS), "the proxy did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def disconnect(self) -> None:
        """Cut every connection of the operator's, watches too."""
        self._loop.call_soon_threadsafe(self._disconnect)

    def _disconnect(self) -> None:
        for connection in self._http.connections:
            if connection.transport:
                connection.transport.abort()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._http = web.Server(self._answer, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(self._http, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        self.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        sockets = Sockets()
        connector = aiohttp.TCPConnector(limit=0, ssl=self._tls, socket_factory=sockets.made)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, read_bufsize=LONGEST_LINE, auto_decompress=False
        ) as self._session:
            self._ready.set()
            await self._over.wait()
            self._disconnect()
            await runner.cleanup()
        await sockets.closed()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        text = await request.read()
        asked = read_request(request.method, request.path, request.query, orjson.loads(text) if text else {})
        asked.operator = self._operator
        self.requests.append(asked)
        faults = self._strikes.on(asked)
        try:
            response = await self._before(faults) or await self._hand_on(request, text, asked, faults)
        except CutOff:
            if request.transport:
                request.transport.abort()
            return web.Response()  # nobody gets it
        asked.told = response.status
        return response

    async def _before(self, faults: Sequence[Fault]) -> web.Response | None:
        return await self._suffer([fault for fault in faults if isinstance(fault, RequestFault) and not fault.after])

    async def _after(self, faults: Sequence[Fault]) -> web.Response | None:
        return await self._suffer([fault for fault in faults if isinstance(fault, RequestFault) and fault.after])

    async def _suffer(self, faults: Sequence[RequestFault]) -> web.Response | None:
        """Let faults happen; give the answer, if one of them is one."""
        for fault in faults:
            match fault:
                case Answer():
                    return refusal(fault)
                case Cut():
                    raise CutOff
                case Delay():
                    await asyncio.sleep(fault.seconds)
                case Crash():
                    # Shielded: with the operator its connection ends, and with that this very request.
                    await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self._crash, fault))
                    raise CutOff
        return None

    async def _hand_on(
        self, request: web.BaseRequest, text: bytes, asked: Asked, faults: Sequence[Fault]
    ) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in HANDED_ON if name in request.headers}
        url = URL(self._server + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, headers=headers, data=text or None) as upstream:
            asked.code = upstream.status
            kept = {name: upstream.headers[name] for name in HANDED_BACK if name in upstream.headers}
            if asked.verb == "watch" and upstream.ok:
                response = web.StreamResponse(status=upstream.status, headers=kept)
                await response.prepare(request)
                stream = WatchStream([fault for fault in faults if isinstance(fault, CutLine | ErrorEvent | Silence)])
                with suppress(aiohttp.ClientError, ConnectionError):
                    await stream.hand_on(upstream.content, response)
                return response
            body = await upstream.read()
        return await self._after(faults) or web.Response(status=upstream.status, headers=kept, body=body)


class Sockets:
    """The sockets towards the API server: a TLS connection that was told to close still says farewell for a while."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []

    def made(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """Make a socket, and remember it as long as it is open."""
        self._open = [each for each in self._open if each.fileno() != -1]
        self._open.append(socket.socket(*address[:3]))
        return self._open[-1]

    async def closed(self) -> None:
        """Wait until all are closed."""
        async with asyncio.timeout(CLOSING_SECONDS):
            while any(each.fileno() != -1 for each in self._open):  # noqa: ASYNC110 -- a socket tells nobody
                await asyncio.sleep(0.01)


def refusal(fault: Answer) -> web.Response:
    """Put a refusal into an API server's words."""
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    return web.json_response(fault.error().status, status=fault.code, headers=headers)

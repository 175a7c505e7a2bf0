"""Lines to the API server: connections that are kept for requests whose answers are wanted as a whole.

Two requests in a row come before a lost pod has its replacement, and what they cost is what a heal costs: nothing that
they touch is in the processor's caches when, once in a while, a pod is lost. aiohttp needs 1.2 ms of CPU for one then,
this 0.65. So aiohttp remains for answers that are read as they come, and for what goes through a proxy.
"""

import asyncio
import re
import socket
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from aiohappyeyeballs import start_connection

from podgroup_operator.api.line import Answer, Line
from podgroup_operator.api.login import Connection
from podgroup_operator.api.sockets import watched_socket

CONNECT_SECONDS = 5.0
HEAD_START = 0.25  # seconds that one address has before the next is tried beside it (RFC 8305)
KEPT = 75.0  # seconds for which a line without a request is kept; the API server keeps it for 90
IDEMPOTENT = frozenset({"GET", "DELETE"})  # what may be asked twice
UNFIT = re.compile(r"[^\t\x20-\x7e\x80-\xff]")  # for the value of a header (RFC 9110, 5.5)


class Lines:
    """All lines to one API server.

    Args:
        connection: where it is.
        headers: sent with each request.
    """

    def __init__(self, connection: Connection, headers: Mapping[str, str]) -> None:
        url = urlsplit(connection.server)
        self._tls = connection.tls
        self._host, self._port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        self._root = url.path
        self._headers = {"Host": url.netloc.rpartition("@")[2], **headers}
        self._free: list[Line] = []

    async def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Answer:
        """Send a request and wait for its answer.

        A line that was kept may be closed at the other end just when it is used again; what may be asked twice is
        asked again on a new one then.

        Raises:
            OSError: there was no answer.
        """
        request = self._written(method, path, params, headers, body)
        if line := self._kept():
            try:
                return await self._ask(line, request)
            except ConnectionError:
                if line.heard or method not in IDEMPOTENT:
                    raise
        return await self._ask(await self._connected(), request)

    async def close(self) -> None:
        """Hang up; nothing is under way any more."""
        for line in self._free:
            line.close()
        self._free.clear()
        await asyncio.sleep(0)  # in which the sockets are closed

    async def _ask(self, line: Line, request: bytes) -> Answer:
        answer = await line.ask(request)
        if line.is_open:
            line.free_since = asyncio.get_running_loop().time()
            self._free.append(line)
        return answer

    def _kept(self) -> Line | None:
        """Take the line that was used last; those that were not for long are given up."""
        oldest = asyncio.get_running_loop().time() - KEPT
        while self._free:
            line = self._free.pop()
            if line.is_open and line.free_since > oldest:
                return line
            line.close()
        return None

    async def _connected(self) -> Line:
        """Make a new line."""
        loop = asyncio.get_running_loop()
        try:
            addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            async with asyncio.timeout(CONNECT_SECONDS):
                made = await start_connection(
                    addresses, happy_eyeballs_delay=HEAD_START, interleave=1, socket_factory=watched_socket
                )
            host = self._host if self._tls else None
            _, line = await loop.create_connection(Line, sock=made, ssl=self._tls, server_hostname=host)
        except OSError as error:
            why = str(error) or "it took too long"
            raise ConnectionError(f"Cannot connect to host {self._host}:{self._port}: {why}") from error
        return line

    def _written(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> bytes:
        target = self._root + quote(path) + (f"?{urlencode(params)}" if params else "")
        lines = [f"{method} {target} HTTP/1.1"]
        for name, value in (*self._headers.items(), *headers.items()):
            if UNFIT.search(value):
                raise OSError(f"what should be sent as {name} has a line break in it, or what no header may have")
            lines.append(f"{name}: {value}")
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join((*lines, "", "")).encode("latin-1") + (body or b"")

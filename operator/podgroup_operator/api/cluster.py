"""The Kubernetes API as the operator uses it: the only module that sends requests.

What is answered as a whole goes by lines of our own (`lines.py`), what is read as it comes by aiohttp; with orjson that
is a fraction of what the typed clients cost. Nothing that has an effect is retried here: whether a request may be sent
again is for the caller to know. An answer is one of three:
a body, `Refused` (the server's Status), or `Unreachable` (no answer: the effect is unknown).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from podgroup_operator import __version__, metrics
from podgroup_operator.api.jsontext import lines, parsed, written
from podgroup_operator.api.line import Answer
from podgroup_operator.api.lines import Lines
from podgroup_operator.api.login import Connection
from podgroup_operator.api.outage import Outage
from podgroup_operator.api.refusals import REDIRECTION, UNAUTHORIZED, Refused, TooLarge, Unreachable
from podgroup_operator.api.sockets import connector
from podgroup_operator.core import names

Json = dict[str, Any]

HEADERS = {"User-Agent": f"{names.MANAGER}/{__version__}", "Accept": "application/json"}
REQUEST_TIMEOUT = 35.0  # seconds; a webhook may take 30, and then the API server says which one it was
LONGEST_NUMBER = 10  # digits of a Retry-After; more are no pause that anybody means
READ_BUFFER = 1 << 20  # bytes; a pod may be large

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"


class Detour:
    """The way through a proxy, which aiohttp knows; what is asked there is asked as on `Lines`."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        """Send a request and wait for its answer."""
        async with self._session.request(
            method, self._server + path, params=params, data=body, headers=headers, allow_redirects=False
        ) as response:
            return await whole(response)

    async def close(self) -> None:
        """Leave the session to who has opened it."""


class Cluster:
    """A connection to one API server, used as an async context manager.

    Attributes:
        outage: told how each request fares.
    """

    def __init__(self, connection: Connection) -> None:
        self.outage = Outage(lambda: None)
        self._connection = connection
        self._host = connection.server.partition("://")[2].partition("/")[0]
        self._session: aiohttp.ClientSession
        self._lines: Lines | Detour

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=connector(self._connection.tls),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT, sock_connect=5),
            headers=HEADERS,
            read_bufsize=READ_BUFFER,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._connection.proxy or None,
        )
        proxied = self._connection.proxy
        self._lines = Detour(self._session, self._connection.server) if proxied else Lines(self._connection, HEADERS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lines.close()
        await self._session.close()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """Read an object or a list."""
        return await self._request("GET", path, params)

    async def page(self, path: str, params: Mapping[str, str], most: int) -> tuple[Json, int]:
        """Read one page of a list; give it and its size in bytes.

        Raises:
            TooLarge: it has more bytes than `most`.
        """
        with self._fares():
            async with self._stream(path, params) as response:
                text = await read_up_to(response, most)
                page: Json = parsed(text)
        return page, len(text)

    async def ask(self, path: str, body: Json) -> Json:
        """POST what changes nothing, such as an access review; whoever does not lead may do so too."""
        return await self._request("POST", path, None, body)

    async def claim(self, method: str, path: str, body: Json) -> Json:
        """Write the Lease, by which leading begins: POST a new one or PATCH it."""
        return await self._request(method, path, None, body, "application/json" if method == "POST" else MERGE_PATCH)

    async def send(
        self,
        method: str,
        path: str,
        body: Json,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Send a write as it is; whether it may be sent is for `writer.py` to know."""
        return await self._request(method, path, params, body, content_type)

    async def watch(self, path: str, params: Mapping[str, str], silence: float) -> AsyncGenerator[list[Json]]:
        """Follow a watch; each item is the events that came together, the first one none: the server has accepted.

        Args:
            path: the collection.
            params: the query, without `watch`.
            silence: how many seconds without a byte mean that the connection is dead.
        """
        patience = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=silence)
        query = {**params, "watch": "true", "allowWatchBookmarks": "true"}
        async with self._stream(path, query, patience) as response:
            yield []
            async for several in lines(response.content.iter_any()):
                yield [parsed(line) for line in several]

    async def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Send a request, and read its answer as a whole.

        Nobody is followed elsewhere, for our credentials are for the API server.
        """
        data = None if body is None else written(body)
        with self._fares(), in_words():
            headers = self._connection.headers()
            if data is not None:
                headers["Content-Type"] = content_type
            with self._measured(method) as told:
                async with asyncio.timeout(REQUEST_TIMEOUT):
                    answer = await self._lines.ask(method, path, params, headers, data)
                told.append(answer.status)
            self._raise_if_refused(answer)
            read: Json = parsed(answer.body)
        return read

    @asynccontextmanager
    async def _stream(
        self, path: str, params: Mapping[str, str], patience: aiohttp.ClientTimeout | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask for something whose answer is read as it comes."""
        with in_words(), ExitStack() as asked:
            told = asked.enter_context(self._measured("GET"))
            async with self._session.get(
                self._connection.server + path,
                params=params,
                headers=self._connection.headers(),
                timeout=patience or aiohttp.ClientTimeout(REQUEST_TIMEOUT, sock_connect=5),
                allow_redirects=False,
            ) as response:
                told.append(response.status)
                asked.close()  # what follows may take as long as a watch
                if response.status >= REDIRECTION:
                    self._raise_if_refused(await whole(response))
                yield response

    @contextmanager
    def _measured(self, method: str) -> Iterator[list[int]]:
        """Count a request, and how long its answer took; the status code of that is to be put into the list."""
        told, begun = list[int](), time.monotonic()
        try:
            yield told
        finally:
            metrics.requests_of(str(told[0]) if told else "<error>", method, self._host).inc()
            metrics.request_seconds_of(method, self._host).observe(time.monotonic() - begun)

    @contextmanager
    def _fares(self) -> Iterator[None]:
        """Note how a request fares, in an outage and after it."""
        try:
            yield
        except Unreachable:
            self.outage.failed()
            raise
        except Refused as refusal:
            (self.outage.failed if refusal.is_passing else self.outage.answered)()
            raise
        self.outage.answered()

    def _raise_if_refused(self, answer: Answer) -> None:
        """Turn an answer that is no success into `Refused`."""
        if answer.status < REDIRECTION:
            return
        if answer.status == UNAUTHORIZED:
            self._connection.renew()
        try:
            status = parsed(answer.body)
        except orjson.JSONDecodeError:
            status = None
        if not isinstance(status, dict):  # not an API server's words but those of something before it
            status = {"message": answer.body.decode(errors="replace").strip()[:500]}
        raise Refused(answer.status, status, pause_asked_for(answer.headers))


@contextmanager
def in_words() -> Iterator[None]:
    """Turn whatever goes wrong on the way, or with an answer, into `Unreachable`."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
        raise Unreachable(describe(error)) from error


async def whole(response: aiohttp.ClientResponse) -> Answer:
    """Read an answer of aiohttp's to its end."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, await response.read())


async def read_up_to(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read a whole answer, unless it has more bytes than `most`.

    Raises:
        TooLarge: it has.
    """
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > most:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


def pause_asked_for(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110), by the server's own clock; None if there is none.

    Args:
        headers: by name in lower case.
    """
    text = headers.get("retry-after", "")
    if text.isdecimal() and len(text) < LONGEST_NUMBER:
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - parsedate_to_datetime(headers["date"])).total_seconds(), 0.0)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def describe(error: BaseException) -> str:
    """Put an error that may have no text into words."""
    return str(error) or ("it took too long" if isinstance(error, TimeoutError) else type(error).__name__)


def pods_path(namespace: str = "", name: str = "") -> str:
    """Give the path of a pod, of a namespace's pods, or of all pods."""
    return object_path("/api/v1", "pods", namespace, name)


def podgroups_path(namespace: str = "", name: str = "") -> str:
    """Give the path of a PodGroup, of a namespace's, or of all."""
    return object_path(f"/apis/{names.API_VERSION}", names.PLURAL, namespace, name)


def revisions_path(namespace: str = "", name: str = "") -> str:
    """Give the path of a revision, of a namespace's, or of all."""
    return object_path("/apis/apps/v1", "controllerrevisions", namespace, name)


def object_path(root: str, plural: str, namespace: str, name: str) -> str:
    """Put a path together."""
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{scope}/{plural}" + (f"/{name}" if name else "")

"""The Kubernetes API as the operator uses it: the only module that sends requests.

aiohttp and orjson, because a POST costs 85 us of CPU this way and 370 and more with the typed clients. Nothing
is retried here: whether a request may be sent again is for the caller to know. An answer is one of three:
a body, `Refused` (the server's Status), or `Unreachable` (no answer: the effect is unknown).
"""

import asyncio
import copy
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from podgroup_operator import __version__
from podgroup_operator.api.fence import Remaining, until_it_falls
from podgroup_operator.api.login import Connection
from podgroup_operator.api.sockets import connector
from podgroup_operator.core import names

Json = dict[str, Any]

WRITES_OF_A_GROUP = 32  # in flight; a small API server reaches its top rate here (reference measurements)
WRITES_IN_FLIGHT = 96  # of all; where one group's hang, perhaps in a webhook of its namespace, there is room for others
REQUEST_TIMEOUT = 35.0  # seconds; a webhook may take 30, and then the API server says which one it was
READ_BUFFER = 1 << 20  # bytes; a pod may be large

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE, UNPROCESSABLE = 401, 403, 404, 409, 410, 422
UNANSWERABLE = frozenset({UNAUTHORIZED, FORBIDDEN})  # to ask again is of no use before somebody has acted
SERVER_ERROR = 500  # and above: what was asked for may have been done all the same, or be done yet
# The server's verdict on the object itself; other refusals (quota, permission) are about the moment.
INVALID = frozenset({400, UNPROCESSABLE})


class Refused(Exception):
    """The API server said no; its text may be logged and told in Events, other than `message`.

    Attributes:
        code: the HTTP status code.
        reason: the machine-readable reason of the Status, such as AlreadyExists.
        message: the server's own words. Those on an invalid object quote what is in it, perhaps a password: they are
            for the object's own status.
        retry_after: seconds to wait, where the server says so.
        causes: the reasons of the Status's causes, such as NamespaceTerminating.
    """

    def __init__(self, code: int, status: Json, retry_after: float | None = None) -> None:
        self.code = code
        self.reason: str = status.get("reason") or ""
        self.message: str = status.get("message") or f"HTTP {code}"
        self.retry_after = retry_after
        causes = (status.get("details") or {}).get("causes") or ()
        self.causes = frozenset(cause.get("reason", "") for cause in causes)
        super().__init__(fields_of(status) or f"HTTP {code}" if code in INVALID else self.message)


def fields_of(status: Json) -> str:
    """Tell which fields the server holds to be invalid, and in what way, but not what is in them."""
    causes = (status.get("details") or {}).get("causes") or ()
    fields = [f"{cause['field']}: {cause.get('message', '').partition(':')[0]}" for cause in causes if "field" in cause]
    return ", ".join(fields) or status.get("reason") or ""


class Unreachable(Exception):
    """No answer came: the connection failed, was cut, or timed out. A write may or may not have happened."""


class NotLeading(Exception):
    """Nothing was sent: this operator may not write, for another one may lead."""


class Cluster:
    """A connection to one API server, used as an async context manager.

    Attributes:
        fence: asked right before each write; gives the seconds for which this operator may still write.
        unanswered: called when a write was sent of which it is not known whether it has been done, or will be.
        share: entered around each write.
    """

    def __init__(self, connection: Connection) -> None:
        self.fence: Remaining = lambda: math.inf
        self.unanswered: Callable[[], None] = lambda: None
        self.share: AbstractAsyncContextManager[None] = nullcontext()
        self._connection = connection
        self._writes = asyncio.Semaphore(WRITES_IN_FLIGHT)
        self._under_way: set[object] = set()
        self._still = asyncio.Event()
        self._still.set()
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=connector(self._connection.tls),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT, sock_connect=5),
            headers={"User-Agent": f"podgroup-operator/{__version__}", "Accept": "application/json"},
            read_bufsize=READ_BUFFER,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def fenced(self, remaining: Remaining, unanswered: Callable[[], None] = lambda: None) -> Self:
        """Give the same connection with a second fence, and with somebody to tell of unanswered writes."""
        view = copy.copy(self)
        view.fence = lambda: min(self.fence(), remaining())
        view.unanswered = unanswered
        return view

    def for_one_group(self) -> Self:
        """Give the same connection for the writes of one group, which may not take the room of all the others."""
        view = copy.copy(self)
        view.share = asyncio.Semaphore(WRITES_OF_A_GROUP)
        return view

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """Read an object or a list."""
        return await self._request("GET", path, params)

    async def create(self, path: str, body: Json, params: Mapping[str, str] | None = None) -> Json:
        """POST a new object."""
        return await self._write("POST", path, body, "application/json", params)

    async def patch(self, path: str, body: Json, content_type: str = MERGE_PATCH) -> Json:
        """PATCH an object or a subresource."""
        return await self._write("PATCH", path, body, content_type)

    async def ask(self, path: str, body: Json) -> Json:
        """POST what changes nothing, such as an access review; whoever does not lead may do so too."""
        return await self._request("POST", path, None, body)

    async def claim(self, method: str, path: str, body: Json) -> Json:
        """Write the Lease, by which leading begins: POST a new one or PATCH it."""
        return await self._request(method, path, None, body, "application/json" if method == "POST" else MERGE_PATCH)

    async def delete(self, path: str, uid: str, version: int | None = None) -> Json:
        """Delete the object that has this UID and, if given, is still at this resourceVersion, and no other."""
        preconditions: Json = {"uid": uid}
        if version is not None:
            preconditions["resourceVersion"] = str(version)
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        return await self._write("DELETE", path, body, "application/json")

    async def still(self, seconds: float) -> bool:
        """Wait until no write is under way; tell whether that is so within the time."""
        try:
            async with asyncio.timeout(seconds):
                await self._still.wait()
        except TimeoutError:
            return False
        return True

    async def watch(self, path: str, params: Mapping[str, str], silence: float) -> AsyncIterator[list[Json]]:
        """Follow a watch; each item is the events that came together, the first one none: the server has accepted.

        Args:
            path: the collection.
            params: the query, without `watch`.
            silence: how many seconds without a byte mean that the connection is dead.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=silence)
        query = {**params, "watch": "true", "allowWatchBookmarks": "true"}
        try:
            async with self._session.get(
                self._connection.server + path, params=query, headers=self._connection.headers(), timeout=timeout
            ) as response:
                await self._raise_if_refused(response)
                yield []
                rest = b""
                async for chunk in response.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield [orjson.loads(line) for line in lines if line]
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            raise Unreachable(describe(error)) from error

    async def _write(
        self, method: str, path: str, body: Json, content_type: str, params: Mapping[str, str] | None = None
    ) -> Json:
        async with self.share, self._writes:
            left = self.fence()
            if left <= 0:
                raise NotLeading
            request = object()
            self._under_way.add(request)
            self._still.clear()
            try:
                async with until_it_falls(left, self.fence):
                    return await self._request(method, path, params, body, content_type)
            except TimeoutError as error:
                self.unanswered()
                raise Unreachable("it took longer than this operator may write without asking again") from error
            except BaseException as error:
                if not isinstance(error, Refused) or error.code >= SERVER_ERROR:
                    self.unanswered()
                raise
            finally:
                self._under_way.discard(request)
                if not self._under_way:
                    self._still.set()

    async def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
    ) -> Json:
        data = None if body is None else orjson.dumps(body)
        url = self._connection.server + path
        timeout = aiohttp.ClientTimeout(REQUEST_TIMEOUT, sock_connect=5)
        try:
            headers = self._connection.headers()
            if data is not None:
                headers["Content-Type"] = content_type
            async with self._session.request(
                method, url, params=params, data=data, headers=headers, timeout=timeout
            ) as response:
                await self._raise_if_refused(response)
                answer: Json = orjson.loads(await response.read())
                return answer
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            raise Unreachable(describe(error)) from error

    async def _raise_if_refused(self, response: aiohttp.ClientResponse) -> None:
        """Turn an answer above 399 into `Refused`."""
        if response.ok:
            return
        if response.status == UNAUTHORIZED:
            self._connection.renew()
        text = await response.read()
        try:
            status = orjson.loads(text)
        except orjson.JSONDecodeError:
            status = None
        if not isinstance(status, dict):  # not an API server's words but those of something before it
            status = {"message": text.decode(errors="replace").strip()[:500]}
        retry_after = response.headers.get("Retry-After", "")
        raise Refused(response.status, status, float(retry_after) if retry_after.isdecimal() else None)


def describe(error: BaseException) -> str:
    """Put an error that may have no text into words."""
    return str(error) or ("it took too long" if isinstance(error, TimeoutError) else type(error).__name__)


def pods_path(namespace: str = "", name: str = "") -> str:
    """Give the path of a pod, of a namespace's pods, or of all pods."""
    return object_path("/api/v1", "pods", namespace, name)


def podgroups_path(namespace: str = "", name: str = "") -> str:
    """Give the path of a PodGroup, of a namespace's, or of all."""
    return object_path(f"/apis/{names.API_VERSION}", names.PLURAL, namespace, name)


def object_path(root: str, plural: str, namespace: str, name: str) -> str:
    """Put a path together."""
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{scope}/{plural}" + (f"/{name}" if name else "")

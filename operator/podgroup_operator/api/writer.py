"""Writing: the one door through which everything goes that changes something, the Lease apart.

Each write asks right before it is sent whether this operator may still write, and is given up when it may not any more.
A `Writer` belongs to one look at one group and carries the number of the tenure in which that look began: should
another operator lead meanwhile, what was decided before is not sent even if we lead again.

How much may be under way is limited, for a small API server reaches its top rate at some tens of requests. Where the
writes of one group or of one namespace hang, perhaps in a webhook of its own, there is room for those of others: each
has a share, and a write that is not answered within a second does not count towards the whole any more.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from podgroup_operator.api.cluster import MERGE_PATCH, Cluster
from podgroup_operator.api.fence import until_it_falls
from podgroup_operator.api.refusals import NotLeading, Unreachable

Json = dict[str, Any]

WRITES_OF_A_GROUP = 32
"""In flight; more of them make no API server faster."""

WRITES_OF_A_NAMESPACE = 64

WRITES_IN_FLIGHT = 96
"""Of all, those aside that have hung for longer than `HANGS`."""

HANGS = 1.0
"""Seconds after which a write waits for something other than the API server's own work."""

Key = tuple[str, ...]
"""Whose share: a namespace's, or a group's (namespace, name)."""


class Authority(Protocol):
    """Whether this operator may write in a namespace, and since when."""

    def tenure(self, namespace: str, /) -> int:
        """Give the number of the present time of leading there, or of the last one."""

    def remaining(self, namespace: str, /) -> float:
        """Give the seconds for which this operator may write there without asking again; 0 or less: it may not."""


class Unlimited:
    """An authority that never ends."""

    def tenure(self, _: str) -> int:
        """Give the only one there is."""
        return 0

    def remaining(self, _: str) -> float:
        """Give no limit."""
        return math.inf


class Writes:
    """All writes of this operator.

    Args:
        cluster: where they go.
        authority: asked right before each.
    """

    def __init__(self, cluster: Cluster, authority: Authority) -> None:
        self._cluster = cluster
        self._authority = authority
        self._closed = False
        self._room = asyncio.Semaphore(WRITES_IN_FLIGHT)
        self._shares: dict[Key, Share] = {}
        self._under_way: set[object] = set()
        self._still = asyncio.Event()
        self._still.set()

    def writer(self, namespace: str, group: str, *, last: bool = False) -> "Writer":
        """Give a writer of a group for what is decided from now on; what it tells last it may also when this closes."""
        return Writer(self, namespace, group, self._authority.tenure(namespace), last)

    def may_write(self, namespace: str) -> bool:
        """Tell whether this operator may write in a namespace now."""
        return not self._closed and self._authority.remaining(namespace) > 0

    def close(self) -> None:
        """Let nothing be sent from now on but what is told last."""
        self._closed = True

    async def still(self, seconds: float) -> bool:
        """Wait until no write is under way; tell whether that is so within the time."""
        try:
            async with asyncio.timeout(seconds):
                await self._still.wait()
        except TimeoutError:
            return False
        return True

    async def send(self, writer: "Writer", method: str, path: str, body: Json, **options: Any) -> Json:
        """Send one write, when there is room for it.

        Raises:
            NotLeading: it was not sent.
            Refused: the API server's no.
            Unreachable: there was no answer in time.
        """
        namespace, group = (writer.namespace,), (writer.namespace, writer.group)
        async with (
            self._share(group, WRITES_OF_A_GROUP),
            self._share(namespace, WRITES_OF_A_NAMESPACE),
            Place(self._room),
        ):
            left = self._remaining(writer)
            if (self._closed and not writer.last) or left <= 0:
                raise NotLeading
            request = object()
            self._under_way.add(request)
            self._still.clear()
            try:
                async with until_it_falls(left, partial(self._remaining, writer)):
                    return await self._cluster.send(method, path, body, **options)
            except TimeoutError as error:
                raise Unreachable("it took longer than this operator may write without asking again") from error
            finally:
                self._under_way.discard(request)
                if not self._under_way:
                    self._still.set()

    def _remaining(self, writer: "Writer") -> float:
        """Give the seconds for which a writer may write; none if another operator may have led since it was given."""
        same = writer.tenure == self._authority.tenure(writer.namespace)
        return self._authority.remaining(writer.namespace) if same else 0.0

    def _share(self, key: Key, most: int) -> "Share":
        """Give a group's or a namespace's share."""
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(most, partial(self._shares.pop, key))
        return share


class Share:
    """What one group or namespace may have under way: a context manager that waits for its turn.

    Args:
        most: how much.
        end: called by the last one who leaves.
    """

    def __init__(self, most: int, end: Callable[[], object]) -> None:
        self._room = asyncio.Semaphore(most)
        self._end = end
        self._users = 0

    async def __aenter__(self) -> None:
        self._users += 1
        try:
            await self._room.acquire()
        except BaseException:  # cancelled while it waited: it leaves without its turn
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._room.release()
        self._leave()

    def _leave(self) -> None:
        self._users -= 1
        if not self._users:
            self._end()


class Place:
    """One of the places of all: a context manager that leaves it after the write, or when that hangs."""

    def __init__(self, room: asyncio.Semaphore) -> None:
        self._room = room
        self._leave: asyncio.TimerHandle

    async def __aenter__(self) -> None:
        await self._room.acquire()
        self._leave = asyncio.get_running_loop().call_later(HANGS, self._room.release)

    async def __aexit__(self, *_: object) -> None:
        if asyncio.get_running_loop().time() < self._leave.when():
            self._leave.cancel()
            self._room.release()


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes of one group for as long as the tenure lasts in which it was asked for.

    Attributes:
        writes: through which they go.
        namespace: whose share they take.
        group: whose share of that.
        tenure: the number of the tenure.
        last: whether it is for what is told last.
    """

    writes: Writes
    namespace: str
    group: str
    tenure: int
    last: bool = False

    async def create(self, path: str, body: Json, params: Mapping[str, str] | None = None) -> Json:
        """POST a new object."""
        return await self.writes.send(self, "POST", path, body, params=params)

    async def patch(self, path: str, body: Json, content_type: str = MERGE_PATCH) -> Json:
        """PATCH an object or a subresource."""
        return await self.writes.send(self, "PATCH", path, body, content_type=content_type)

    async def delete(self, path: str, uid: str, version: int | None = None, grace: int | None = None) -> Json:
        """Delete the object that has this UID and, if given, is still at this resourceVersion, and no other.

        Args:
            path: where it lies.
            uid: its UID.
            version: its resourceVersion.
            grace: the seconds of grace, where they are not to be its own.
        """
        preconditions: Json = {"uid": uid}
        if version is not None:
            preconditions["resourceVersion"] = str(version)
        body: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        return await self.writes.send(self, "DELETE", path, body)

    async def evict(self, path: str, namespace: str, name: str, uid: str, version: int) -> Json:
        """Evict a pod, if it is this one at this resourceVersion, unless a PodDisruptionBudget forbids it."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid, "resourceVersion": str(version)}},
        }
        return await self.writes.send(self, "POST", f"{path}/eviction", body)

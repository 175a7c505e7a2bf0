"""The informer: a cache's supply line. It lists, then watches, and lists again when it must.

What comes in is reduced at once to what `read` keeps of it. A relist is a full replacement, so whatever
vanished unseen is noticed too. Trouble is expected: 410, 429, 5xx, 403, cut lines, ERROR events and silence
all end in another try, after a pause that grows to 20 seconds and is told in one log line.
"""

import asyncio
import gc
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from podgroup_operator.cluster import GONE, UNANSWERABLE, Cluster, Refused, Unreachable
from podgroup_operator.pulse import Pulse
from podgroup_operator.wire import version_of

Json = dict[str, Any]
Record = TypeVar("Record")

CHUNK = "500"  # objects a list request asks for
# The API server sends a bookmark only once a minute, so it is asked to end each watch sooner: to go on where one ended
# costs a request, and a watch that then neither ends nor says anything is a dead line.
WATCH_SECONDS = 20  # how long the server is asked to keep a watch open, and up to a fifth longer
SILENCE = 28.0  # seconds
RECONNECT_PAUSE = 0.05  # seconds between two watches, should a server close each at once
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)  # seconds between tries
LONGEST_PAUSE = 60.0  # seconds, whatever the server asks for

logger = logging.getLogger(__name__)


class Store(Protocol[Record]):
    """What an informer fills."""

    def replace(self, scope: str, records: list[Record], version: int) -> None:
        """Take a full list; what is not in it is gone."""

    def upsert(self, record: Record) -> None:
        """Take a new or changed object."""

    def remove(self, uid: str) -> None:
        """Forget an object that is gone, or that is no longer ours to look at."""

    def reached(self, scope: str, version: int) -> None:
        """Note that everything up to this resourceVersion has been delivered."""


class Informer(Generic[Record]):
    """Keeps a store equal to a collection of the API.

    Args:
        cluster: where to read.
        path: the collection.
        scope: the namespace that it covers; "" is all.
        read: reduces an object to a record; None means that it is of no interest.
        store: what is filled.
        permission: called when reading is forbidden, or our credentials are not accepted; says what is missing and
            returns when it is granted.
        trouble: told why nothing can be read, a sentence; "" when it can.

    Attributes:
        pulse: of its requests.
    """

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        scope: str,
        read: Callable[[Json], Record | None],
        store: Store[Record],
        permission: Callable[[], Awaitable[None]],
        trouble: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._path = path
        self._scope = scope
        self._read = read
        self._store = store
        self._permission = permission
        self._trouble = trouble
        self._failures = 0
        self._watching: asyncio.Future[int] | None = None
        self._refreshed: asyncio.Future[None] | None = None
        self.synced = asyncio.Event()
        self.pulse = Pulse(f"The watch of {path}")

    async def refresh(self) -> None:
        """List anew, and return when that is done: the store is then no older than this call."""
        if self._refreshed is None:
            self._refreshed = asyncio.get_running_loop().create_future()
            if self._watching:
                self._watching.cancel()
        await asyncio.shield(self._refreshed)

    async def run(self) -> None:
        """List and watch for ever."""
        while True:
            try:
                asked = self._refreshed
                version = await self._list()
                self._done(asked)
                while version:
                    version = await self._follow(version)
            except (Refused, Unreachable) as error:
                await self._pause(error)
                if isinstance(error, Refused) and error.code in UNANSWERABLE:
                    self.pulse.rest()
                    await self._permission()

    def _done(self, asked: "asyncio.Future[None] | None") -> None:
        """Tell those who asked for a refresh before the list was begun."""
        if asked:
            asked.set_result(None)
            self._refreshed = None

    async def _follow(self, version: int) -> int:
        """Watch until the watch ends, or a refresh is asked for; give the version to go on from, 0 for a new list."""
        if self._refreshed:
            return 0
        self._watching = asyncio.ensure_future(self._watch(version))
        try:
            return await self._watching
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._refreshed and not (task and task.cancelling()):  # it is the watch that was ended, not we
                return 0
            raise
        finally:
            self._watching = None

    async def _list(self) -> int:
        records: list[Record] = []
        params = {"limit": CHUNK}
        while True:
            self.pulse.beat()
            page = await self._cluster.get(self._path, params)
            records += [record for item in page.get("items") or () if (record := self._read(item)) is not None]
            token = page["metadata"].get("continue")
            if not token:
                break
            params = {"limit": CHUNK, "continue": token}
        version = version_of(page)
        self._store.replace(self._scope, records, version)
        self._trouble("")
        if not self.synced.is_set():
            gc.freeze()  # what was read now stays: keep the collector from walking it again and again
        self.synced.set()
        return version

    async def _watch(self, version: int) -> int:
        """Follow one watch to its end; give the version to go on from, 0 if a new list is needed."""
        seconds = WATCH_SECONDS * random.uniform(1, 1.2)  # noqa: S311 - spreads reconnects, protects nothing
        params = {"resourceVersion": str(version), "timeoutSeconds": str(int(seconds))}
        self.pulse.beat()
        try:
            async for events in self._cluster.watch(self._path, params, SILENCE):
                if not events:
                    self._trouble("")
                for event in events:
                    if event["type"] == "ERROR":
                        return self._broken(event["object"])
                    version = self._take(event["type"], event["object"])
                    self._failures = 0
        except Refused as refusal:
            if refusal.code == GONE:  # the version is too old to resume from
                return 0
            raise
        except Unreachable as error:
            await self._pause(error)
        await asyncio.sleep(RECONNECT_PAUSE)
        return version

    def _take(self, kind: str, body: Json) -> int:
        version = version_of(body)
        if kind != "BOOKMARK":
            record = self._read(body)
            if kind == "DELETED" or record is None:
                self._store.remove(body["metadata"]["uid"])
            else:
                self._store.upsert(record)
        self._store.reached(self._scope, version)
        return version

    def _broken(self, status: Mapping[str, Any]) -> int:
        if status.get("code") != GONE:  # which is everyday life: list again, and say nothing
            raise Refused(int(status.get("code") or 500), dict(status))
        return 0

    async def _pause(self, error: Exception) -> None:
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)] * random.uniform(0.5, 1)  # noqa: S311 - jitter
        if isinstance(error, Refused) and error.retry_after:
            pause = min(max(pause, error.retry_after), LONGEST_PAUSE)
        self._failures += 1
        if self._failures > 1:
            logger.warning("Cannot read %s: %s Trying again in %.1f s.", self._path, sentence(str(error)), pause)
            self._trouble(unreadable(self._path, str(error)))
        await asyncio.sleep(pause)


def unreadable(what: str, why: str) -> str:
    """Say for /readyz what cannot be read, and why."""
    return f"{what} cannot be read: {sentence(why)} It is tried again."


def sentence(text: str) -> str:
    """End an error's text with a full stop."""
    return f"{text.rstrip('.')}."

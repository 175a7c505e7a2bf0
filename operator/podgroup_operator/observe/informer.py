"""The informer: a cache's supply line. It lists, then watches, and lists again when it must.

What comes in is reduced at once to what `read` keeps of it. A relist is a full replacement, so whatever
vanished unseen is noticed too. Trouble is expected: 410, 429, 5xx, 403, cut lines, ERROR events and silence
all end in another try, after a pause that grows to 20 seconds and is told in one log line.
"""

import asyncio
import gc
import logging
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from podgroup_operator.api.cluster import GONE, UNANSWERABLE, Cluster, Refused, Unreachable
from podgroup_operator.api.restored import not_older
from podgroup_operator.api.wire import version_of
from podgroup_operator.observe.pulse import Pulse

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
        self._version = 0  # up to which the store is complete; 0 is not known, so a list is needed
        self._newest = 0  # the newest version that was ever seen
        self._cut = False  # the last watch did not end as it should
        self._watching: asyncio.Future[None] | None = None
        self._listing = asyncio.Lock()
        self._listed = -math.inf  # when the last list that was finished was begun
        self.synced = asyncio.Event()
        self.pulse = Pulse(f"The watch of {path}")

    async def refresh(self) -> None:
        """Return when the store is no older than this call: a list tells how far it must be, and the watch goes on.

        Those who call while others' list is under way share the next one.
        """
        called = asyncio.get_running_loop().time()
        async with self._listing:
            while self._listed < called:
                try:
                    await self._list()
                except (Refused, Unreachable) as error:
                    await self._rest(error)

    async def run(self) -> None:
        """List and watch for ever."""
        while True:
            try:
                async with self._listing:
                    self._version = 0
                    await self._list()
                while self._version:
                    await self._follow()
            except (Refused, Unreachable) as error:
                await self._rest(error)

    async def _follow(self) -> None:
        """Watch until the watch ends, or a list has told more."""
        self._watching = asyncio.ensure_future(self._watch())
        try:
            await self._watching
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():  # it is we who are ended, not only the watch
                raise
        finally:
            self._watching = None

    async def _list(self) -> None:
        """Make the store as new as a list, by the list itself where the watch does not come so far before its end."""
        begun, records, params = asyncio.get_running_loop().time(), list[Record](), {"limit": CHUNK}
        while True:
            version, token, page = await self._page(params)
            if self._version >= version:
                break
            records += page
            if not token:
                self._replace(records, version)
                break
            params = {"limit": CHUNK, "continue": token}
        self._listed = begun
        self._trouble("")

    async def _page(self, params: Mapping[str, str]) -> tuple[int, str, list[Record]]:
        """Ask for one page of a list, and keep of its objects, which are large, only the records.

        Raises:
            Restored: a new list is older than what was known before.
        """
        self.pulse.beat()
        known = 0 if "continue" in params else self._newest
        page = await self._cluster.get(self._path, params)
        not_older(self._path, known, version_of(page))
        records = [record for item in page.get("items") or () if (record := self._read(item)) is not None]
        return version_of(page), page["metadata"].get("continue") or "", records

    def _replace(self, records: list[Record], version: int) -> None:
        self._store.replace(self._scope, records, version)
        self._version = self._newest = version
        if self._watching:  # it is behind, perhaps dead: it goes on from here
            self._watching.cancel()
        if not self.synced.is_set():
            gc.freeze()  # what was read now stays: keep the collector from walking it again and again
        self.synced.set()

    async def _watch(self) -> None:
        """Follow one watch to its end."""
        seconds = WATCH_SECONDS * random.uniform(1, 1.2)  # noqa: S311 - spreads reconnects, protects nothing
        params = {"resourceVersion": str(self._version), "timeoutSeconds": str(int(seconds))}
        self.pulse.beat()
        try:
            if self._cut:  # a server that was away may come back with another history, and then a watch is silent
                await self._page({"limit": "1"})
                self._cut = False
            async for events in self._cluster.watch(self._path, params, SILENCE):
                if not events:
                    self._trouble("")
                for event in events:
                    self._take(event["type"], event["object"])
        except Refused as refusal:
            if refusal.code != GONE:
                raise
            self._version = 0  # which is everyday life: list again, and say nothing
            return
        except Unreachable as error:
            self._cut = True
            await self._pause(error)
        await asyncio.sleep(RECONNECT_PAUSE)

    def _take(self, kind: str, body: Json) -> None:
        if kind == "ERROR":
            raise Refused(int(body.get("code") or 500), body)
        self._failures = 0
        if kind != "BOOKMARK":
            record = self._read(body)
            if kind == "DELETED" or record is None:
                self._store.remove(body["metadata"]["uid"])
            else:
                self._store.upsert(record)
        self._version = self._newest = version_of(body)
        self._store.reached(self._scope, self._version)

    async def _rest(self, error: Refused | Unreachable) -> None:
        """Wait until another try is worth while."""
        await self._pause(error)
        if isinstance(error, Refused) and error.code in UNANSWERABLE:
            self.pulse.rest()
            await self._permission()

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

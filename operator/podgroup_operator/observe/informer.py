"""The informer: a cache's supply line. It lists, then watches, and lists again when it must.

What comes in is reduced at once to what `read` keeps of it. A relist is a full replacement, so whatever
vanished unseen is noticed too. Trouble is expected: 410, 429, 5xx, 403, cut lines, ERROR events and silence
all end in another try, after a pause that grows to 20 seconds and is told in one log line. An object that cannot be
read is left out, told of once, and touches no other.

A list comes in pages of as many objects as there is room for: a page that is too large is given up in the middle and
asked for again with half as many, and while pages are small they grow. So a list needs a few MiB, whatever is in it.
"""

import asyncio
import gc
import logging
import math
import random
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from podgroup_operator.api import oddities
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.fields import Fields
from podgroup_operator.api.refusals import GONE, SERVER_ERROR, UNANSWERABLE, Refused, TooLarge, Unreachable
from podgroup_operator.api.restored import not_older
from podgroup_operator.api.wire.metadata import full_name, version_of
from podgroup_operator.backoff import Backoff
from podgroup_operator.observe.pulse import Pulse

Json = dict[str, Any]
Record = TypeVar("Record")

FIRST_PAGE = 50  # objects that the first list request asks for
MOST_OBJECTS = 500  # that any asks for
ROOM = 2 << 20  # bytes of a page; more are asked for in smaller ones, down to one object, whatever its size
BREATH = 50  # objects that are read before others have their turn
# The API server sends a bookmark only once a minute, so it is asked to end each watch sooner: to go on where one ended
# costs a request, and a watch that then neither ends nor says anything is a dead line.
WATCH_SECONDS = 20  # how long the server is asked to keep a watch open, and up to a fifth longer
SILENCE = 28.0  # seconds
RECONNECT_PAUSE = 0.05  # seconds between two watches, should a server close each at once
FIRST_PAUSE = 0.1  # seconds between tries, doubled each time
LONGEST_PAUSE = 20.0  # seconds
LONGEST_PAUSE_AWAY = 5.0  # seconds, while the API server itself is ill
LONGEST_WAIT = 60.0  # seconds, whatever the server asks for
TOO_SOON = 10.0  # seconds after a list in which its version cannot have become too old by itself

logger = logging.getLogger(__name__)


class Store(Protocol[Record]):
    """What an informer fills."""

    def replace(self, scope: str, records: list[Record], version: int) -> None:
        """Take a full list; what is not in it is gone."""

    def foresee(self, uids: Iterable[str]) -> bool:
        """Tell of objects that are about to be taken as deleted; say whether that has set anything going."""

    def upsert(self, record: Record, *, born: bool = False) -> None:
        """Take an object that changes, or comes into being, just now."""

    def remove(self, uid: str) -> None:
        """Forget an object that is gone, or that is no longer ours to look at."""

    def reached(self, scope: str, version: int) -> None:
        """Note that everything up to this resourceVersion has been delivered."""


class Collection(NamedTuple):
    """What an informer reads.

    Attributes:
        path: where it lies.
        scope: the namespace that it covers; "" is all.
        label: which all objects of interest bear; "" is any.
    """

    path: str
    scope: str
    label: str = ""


class Informer(Generic[Record]):
    """Keeps a store equal to a collection of the API.

    Args:
        cluster: where to read.
        what: the collection.
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
        what: Collection,
        read: Callable[[Json], Record | None],
        store: Store[Record],
        permission: Callable[[], Awaitable[None]],
        trouble: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._path, self._scope = what.path, what.scope
        self._selected = {"labelSelector": what.label} if what.label else {}
        self._read = read
        self._store = store
        self._permission = permission
        self._trouble = trouble
        self._failures = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        self._refusals = Backoff(FIRST_PAUSE, LONGEST_PAUSE)  # of watches that were to begin where a list had ended
        self._limit = FIRST_PAGE
        self._version = 0  # up to which the store is complete; 0 is not known, so a list is needed
        self._newest = 0  # the newest version that was ever seen
        self._cut = False  # the last watch did not end as it should
        self._watching: asyncio.Future[None] | None = None
        self._listing = asyncio.Lock()
        self._begun = self._listed = 0  # the numbers of the last list that was begun, and that was finished
        self._listed_at = -math.inf  # when that was begun
        self.synced = asyncio.Event()
        self.pulse = Pulse(f"The watch of {what.path}")

    async def refresh(self) -> None:
        """Return when the store is no older than this call: a list tells how far it must be, and the watch goes on.

        Those who call while others' list is under way share the next one.
        """
        called = self._begun  # a number, for the time of a loop stands still for a millisecond and longer
        async with self._listing:
            while self._listed <= called:
                try:
                    await self._list(first=1)  # which says how far; often the watch has come so far
                except (Refused, Unreachable) as error:
                    await self._rest(error, self._failures)

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
                await self._rest(error, self._failures)

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

    async def _list(self, first: int = 0) -> None:
        """Make the store as new as a list, by the list itself where the watch does not come so far before its end.

        Args:
            first: how many objects the first page has; 0 is as many as there is room for.
        """
        self._begun += 1
        begun, records, token, known = asyncio.get_running_loop().time(), list[Record](), "", self._newest
        while True:
            page = await self._page(token, first)
            not_older(self._path, known, page.version)
            if self._version >= page.version:
                break
            records += page.records
            if not page.token:
                self._replace(records, page.version)
                break
            token, first, known = page.token, 0, 0
        self._listed, self._listed_at = self._begun, begun
        self._failures.reset()
        self._trouble("")

    async def _page(self, token: str, limit: int = 0) -> "Page[Record]":
        """Ask for one page of a list, and keep of its objects, which are large, only the records."""
        while True:
            asked = limit or self._limit
            self.pulse.beat()
            params = self._selected | {"limit": str(asked)} | ({"continue": token} if token else {})
            try:
                body, size = await self._cluster.page(self._path, params, ROOM if asked > 1 else sys.maxsize)
                break
            except TooLarge:
                self._limit = max(asked // 2, 1)
        if not limit and size <= ROOM // 2:
            self._limit = min(asked * 2, MOST_OBJECTS)
        fields = Fields(body)
        if not fields.map("metadata").text("resourceVersion"):
            raise Unreachable("the answer is no list")
        records = []
        for number, item in enumerate(fields.maps("items")):
            if number % BREATH == 0:
                await asyncio.sleep(0)
            if (record := self._keep(item.value)) is not None:
                records.append(record)
        return Page(version_of(body), fields.map("metadata").text("continue"), records)

    def _keep(self, body: Json) -> Record | None:
        """Reduce an object to a record; one that raises all the same is left out, for it must not touch the others."""
        try:
            return self._read(body)
        except Exception as error:  # noqa: BLE001 - whatever stands in somebody's object
            oddities.note(self._path, full_name(Fields(body).map("metadata")), error=error)
            return None

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
        version, patience = str(self._version), str(int(seconds))
        params = self._selected | {"resourceVersion": version, "timeoutSeconds": patience}
        self.pulse.beat()
        try:
            if self._cut:  # a server that was away may come back with another history, and then a watch is silent
                not_older(self._path, self._newest, (await self._page("", 1)).version)
                self._cut = False
            async with aclosing(self._cluster.watch(self._path, params, SILENCE)) as stream:
                async for events in stream:
                    if not events:
                        self._trouble("")
                    if self._store.foresee({uid for event in events if (uid := dying(event))}):
                        await asyncio.sleep(0)  # it goes while this is read
                    for event in events:
                        self.take(event)
        except Refused as refusal:
            await self._begin_anew(refusal)
            return
        except Unreachable as error:
            self._cut = True
            await self._pause(error, self._failures)
        await asyncio.sleep(RECONNECT_PAUSE)

    async def _begin_anew(self, refusal: Refused) -> None:
        """Have all listed again; a version that is too old is everyday life, unless it was listed a moment ago."""
        self._version = 0
        if asyncio.get_running_loop().time() - self._listed_at > TOO_SOON:
            self._refusals.reset()
            if refusal.code == GONE:
                return
        await self._rest(refusal, self._refusals)

    def take(self, event: object) -> None:
        """Take an event of the watch, whatever it is.

        Raises:
            Refused: the watch is over.
        """
        fields = Fields(event)
        kind, body = fields.text("type"), fields.map("object")
        if kind == "ERROR":
            raise Refused(body.number("code") or SERVER_ERROR, body.value)
        self._failures.reset()
        if kind != "BOOKMARK":
            record = self._keep(body.value)
            if kind != "DELETED" and record is not None:
                self._store.upsert(record, born=kind == "ADDED")
            elif uid := body.map("metadata").text("uid"):
                self._store.remove(uid)
        if version := version_of(body.value):
            self._version = self._newest = version
            self._store.reached(self._scope, version)

    async def _rest(self, error: Refused | Unreachable, backoff: Backoff) -> None:
        """Wait until another try is worth while."""
        await self._pause(error, backoff)
        if isinstance(error, Refused) and error.code in UNANSWERABLE:
            self.pulse.rest()
            await self._permission()

    async def _pause(self, error: Refused | Unreachable, backoff: Backoff) -> None:
        pause = backoff.next()
        if error.is_passing:
            pause = min(pause, LONGEST_PAUSE_AWAY)
        if isinstance(error, Refused) and error.retry_after:
            pause = min(max(pause, error.retry_after), LONGEST_WAIT)
        if backoff.tries > 1:
            logger.warning("Cannot read %s: %s Trying again in %.1f s.", self._path, sentence(str(error)), pause)
            self._trouble(unreadable(self._path, str(error)))
        await asyncio.sleep(pause)


def dying(event: object) -> str:
    """Give the UID of an object that is gone or being deleted; "" if it is neither."""
    fields = Fields(event)
    metadata = fields.map("object").map("metadata")
    ends = fields.text("type") == "DELETED" or metadata.raw("deletionTimestamp")
    return metadata.text("uid") if ends else ""


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """A page of a list.

    Attributes:
        version: of the whole list.
        token: for the next page; "" after the last one.
        records: what is kept of its objects.
    """

    version: int
    token: str
    records: list[Record]


def unreadable(what: str, why: str) -> str:
    """Say for /readyz what cannot be read, and why."""
    return f"{what} cannot be read: {sentence(why)} It is tried again."


def sentence(text: str) -> str:
    """End an error's text with a full stop."""
    return f"{text.rstrip('.')}."

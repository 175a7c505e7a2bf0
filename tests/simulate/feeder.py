"""kopf's stand-in: it lists and watches PodGroups and tells of them as kopf does, weaknesses included.

When it has to list again it tells of every PodGroup that exists, and never of those that vanished meanwhile; each
PodGroup has a queue of its own, so news of two may change places, and news of one that come together are told as one.
Where it is forbidden to read, or its credentials are not accepted, it ends, and is started again.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from podgroup_operator.api.cluster import podgroups_path
from podgroup_operator.api.refusals import GONE, UNANSWERABLE
from podgroup_operator.observe.frame import EndlessBackoffs
from podgroup_operator.observe.informer import SILENCE, WATCH_SECONDS, unreadable
from podgroup_operator.observe.pulse import Pulse
from podgroup_operator.observe.supervisor import ENDED, RESTART_PAUSE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from podgroup_operator.api.login import Connection

Json = dict[str, Any]

RECONNECT_PAUSE = 0.1
"""Seconds between two watches (kopf's `watching.reconnect_backoff`)."""

HANDOVER = 0.02
"""Seconds that news of one PodGroup may take within kopf."""


class Ended(Exception):
    """kopf has given up."""


class Feeder:
    """Stands in for `observe.supervisor.Supervisor`, whose arguments it takes."""

    def __init__(
        self,
        connection: Connection,
        listed: Callable[[str], None],
        seen: Callable[[Json, bool], None],
        trouble: Callable[[str], None],
        prepare: Callable[[], Awaitable[Sequence[str]]],
    ) -> None:
        self._server = connection.server
        self._listed = listed
        self._seen = seen
        self._trouble = trouble
        self._prepare = prepare
        self._waiting: dict[str, tuple[Json, bool]] = {}
        self._again = asyncio.Event()
        self.namespaces: Sequence[str] = ()
        self.following = asyncio.Event()
        self.pulse = Pulse("The watch of PodGroups")

    def again(self) -> None:
        """Begin again: there are other namespaces to follow."""
        self._again.set()

    async def run(self) -> None:
        """Run kopf for ever."""
        while True:
            self.namespaces = await self._prepare()
            self._again.clear()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._end_to_begin_again())
                    for namespace in self.namespaces or ("",):
                        tasks.create_task(self._follow(namespace))
                    self.following.set()
            except* Ended:
                if not self._again.is_set():
                    self._trouble(ENDED)
                    await asyncio.sleep(RESTART_PAUSE)
            finally:
                self.following.clear()
                self.pulse.rest()

    async def _end_to_begin_again(self) -> None:
        await self._again.wait()
        raise Ended

    async def _follow(self, namespace: str) -> None:
        """List, then watch from there; list again when the watch cannot go on."""
        path = podgroups_path(namespace)
        async with aiohttp.ClientSession() as session:
            while True:
                version = await self._list(session, path, namespace)
                pauses = iter(EndlessBackoffs())
                while version:
                    worked, version = await self._watch(session, path, version)
                    pauses = iter(EndlessBackoffs()) if worked else pauses
                    await asyncio.sleep(RECONNECT_PAUSE if worked else next(pauses))

    async def _list(self, session: aiohttp.ClientSession, path: str, namespace: str) -> str:
        for pause in EndlessBackoffs():
            self.pulse.beat()
            try:
                async with session.get(self._server + path) as response:
                    self._note(response.status)
                    if response.ok:
                        body = orjson.loads(await response.read())
                        self._listed(namespace)
                        for item in body["items"]:
                            self._tell(item, gone=False)
                        return str(body["metadata"]["resourceVersion"])
            except (aiohttp.ClientError, TimeoutError) as error:
                self._trouble(unreadable("PodGroups", str(error)))
            await asyncio.sleep(pause)
        raise AssertionError("the pauses never end")

    async def _watch(self, session: aiohttp.ClientSession, path: str, version: str) -> tuple[bool, str]:
        """Follow one watch to its end; tell whether it could be had, and the version to go on from, "" if none."""
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
        limits = aiohttp.ClientTimeout(total=None, sock_read=SILENCE)
        self.pulse.beat()
        try:
            async with session.get(self._server + path, params=query, timeout=limits) as response:
                self._note(response.status)
                if not response.ok:
                    return response.status == GONE, "" if response.status == GONE else version
                async for line in response.content.iter_any():
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        return True, self._erred(event["object"]["code"])
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._tell(event["object"], gone=event["type"] == "DELETED")
        except (aiohttp.ClientError, TimeoutError) as error:
            self._trouble(unreadable("PodGroups", str(error)))
            return False, version
        return True, version

    def _note(self, status: int) -> None:
        """Tell how a request for PodGroups fared."""
        if status < 400:
            self._trouble("")
        elif status != GONE:
            self._trouble(unreadable("PodGroups", f"HTTP {status}"))
        if status in UNANSWERABLE:
            raise Ended

    def _erred(self, code: int) -> str:
        if code != GONE:
            raise Ended
        return ""

    def _tell(self, body: Json, *, gone: bool) -> None:
        """Put news into the PodGroup's queue; what waits there already is replaced, a deletion's news apart."""
        uid = body["metadata"]["uid"]
        if uid not in self._waiting:
            asyncio.get_running_loop().call_later(random.uniform(0, HANDOVER), self._hand_over, uid)  # noqa: S311
        self._waiting[uid] = body, gone

    def _hand_over(self, uid: str) -> None:
        self._seen(*self._waiting.pop(uid))

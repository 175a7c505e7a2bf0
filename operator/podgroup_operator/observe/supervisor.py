"""kopf kept running: in a thread of its own, started again whenever it ends.

kopf ends when its watch meets an error that it holds to be final (an ERROR event, the CRD deleted), and when it ends it
cancels every task of its event loop. Neither must touch us: so it has a thread and a loop of its own, what it tells is
handed over to ours in order, and it is started again after the same checks as at the beginning. A kopf that runs cannot
be told of other namespaces: it is started again with those that can be read.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from podgroup_operator.api.login import Connection
from podgroup_operator.backoff import Backoff
from podgroup_operator.observe.pulse import Pulse

if TYPE_CHECKING:
    from podgroup_operator.observe.frame import News

STOP_SECONDS = 3.0  # that kopf has to end when told to
RESTART_PAUSE = 1.0  # seconds before kopf is started again, longer each time that it does not last
LONGEST_RESTART_PAUSE = 20.0  # seconds; a kopf that has worked longer than this has lasted
ENDED = "The watch of PodGroups has ended; it is started again."

Json = dict[str, Any]

logger = logging.getLogger(__name__)


def follow(connection: Connection, namespaces: Sequence[str], news: "News", stop: threading.Event) -> None:
    """Run kopf in this thread until it ends; it is heavy, and imported here so that nothing else waits for it."""
    from podgroup_operator.observe.frame import Frame  # noqa: PLC0415 - see above

    Frame(connection, namespaces, news, stop).run()


class Supervisor:
    """Keeps kopf's watch of PodGroups alive.

    Args:
        connection: the API server.
        listed: told that all PodGroups of a namespace, of all if it is "", are about to be told of, for they have been
            listed anew.
        seen: told of a PodGroup's state, and whether it was its last.
        trouble: told why PodGroups cannot be read, a sentence; "" when they can.
        prepare: returns when all that kopf needs is there; gives the namespaces to follow, none for all.

    Attributes:
        namespaces: those that are followed.
        following: set while they are.
        pulse: of kopf's requests.
    """

    def __init__(
        self,
        connection: Connection,
        listed: Callable[[str], None],
        seen: Callable[[Json, bool], None],
        trouble: Callable[[str], None],
        prepare: Callable[[], Awaitable[Sequence[str]]],
    ) -> None:
        self._connection = connection
        self._listed = listed
        self._seen = seen
        self._trouble = trouble
        self._prepare = prepare
        self._stop = threading.Event()
        self._again = False
        self.namespaces: Sequence[str] = ()
        self.following = asyncio.Event()
        self.pulse = Pulse("The watch of PodGroups")

    def again(self) -> None:
        """Begin again: there are other namespaces to follow."""
        self._again = True
        self._stop.set()

    async def run(self) -> None:
        """Run kopf for ever."""
        pauses = Backoff(RESTART_PAUSE, LONGEST_RESTART_PAUSE)
        while True:
            self.namespaces = await self._prepare()
            self._again, started = False, time.monotonic()
            await self._run_once(self.namespaces)
            if self._again:
                continue
            logger.warning("%s", ENDED)
            self._trouble(ENDED)
            if time.monotonic() - started > LONGEST_RESTART_PAUSE:
                pauses.reset()
            await asyncio.sleep(pauses.next())

    async def _run_once(self, namespaces: Sequence[str]) -> None:
        """Run kopf until it ends; if we are cancelled, end it. A kopf that hangs is left behind."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        stop = self._stop = threading.Event()

        def run() -> None:
            follow(self._connection, namespaces, self._news(loop), stop)
            with contextlib.suppress(RuntimeError):  # our own loop may be closed already
                loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=run, name="kopf", daemon=True).start()
        self.following.set()
        try:
            await ended.wait()
        finally:
            self.following.clear()
            stop.set()
            self.pulse.rest()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), STOP_SECONDS)

    def _news(self, loop: asyncio.AbstractEventLoop) -> "News":
        """Hand what kopf tells over from its thread to ours, in order."""

        def listed(namespace: str) -> None:
            loop.call_soon_threadsafe(self._listed, namespace)

        def seen(body: Json, gone: bool) -> None:  # noqa: FBT001 - a fact, not a switch
            loop.call_soon_threadsafe(self._seen, body, gone)

        def trouble(what: str) -> None:
            loop.call_soon_threadsafe(self._trouble, what)

        from podgroup_operator.observe.frame import News  # noqa: PLC0415 - in kopf's thread, see `follow`

        return News(listed, seen, self.pulse.beat, trouble)

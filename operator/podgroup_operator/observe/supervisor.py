"""kopf kept running: in a thread of its own, started again whenever it ends.

kopf ends when its watch meets an error that it holds to be final (an ERROR event, the CRD deleted), and when it ends it
cancels every task of its event loop. Neither must touch us: so it has a thread and a loop of its own, what it tells is
handed over to ours in order, and it is started again after the same checks as at the beginning.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from podgroup_operator.api.login import Connection
from podgroup_operator.observe.frame import Frame, News
from podgroup_operator.observe.pulse import Pulse

STOP_SECONDS = 3.0  # that kopf has to end when told to
RESTART_PAUSE = 1.0  # seconds before kopf is started again, doubled each time that it does not last
LONGEST_RESTART_PAUSE = 20.0  # seconds; a kopf that has worked longer than this has lasted
ENDED = "The watch of PodGroups has ended; it is started again."

Json = dict[str, Any]

logger = logging.getLogger(__name__)


class Supervisor:
    """Keeps kopf's watch of PodGroups alive.

    Args:
        connection: the API server.
        namespaces: those that are served; empty is all.
        listed: told that all PodGroups are about to be told of, for they have been listed anew.
        seen: told of a PodGroup's state, and whether it was its last.
        trouble: told why PodGroups cannot be read, a sentence; "" when they can.
        prepare: returns when all that kopf needs is there.

    Attributes:
        pulse: of kopf's requests.
    """

    def __init__(
        self,
        connection: Connection,
        namespaces: Sequence[str],
        listed: Callable[[], None],
        seen: Callable[[Json, bool], None],
        trouble: Callable[[str], None],
        prepare: Callable[[], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._namespaces = namespaces
        self._listed = listed
        self._seen = seen
        self._trouble = trouble
        self._prepare = prepare
        self.pulse = Pulse("The watch of PodGroups")

    async def run(self) -> None:
        """Run kopf for ever."""
        pause = RESTART_PAUSE
        while True:
            started = time.monotonic()
            await self._run_once()
            logger.warning("%s", ENDED)
            self._trouble(ENDED)
            if time.monotonic() - started > LONGEST_RESTART_PAUSE:
                pause = RESTART_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RESTART_PAUSE)
            await self._prepare()

    async def _run_once(self) -> None:
        """Run kopf until it ends; if we are cancelled, end it. A kopf that hangs is left behind."""
        loop, stop, ended = asyncio.get_running_loop(), threading.Event(), asyncio.Event()
        frame = Frame(self._connection, self._namespaces, self._news(loop), stop)

        def run() -> None:
            frame.run()
            with contextlib.suppress(RuntimeError):  # our own loop may be closed already
                loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=run, name="kopf", daemon=True).start()
        try:
            await ended.wait()
        finally:
            stop.set()
            self.pulse.rest()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), STOP_SECONDS)

    def _news(self, loop: asyncio.AbstractEventLoop) -> News:
        """Hand what kopf tells over from its thread to ours, in order."""

        def listed() -> None:
            loop.call_soon_threadsafe(self._listed)

        def seen(body: Json, gone: bool) -> None:  # noqa: FBT001 - a fact, not a switch
            loop.call_soon_threadsafe(self._seen, body, gone)

        def trouble(what: str) -> None:
            loop.call_soon_threadsafe(self._trouble, what)

        return News(listed, seen, self.pulse.beat, trouble)

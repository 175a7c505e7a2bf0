"""Looks under way: one task for each group that is looked at, so that none waits for another.

A look waits for the network, and one behind a webhook that hangs may do so for half a minute. How much is asked of the
API server at once is limited where it is asked (`api/writer.py`, `reconcile.py`), not here.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from itertools import count

from podgroup_operator import metrics
from podgroup_operator.api.refusals import NotLeading, Refused, Unreachable
from podgroup_operator.api.restored import Restored
from podgroup_operator.backoff import Backoff
from podgroup_operator.tell.loglines import LOOK
from podgroup_operator.workqueue import Key, WorkQueue

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds before a look that raised is repeated

logger = logging.getLogger(__name__)


class Looks:
    """Has groups looked at.

    Args:
        look: looks at a group; gives the seconds after which to look again, if time matters.
        is_open: tells whether groups of a namespace may be looked at now.
    """

    def __init__(self, look: Callable[[Key], Awaitable[float | None]], is_open: Callable[[str], bool]) -> None:
        self._look_at = look
        self._is_open = is_open
        self._queue = WorkQueue()
        self._pauses: dict[Key, Backoff] = {}
        self._unanswered: dict[Key, float] = {}  # until when groups wait of which nothing could be read twice in a row
        self._under_way: set[asyncio.Task[None]] = set()
        self._closed = False
        self._numbers = count(1)

    def __len__(self) -> int:
        """Count the groups that wait."""
        return len(self._queue)

    def unfinished(self) -> list[float]:
        """Give for how many seconds each look has been under way that is."""
        return self._queue.unfinished(time.monotonic())

    def add(self, key: Key) -> None:
        """Have a group looked at as soon as may be; news of one of which the API server tells nothing hasten nothing.

        Where the door is shut nothing is kept: all groups are added when it opens.
        """
        wait = self._unanswered.get(key, 0.0) - time.monotonic()
        if wait > 0:
            self.add_after(key, wait)
        elif self._may_look(key):
            self._queue.add(key)

    def add_after(self, key: Key, delay: float) -> None:
        """Have a group looked at in so many seconds at the latest."""
        if self._may_look(key):
            self._queue.add_after(key, delay)

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a group: it is gone, or all begins anew."""
        self._pauses.pop(key, None)
        self._unanswered.pop(key, None)

    def unanswered(self) -> tuple[Key, ...]:
        """Give the groups that wait since the API server would not answer."""
        return tuple(self._unanswered)

    async def run(self) -> None:
        """Look at groups for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                key = await self._queue.get()
                if self._may_look(key):
                    task = tasks.create_task(self._serve(key))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
                else:
                    self._queue.done(key)

    async def close(self, seconds: float) -> None:
        """Begin no look any more, and leave those under way some time to tell what they have done."""
        self._closed = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    def _may_look(self, key: Key) -> bool:
        return not self._closed and self._is_open(key[0])

    async def _serve(self, key: Key) -> None:
        LOOK.set(next(self._numbers))  # in the context of its task
        try:
            delay = await self._look(key)
        finally:
            self._queue.done(key)
        if delay is not None:
            self.add_after(key, delay)

    async def _look(self, key: Key) -> float | None:
        """Look at a group; an error in one must not touch the others."""
        started = time.monotonic()
        try:
            delay = await self._look_at(key)
        except Restored:
            raise
        except NotLeading:
            # Who leads next looks at all groups, but we may lead again before we have noticed that we did not.
            result, delay = "not_leading", self._pause(key)
        except (Refused, Unreachable) as error:
            logger.warning("group=%s/%s %s", *key, error)
            result, delay = "error", self._pause(key)
            if self._pauses[key].tries > 1:
                self._unanswered[key] = time.monotonic() + delay
        except Exception:
            logger.exception("group=%s/%s unexpected error; this is a bug, please report it", *key)
            result, delay = "bug", self._pause(key)
        else:
            self.forget(key)
            result = "success"
        metrics.reconciles.labels(result).inc()
        metrics.reconcile_seconds.observe(time.monotonic() - started)
        return delay

    def _pause(self, key: Key) -> float:
        """Find the pause before the next look at a group that has raised errors in a row."""
        metrics.queue_retries.inc()
        return self._pauses.setdefault(key, Backoff(FIRST_PAUSE, LONGEST_PAUSE)).next()

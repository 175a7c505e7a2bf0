"""The queue of groups to look at: who, never what.

One key per PodGroup. A key that waits is not queued twice; a key that is being worked on and is added again
comes back when its worker is done with it, so that no group is ever reconciled twice at the same time. The
semantics are those of client-go's workqueue.
"""

import asyncio
from collections import deque

from podgroup_operator import metrics

Key = tuple[str, str]  # namespace, name


class WorkQueue:
    """A de-duplicating queue with delayed adds."""

    def __init__(self) -> None:
        self._ready: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._working: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._since: dict[Key, float] = {}  # when they began to wait
        self._begun: dict[Key, float] = {}  # when work on them began

    def __len__(self) -> int:
        """Count the keys that wait."""
        return len(self._ready)

    def add(self, key: Key) -> None:
        """Ask for a look at `key` as soon as may be."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._working:
            self._push(key)

    def add_after(self, key: Key, delay: float) -> None:
        """Ask for a look at `key` in `delay` seconds at the latest; of several the earliest counts."""
        loop = asyncio.get_running_loop()
        due = loop.time() + delay
        timer = self._timers.get(key)
        if timer and timer.when() <= due:
            return
        if timer:
            timer.cancel()
        self._timers[key] = loop.call_at(due, self._elapsed, key)

    async def get(self) -> Key:
        """Wait for a key and take it; call `done` afterwards."""
        while not self._ready:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        key = self._ready.popleft()
        self._dirty.discard(key)
        self._working.add(key)
        self._begun[key] = now = asyncio.get_running_loop().time()
        metrics.queue_seconds.observe(now - self._since.pop(key, now))
        return key

    def done(self, key: Key) -> None:
        """Give a key back; if it was added meanwhile, it waits again."""
        self._working.discard(key)
        now = asyncio.get_running_loop().time()
        metrics.work_seconds.observe(now - self._begun.pop(key, now))
        if key in self._dirty:
            self._push(key)

    def unfinished(self, now: float) -> list[float]:
        """Give for how many seconds each key has been worked on that is."""
        return [now - begun for begun in tuple(self._begun.values())]

    def _elapsed(self, key: Key) -> None:
        del self._timers[key]
        self.add(key)

    def _push(self, key: Key) -> None:
        self._ready.append(key)
        self._since[key] = asyncio.get_running_loop().time()
        metrics.queue_adds.inc()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

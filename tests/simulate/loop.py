"""An event loop whose time is virtual: when nothing is ready, the clock goes to the next timer at once.

There are no sockets, threads or signals, so the order in which things happen depends on nothing but what they are.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from simulate.processes import PROCESS, Process

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Coroutine
    from contextvars import Context

TURN = 20e-6
"""Seconds that one turn of the loop takes, as all that runs takes time."""

REST = 0.001
"""Seconds without anything to do."""

MOST_TURNS = 4000
"""Turns without such a rest after which something runs in circles: a real processor would do nothing else."""


class Circles(Exception):
    """Something is done again and again without a pause."""


class NumberedTask(asyncio.Task[Any]):
    """A task that hashes by its number, not its address: a set of tasks has the same order in each run."""

    _numbers = itertools.count()

    def __init__(self, work: Coroutine[Any, Any, Any], *, loop: asyncio.AbstractEventLoop, context: Context) -> None:
        self.number = next(self._numbers)
        self.process = context.get(PROCESS)
        super().__init__(work, loop=loop, context=context)

    def __hash__(self) -> int:
        """Give its number."""
        return self.number


class Loop(asyncio.BaseEventLoop):
    """A loop for one simulation."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._turns = 0
        self.set_task_factory(make_task)  # type: ignore[arg-type]  # typeshed asks for more than is called

    def time(self) -> float:
        """Give the seconds since the beginning."""
        return self._now

    def stop_process(self, process: Process) -> None:
        """Let nothing of a process run until it is resumed."""
        process.stopped = True

    def resume(self, process: Process) -> None:
        """Let a stopped process go on with what has come due meanwhile, in order."""
        process.stopped = False
        self._ready.extend(process.held)
        process.held = []

    def kill(self, process: Process) -> None:
        """End a process at once: it does not even clean up."""
        process.dead = True
        tasks = asyncio.all_tasks(self)
        process.corpse = [task for task in tasks if isinstance(task, NumberedTask) and task.process is process]

    def signal(self, process: Process, number: int) -> None:
        """Send a signal to a process; it is ignored where the process does not handle it yet."""
        if number in process.signals:
            context, callback, arguments = process.signals[number]
            self.call_soon(callback, *arguments, context=context)

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        """Note what the running process does at a signal."""
        process = PROCESS.get()
        if process:
            process.signals[sig] = copy_context(), callback, args

    def remove_signal_handler(self, sig: int) -> bool:
        """Forget what the running process does at a signal."""
        process = PROCESS.get()
        return bool(process and process.signals.pop(sig, None))

    def run_in_executor(self, _executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Do what would be done in a thread, at once."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is for whoever waits
            future.set_exception(error)
        return future

    def _run_once(self) -> None:
        """Run what is ready; if nothing is, let it be the time of the next timer."""
        while self._scheduled and self._scheduled[0].cancelled():
            heapq.heappop(self._scheduled)
        if not self._ready:
            if not self._scheduled:
                raise RuntimeError("Nothing will ever happen any more.")
            if self._scheduled[0].when() > self._now + REST:
                self._turns = 0
            self._now = max(self._now, self._scheduled[0].when())
        self._now += TURN
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise Circles(f"pace: {MOST_TURNS} turns without a rest of {REST:g} s: something is done again and again")
        while self._scheduled and self._scheduled[0].when() <= self._now:
            self._ready.append(heapq.heappop(self._scheduled))
        for _ in range(len(self._ready)):
            self._run(self._ready.popleft())

    def _run(self, handle: asyncio.Handle) -> None:
        if handle.cancelled():
            return
        process = handle._context.get(PROCESS)  # type: ignore[attr-defined]  # noqa: SLF001 - Python 3.12 has get_context
        if process is None or not (process.stopped or process.dead):
            handle._run()  # noqa: SLF001 - as the loop that this is does
        elif not process.dead:
            process.held.append(handle)

    def _process_events(self, _: object) -> None:
        """Have none."""

    def _write_to_self(self) -> None:
        """Be awake already."""


def make_task(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None) -> Any:
    """Make a task; its process is the one of the context that it runs in."""
    return NumberedTask(work, loop=loop, context=copy_context() if context is None else context)

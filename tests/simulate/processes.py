"""The operators' processes: each has its name, its wall clock, and may stop for a while or for ever.

Whatever runs, runs for one process or for the world, and a context variable says for which; tasks and timers inherit
it. So the loop can hold back what a stopped process would do, and the clocks can tell each its own time.
"""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


@dataclass(eq=False)
class Process:
    """One operator's process.

    Attributes:
        wall: seconds by which its wall clock is wrong.
        stopped: nothing of it runs for the time being; what would have is in `held`.
        dead: nothing of it runs any more.
        signals: what it does at a signal.
        corpse: the tasks that it had when it was killed; they must not be tidied up, for nothing of it runs any more.
    """

    name: str
    wall: float = 0.0
    stopped: bool = False
    dead: bool = False
    held: list[asyncio.Handle] = field(default_factory=list)
    signals: dict[int, tuple[Context, Callable[..., Any], tuple[Any, ...]]] = field(default_factory=dict)
    corpse: list[asyncio.Task[Any]] = field(default_factory=list)


PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)
"""For whom runs what runs now; None is the world."""

WORLD = Context()
"""What belongs to no process."""


def within(process: Process) -> Context:
    """Give a context in which everything is this process's."""
    context = copy_context()
    context.run(PROCESS.set, process)
    return context

"""Shows what goes on while one waits: a bar that moves on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from controlplane.headway import Headway, about

FRAME_SECONDS = 0.25
LINE_SECONDS = 30.0
"""How often a terminal is redrawn, and how often a line is written where there is none."""

AT_WIDTH = 50


@contextmanager
def shown(console: Console, title: str, headway: Headway | None = None) -> Iterator[Callable[[str], None]]:
    """Show some work of Go's while it lasts.

    Args:
        console: where.
        title: what is done.
        headway: how far it is, where that is known.

    Yields:
        What takes each line that Go says.
    """
    started, at, lock = time.monotonic(), "", Lock()

    def said(line: str) -> None:
        nonlocal at
        at = line
        if headway:
            with lock:
                headway.begin(line, time.monotonic() - started)

    def how_far() -> tuple[float, str]:
        if headway is None:
            return 0.0, ""
        with lock:
            now = time.monotonic() - started
            return headway.done(now) / headway.total, about(headway.left(now))

    console.print(f"{title}: {how_far()[1]} ..." if headway else f"{title} ...", soft_wrap=True)
    if not console.is_terminal:

        def line() -> None:
            share, left = how_far()
            console.print(f"  {share:.0%}, {left} left" if headway else f"  {at}", soft_wrap=True)

        with _every(LINE_SECONDS, line):
            yield said
        return
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.fields[left]} [dim]{task.fields[at]}"))
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task(title, total=1.0 if headway else None, left="", at="")

        def frame() -> None:
            share, left = how_far()
            progress.update(task, completed=share, left=left and f"{left} left", at=at[:AT_WIDTH], refresh=True)

        with _every(FRAME_SECONDS, frame):
            yield said


@contextmanager
def _every(seconds: float, do: Callable[[], None]) -> Iterator[None]:
    """Do something again and again, first after these seconds."""
    ended = Event()

    def run() -> None:
        while not ended.wait(seconds):
            do()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

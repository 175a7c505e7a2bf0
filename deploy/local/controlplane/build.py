"""Compiles the programs, once.

The first time takes minutes, so it says what it is doing and how long that will take still. What is in the cache
already is taken as it is, without asking Go. Two that build at the same time do not disturb each other: the second
waits and then finds everything done, and a program appears under its name only when it is whole.
"""

import fcntl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from controlplane.compiler import batches, compile_batch, cores, find_go, names, stale_packages
from controlplane.headway import Headway
from controlplane.programs import PROGRAMS, Program, cache
from controlplane.progress import shown


def build(programs: Iterable[Program] = PROGRAMS) -> None:
    """Make sure that every program is in the cache.

    Raises:
        ControlPlaneError: Go is missing or too old, the sources cannot be had, or the compiler failed.
    """
    missing = [program for program in programs if not program.path.exists()]
    if not missing:
        return
    console = Console(stderr=True, highlight=False)
    with _one_at_a_time(console):
        missing = [program for program in missing if not program.path.exists()]
        go = find_go(missing) if missing else ""
        for batch in batches(missing):
            _build(go, batch, console)


@contextmanager
def _one_at_a_time(console: Console) -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Waiting for another build of the same programs to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(go: str, batch: Sequence[Program], console: Console) -> None:
    started, what = time.monotonic(), names(batch)
    with shown(console, f"Fetching the sources of {what}") as said:
        sources = stale_packages(go, batch, said)
    headway = Headway(sources, len(batch), cores())
    with (
        TemporaryDirectory(dir=_programs(), prefix=".unfinished-") as unfinished,
        shown(console, f"Building {what}", headway) as said,
    ):
        compile_batch(go, batch, Path(unfinished), said)
        for program in batch:
            program.path.parent.mkdir(exist_ok=True)
            Path(unfinished, program.name).rename(program.path)
    console.print(f"Built {what} in {_elapsed(started)}", soft_wrap=True)


def _programs() -> Path:
    folder = cache() / "programs"
    folder.mkdir(exist_ok=True)
    return folder


def _elapsed(started: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

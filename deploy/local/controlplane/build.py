"""Compiles the programs, once.

The first time takes minutes, so it says what it is doing: a moving line on a terminal, plain lines elsewhere. What
is in the cache already is taken as it is, without asking Go. Two that build at the same time do not disturb each
other: the second waits and then finds everything done, and a program appears under its name only when it is whole.
"""

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from controlplane.errors import ControlPlaneError
from controlplane.programs import PROGRAMS, Program, cache, go_version

ERROR_LINES = 20
"""How much of the compiler's output a failed build shows."""


def build(programs: Iterable[Program] = PROGRAMS) -> None:
    """Make sure that every program is in the cache.

    Raises:
        ControlPlaneError: Go is missing or too old, or the compiler failed.
    """
    missing = [program for program in programs if not program.path.exists()]
    if not missing:
        return
    console = Console(stderr=True, highlight=False)
    with _one_at_a_time(console):
        missing = [program for program in missing if not program.path.exists()]
        for number, program in enumerate(missing, 1):
            go = _find_go(program)
            started = time.monotonic()
            _compile(go, program, console, f"Building {program.name} ({number} of {len(missing)})")
            console.print(f"Built {program.name} in {_elapsed(started)} ({number} of {len(missing)})")


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


def _find_go(program: Program) -> str:
    """Return the path of a Go that is new enough for the program's module."""
    needed = ".".join(map(str, go_version(program.module)))
    install = f"install Go {needed} or newer from https://go.dev/dl/ and put it on PATH."
    go = shutil.which("go")
    if go is None:
        message = f"Go is needed to build {program.name} and was not found: {install}"
        raise ControlPlaneError(message)
    # From the root, so that no go.mod asks for another Go than the one that is installed.
    answer = subprocess.run(  # noqa: S603 -- a program found on PATH, with fixed arguments
        [go, "env", "GOVERSION"], cwd="/", env=_environment(), capture_output=True, text=True, check=False
    )
    version = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < go_version(program.module):
        found = answer.stdout.strip() or answer.stderr.strip()
        message = f"{go} is too old to build {program.name} ({found}): {install}"
        raise ControlPlaneError(message)
    return go


def _environment() -> dict[str, str]:
    """Return the environment of the compiler: no C, no other Go than the installed one, no enclosing workspace."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _compile(go: str, program: Program, console: Console, title: str) -> None:
    program.path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.path.with_name(f".{program.name}.{os.getpid()}")
    command = [go, "build", "-v", *program.flags, "-o", str(unfinished), program.package]
    try:
        with subprocess.Popen(  # noqa: S603 -- the compiler, with arguments from our own table
            command, cwd=program.source, env=_environment(), stderr=subprocess.PIPE, text=True
        ) as compiler:
            last_lines = _follow(compiler, console, title)
        if compiler.returncode != 0:
            message = f"Building {program.name} failed; `go build` ended with:\n{last_lines}"
            raise ControlPlaneError(message)
        unfinished.rename(program.path)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _follow(compiler: "subprocess.Popen[str]", console: Console, title: str) -> str:
    """Show which package the compiler is at until it ends; return its last lines."""
    last_lines = deque[str](maxlen=ERROR_LINES)
    if not console.is_terminal:
        console.print(f"{title} ...")
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[at]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=None, at="")
        for line in compiler.stderr or ():
            last_lines.append(line.rstrip())
            progress.update(task, at=line.strip()[:60])
    return "\n".join(last_lines)


def _elapsed(started: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

"""The Go compiler, as far as we use it: found, asked what is to be done, and run.

Programs of one module with the same flags are compiled by one `go build`. What they have in common, and of Kubernetes'
programs that is nearly all, is then looked up once, and while one program waits for a large package the others keep the
cores busy.
"""

import os
import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from controlplane.errors import ControlPlaneError
from controlplane.headway import Source
from controlplane.programs import Program, go_version

ERROR_LINES = 20
"""How much of its output a failed run shows."""

NO_DEBUG_DATA = "-gcflags=all=-dwarf=false"
"""Debug data takes an eighth to a quarter of the compiler's time, and the linker throws it away (`-ldflags=-s -w`). The
program has the same functions without, so `Program.flags`, by which it is found in the cache, does not have this."""

STALE = "{{if .Stale}}{{.ImportPath}}\t{{len .Deps}}{{range .GoFiles}}\t{{$.Dir}}/{{.}}{{end}}{{end}}"
"""What `go list` is to print: for each package that Go's cache lacks a line, with the number of those below it, and its
files."""


def batches(programs: Iterable[Program]) -> list[list[Program]]:
    """Sort programs into those that one `go build` can make: of one module, with the same flags."""
    alike: dict[tuple[str, ...], list[Program]] = {}
    for program in programs:
        alike.setdefault((str(program.source), *program.flags), []).append(program)
    return list(alike.values())


def find_go(programs: Iterable[Program]) -> str:
    """Return the path of a Go that is new enough for the modules of all these programs.

    Raises:
        ControlPlaneError: there is none.
    """
    asks_most = max(programs, key=lambda program: go_version(program.module))
    oldest = go_version(asks_most.module)
    install = f"install Go {'.'.join(map(str, oldest))} or newer from https://go.dev/dl/ and put it on PATH."
    go = shutil.which("go")
    if go is None:
        message = f"Go is needed to build {asks_most.name} and was not found: {install}"
        raise ControlPlaneError(message)
    # From the root, so that no go.mod asks for another Go than the one that is installed.
    answer = subprocess.run(  # noqa: S603 -- a program found on PATH, with fixed arguments
        [go, "env", "GOVERSION"], cwd="/", env=environment(), capture_output=True, text=True, check=False
    )
    version = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < oldest:
        found = answer.stdout.strip() or answer.stderr.strip()
        message = f"{go} is too old to build {asks_most.name} ({found}): {install}"
        raise ControlPlaneError(message)
    return go


def environment() -> dict[str, str]:
    """Return the environment of the compiler: no C, no other Go than the installed one, no enclosing workspace."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def cores() -> int:
    """Return how many packages Go compiles at a time."""
    return len(os.sched_getaffinity(0))


def stale_packages(go: str, batch: Sequence[Program], said: Callable[[str], None]) -> dict[str, Source]:
    """Return the packages that Go's cache lacks; fetch the sources that are not here yet.

    Args:
        go: the compiler.
        batch: programs that one `go build` can make.
        said: told each line of standard error: `go: downloading …` for each module.

    Raises:
        ControlPlaneError: the sources cannot be had.
    """
    listed = _run([go, "list", "-deps", "-f", STALE], batch, said)
    packages = (line.split("\t") for line in listed.splitlines() if line)
    return {
        name: Source(sum(Path(file).stat().st_size for file in files), int(dependencies))
        for name, dependencies, *files in packages
    }


def compile_batch(go: str, batch: Sequence[Program], folder: Path, said: Callable[[str], None]) -> None:
    """Compile the programs, each into the folder under its name.

    Args:
        go: the compiler.
        batch: programs that one `go build` can make.
        folder: an empty one.
        said: told each line of standard error: the name of each package when its turn comes.

    Raises:
        ControlPlaneError: the compiler failed.
    """
    target = str(folder / batch[0].name) if len(batch) == 1 else f"{folder}{os.sep}"
    _run([go, "build", "-v", "-o", target], batch, said)
    for program in batch:
        if len(batch) > 1:
            (folder / executable(program.package)).rename(folder / program.name)


def executable(package: str) -> str:
    """Return the name that Go gives to the program of a package: its last part that is no version (`go help build`)."""
    return re.sub(r"/v\d+$", "", package).rpartition("/")[2]


def _run(command: list[str], batch: Sequence[Program], said: Callable[[str], None]) -> str:
    """Run one of Go's commands on these programs and return what it prints."""
    made_of = [NO_DEBUG_DATA, *batch[0].flags, *(program.package for program in batch)]
    last_lines = deque[str](maxlen=ERROR_LINES)
    with (
        TemporaryFile("w+") as printed,
        subprocess.Popen(  # noqa: S603 -- the compiler, with arguments from our own table
            [*command, *made_of],
            cwd=batch[0].source,
            env=environment(),
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
        ) as go,
    ):
        try:
            for line in go.stderr or ():
                last_lines.append(line.rstrip())
                said(line.rstrip())
        except BaseException:  # above all KeyboardInterrupt and SystemExit: whatever ends us must end Go too
            go.send_signal(signal.SIGINT)
            raise
        if go.wait() != 0:
            what = f"Building {names(batch)} failed; `go {command[1]}` ended with:"
            raise ControlPlaneError("\n".join((what, *last_lines)))
        printed.seek(0)
        return printed.read()


def names(programs: Sequence[Program]) -> str:
    """List programs as a person would."""
    *first, last = (program.name for program in programs)
    return f"{', '.join(first)} and {last}" if first else last

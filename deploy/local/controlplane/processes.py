"""The processes of a cluster: started in its directory, found again by it, and ended.

A process belongs to a cluster when it runs one of the control plane's programs and its working directory is the
cluster's. The kernel knows both at any time, so no PID is written down that might be another program's tomorrow,
and a start that was cut short half-way, or a reboot, leaves nothing that could not be told apart.
"""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from controlplane.errors import ControlPlaneError
from controlplane.programs import SERVERS, Program

LOG_LINES = 12
"""How much of a log is shown when its program ended."""

DEATH_SECONDS = 10
"""How long a killed process may take to be gone; only a disk that hangs takes longer than moments."""


def start(program: Program, arguments: list[str], directory: Path) -> None:
    """Start the program in the directory, in a session of its own so that nobody's Ctrl-C reaches it.

    Its environment is empty but for PATH and a HOME of its own, so neither the user's kubeconfig nor a proxy can
    lead it astray.
    """
    environment = {"PATH": os.defpath, "HOME": str(directory)}
    with log(program, directory).open("wb") as output:
        subprocess.Popen(  # noqa: S603 -- our own program, with arguments from our own table
            [program.path, *arguments],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def log(program: Program, directory: Path) -> Path:
    """Return the file that the program's output goes to."""
    return directory / f"{program.name}.log"


def running(directory: Path) -> dict[str, int]:
    """Return the PIDs of the cluster's living processes, by program name."""
    names = {program.name for program in SERVERS}
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            name = _program_in(entry, directory)
            if name in names:
                found[name] = int(entry.name)
    return found


def _program_in(process: Path, directory: Path) -> str | None:
    """Return the name of the program that the process runs, if it runs in the directory."""
    try:
        if _target(process / "cwd") != directory:
            return None
        return _target(process / "exe").name
    except OSError:  # it ended meanwhile, is a zombie, or is another user's
        return None


def _target(link: Path) -> Path:
    """Return what a link in /proc points to, also if somebody removed that from the disk."""
    return Path(str(link.readlink()).removesuffix(" (deleted)"))


def check_alive(directory: Path, expected: Sequence[Program]) -> None:
    """Raise a ControlPlaneError that names the program which ended and shows the end of its log."""
    alive = running(directory)
    for program in expected:
        if program.name not in alive:
            message = (
                f"{program.name} ended while the cluster was starting. Its last words:\n{tail(program, directory)}"
            )
            raise ControlPlaneError(message)


def tail(program: Program, directory: Path) -> str:
    """Return the end of the program's log, indented."""
    with log(program, directory).open(errors="replace") as lines:
        return "".join(f"  {line.rstrip()[:400]}\n" for line in deque(lines, maxlen=LOG_LINES)).rstrip()


def kill(directory: Path) -> None:
    """End all processes of the cluster and return when they are gone.

    They are killed rather than asked: what they would save is about to be removed, and the API server would wait
    for its watchers.
    """
    deadline = time.monotonic() + DEATH_SECONDS
    while alive := running(directory):
        for pid in alive.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            message = f"These processes do not end although they were killed: {alive}. Look at them, then try again."
            raise ControlPlaneError(message)
        time.sleep(0.02)

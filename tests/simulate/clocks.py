"""The clocks of a simulation: `time` tells the loop's time, and each process its own wall clock.

`install` must come before the operator is imported, for some of its defaults are the functions of `time` themselves.
Outside a simulation they tell the real time.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
import uuid

from simulate.loop import Loop
from simulate.processes import PROCESS

EPOCH = 1_800_000_000.0
"""The wall clock's seconds when a simulation begins."""

_real_time, _real_monotonic, _real_hostname, _real_uuid = time.time, time.monotonic, socket.gethostname, uuid.uuid4


def elapsed() -> float | None:
    """Give the simulation's seconds; None outside one."""
    loop = asyncio._get_running_loop()  # noqa: SLF001 - documented for event loops; the public one raises outside of one
    return loop.time() if isinstance(loop, Loop) else None


def monotonic() -> float:
    """Be `time.monotonic`."""
    now = elapsed()
    return _real_monotonic() if now is None else now


def wall() -> float:
    """Be `time.time`."""
    now, process = elapsed(), PROCESS.get()
    return _real_time() if now is None else EPOCH + now + (process.wall if process else 0.0)


def hostname() -> str:
    """Be `socket.gethostname`."""
    process = PROCESS.get()
    return process.name if process else _real_hostname()


def identifier() -> uuid.UUID:
    """Be `uuid.uuid4`."""
    return _real_uuid() if elapsed() is None else uuid.UUID(int=random.getrandbits(128), version=4)


def install() -> None:
    """Take the clocks' places."""
    time.time, time.monotonic = wall, monotonic
    time.time_ns, time.monotonic_ns = lambda: int(wall() * 1e9), lambda: int(monotonic() * 1e9)
    time.clock_gettime = lambda _: monotonic()
    socket.gethostname, uuid.uuid4 = hostname, identifier

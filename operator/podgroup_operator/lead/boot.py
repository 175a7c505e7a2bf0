"""A clock that two processes of one machine share, whoever sets its wall clock: the seconds since it was booted.

CLOCK_BOOTTIME also goes on while the machine is suspended, which CLOCK_MONOTONIC does not: a fence that is measured by
it falls in time. The boot's id says whether a number of seconds is of this machine and of this boot.
"""

import math
import time
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def seconds() -> float:
    """Give the seconds since the machine was booted, suspended or not; where that is not known, monotonic seconds."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def boot_id() -> str:
    """Tell one boot of one machine from all others; "" if it cannot be told."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def stamp() -> str:
    """Write down what time it is on this machine, to the millisecond that has begun."""
    return f"{boot_id()}/{math.floor(seconds() * 1000) / 1000}"


def age_of(written: str) -> float | None:
    """Give how many seconds ago a stamp was made; None if it was made on another machine or before its last boot."""
    boot, _, at = written.rpartition("/")
    try:
        age = seconds() - float(at)
    except ValueError:
        return None
    return age if boot and boot == boot_id() and age >= 0 else None

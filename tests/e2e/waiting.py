"""Waiting in tests: for a fact, with a deadline, never for a guessed time.

A cluster does things when it gets round to them. `eventually` reads like the assertion that it is and fails like one,
with the last thing that was seen; `wait_for` is for when the thing that is waited for is also what the test goes on
with.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

SECONDS = 30.0
"""How long a fact may take to come true; most take a fraction of a second, on a machine that is busy elsewhere many."""

PAUSE = 0.03

T = TypeVar("T")


def eventually(expected: object, observe: Callable[[], object], seconds: float = SECONDS, pause: float = PAUSE) -> None:
    """Assert that what is observed becomes what is expected; longer pauses are for looks that disturb."""
    deadline = time.monotonic() + seconds
    actual = observe()
    while actual != expected and time.monotonic() < deadline:
        time.sleep(pause)
        actual = observe()
    assert expected == actual, f"still so after {seconds} s: {actual!r}"


def wait_for(what: str, find: Callable[[], T | None], seconds: float = SECONDS) -> T:
    """Return the first thing that is found.

    Args:
        what: what is waited for, for the failure's message.
        find: gives it, or None or False while it is not there.
        seconds: when to give up and fail the test.
    """
    deadline = time.monotonic() + seconds
    while (found := find()) is None or found is False:
        if time.monotonic() > deadline:
            pytest.fail(f"Waited {seconds} s in vain for {what}.")
        time.sleep(PAUSE)
    return found


def stays(expected: object, observe: Callable[[], object], seconds: float) -> None:
    """Assert that what is observed is what is expected, and remains so for the time that the test is about."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert expected == observe()
        time.sleep(PAUSE)

"""Waiting for what nobody tells of: ask again and again."""

import time
from collections.abc import Callable

from demo.trouble import Trouble

POLL_SECONDS = 0.05


def await_that(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Ask again and again until it holds.

    Raises:
        Trouble: it did not within the time; `otherwise` is the sentence.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            message = f"{otherwise} (waited {seconds:.0f} s)."
            raise Trouble(message)
        time.sleep(POLL_SECONDS)

"""Pauses between tries: each longer than the last, up to a longest one, and never quite the same.

What waits together must not come back together, so each pause is drawn from a part of it (full to half by default).
"""

import random

MOST_DOUBLINGS = 64  # far above any longest pause; beyond some hundreds a power of two is no float any more


class Backoff:
    """A row of pauses, in seconds.

    Args:
        first: the first pause.
        longest: what no pause exceeds.
        factor: by which each is longer than the one before.
        jitter: between which parts of a pause it is drawn.
        tries: how many pauses there have been.
    """

    def __init__(
        self,
        first: float,
        longest: float,
        factor: float = 2.0,
        jitter: tuple[float, float] = (0.5, 1.0),
        tries: int = 0,
    ) -> None:
        self._first = first
        self._longest = longest
        self._factor = factor
        self._jitter = jitter
        self.tries = tries

    def next(self) -> float:
        """Give the next pause, and count it."""
        pause = min(self._first * self._factor ** min(self.tries, MOST_DOUBLINGS), self._longest)
        self.tries += 1
        return pause * random.uniform(*self._jitter)  # noqa: S311 - spreads tries, protects nothing

    def reset(self) -> None:
        """Begin again with the first pause."""
        self.tries = 0

"""An outage: for a while nothing was answered well. Its end is the moment at which everything that waits can be tried.

Pauses grow while the API server is away, and each of those who wait would find out by itself, late, that it is back. A
failure of one webhook is no outage: the Lease is renewed all the while.
"""

import time
from collections.abc import Callable

LEAST = 2.5
"""Seconds without a good answer, with at least one bad one, that make an outage; the Lease is renewed more often."""


class Outage:
    """Told of each answer; tells when an outage has ended.

    Args:
        ended: called then.
        clock: monotonic seconds.
    """

    def __init__(self, ended: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._ended = ended
        self._clock = clock
        self._since: float | None = None

    @property
    def suspected(self) -> bool:
        """Tell whether the last answer was none, or that the API server itself has failed."""
        return self._since is not None

    def failed(self) -> None:
        """Note that there was no answer, or that the API server itself has failed."""
        if self._since is None:
            self._since = self._clock()

    def answered(self) -> None:
        """Note a good answer, or a no, which is as good a sign of life."""
        since, self._since = self._since, None
        if since is not None and self._clock() - since >= LEAST:
            self._ended()

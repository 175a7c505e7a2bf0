"""A pulse: when something that must go on for ever was last seen to do so."""

import time
from collections.abc import Callable


class Pulse:
    """Felt by the liveness probe; may be used in any thread.

    Args:
        whose: what goes on, as a sentence names it.
        clock: gives the seconds.
    """

    def __init__(self, whose: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.whose = whose
        self._clock = clock
        self._last: float | None = None

    def beat(self) -> None:
        """Note that it goes on."""
        self._last = self._clock()

    def rest(self) -> None:
        """Note that it waits for something, by right and however long."""
        self._last = None

    def silence(self) -> float:
        """Give the seconds since it last was seen to go on; 0 while it rests."""
        last = self._last
        return 0.0 if last is None else self._clock() - last

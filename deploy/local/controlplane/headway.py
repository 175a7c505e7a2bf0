"""How far a compilation is, and how long it will take still.

Go says the name of each package when its turn comes, and nothing else. What a package costs is guessed from the size of
its source and from the number of packages below it, whose types the compiler reads and whose functions it inlines; how
fast this machine is, and how much of it we get, shows while it goes on. Nothing here looks at a clock: moments are
seconds since the beginning, given by the caller.
"""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

BYTE_SECONDS = 2.5e-6
DEPENDENCY_SECONDS = 0.00085
LINK_SECONDS = 5.0
"""What one core needs for each byte of a package's source, for each package that it depends on, and to link a program:
least squares over the 2,703 packages of a control plane of Kubernetes 1.37, timed by `go build -debug-actiongraph`.
With them the time that is said to be left was between 0.76 and 1.29 of what was left, from a tenth of that build on."""

FIRST_GUESS_SECONDS = 60.0
"""How much work has to be done before its pace is trusted alone; what lacks of it counts at the guessed pace."""


class Source(NamedTuple):
    """What is known of a package before it is compiled."""

    size: int
    """Bytes of its Go files."""

    dependencies: int
    """Packages below it, at any depth."""

    @property
    def seconds(self) -> float:
        """What it is thought to cost one core."""
        return self.size * BYTE_SECONDS + self.dependencies * DEPENDENCY_SECONDS


class Headway:
    """What is done of a compilation and what is left, in seconds of one core.

    Args:
        sources: the packages that are to be compiled.
        programs: how many programs are linked at the end.
        cores: how many packages are compiled at a time.
    """

    def __init__(self, sources: Mapping[str, Source], programs: int, cores: int) -> None:
        self._weights = {name: source.seconds for name, source in sources.items()}
        self._links = programs * LINK_SECONDS
        self._cores = cores
        self._waiting = set(self._weights)
        self._finished = 0.0
        self._running = deque[tuple[float, float]]()
        self.total = sum(self._weights.values()) + self._links

    def begin(self, package: str, now: float) -> None:
        """Note that a package's turn has come; what came so many turns ago as there are cores has ended, then."""
        if package not in self._waiting:
            return
        self._waiting.remove(package)
        if len(self._running) == self._cores:
            self._finished += self._running.popleft()[0]
        self._running.append((self._weights[package], now))

    def done(self, now: float) -> float:
        """Return how much is done; what runs counts by the time since it began, up to what it was thought to take."""
        running = sum(min(weight, now - begun) for weight, begun in self._running)
        if self._waiting or not self._running:
            return self._finished + running
        return self._finished + running + min(self._links, (now - self._running[-1][1]) * self._cores)

    def left(self, now: float) -> float:
        """Return how many seconds it will take still."""
        done = self.done(now)
        guessed = max(0.0, FIRST_GUESS_SECONDS - done)
        pace = (now + guessed / self._cores) / (done + guessed)
        return (self.total - done) * pace


def about(seconds: float) -> str:
    """Say a time no more precisely than it is known: `about 7 min`, `about 40 s`."""
    if seconds > 90:  # noqa: PLR2004 - up to here seconds are read more easily
        return f"about {seconds / 60:.0f} min"
    return f"about {max(10, round(seconds, -1)):.0f} s"

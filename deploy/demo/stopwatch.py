"""Stopwatches: one for each kill, started with the request and stopped when the seat has a Ready pod again.

Three laps. *Noticed* is when the operator received the news, which only the operator can know: it writes the moment on
the replacement (selfheal.dev/lost-at), and both ends of that lap are read from this machine's wall clock. *Created* and
*ready* are when the outside watch saw the replacement appear and become Ready, by the monotonic clock. A replacement is
matched to its victim by the annotation selfheal.dev/replaces, never by order or by seat.

Where only a process is killed, the pod stays, and its kubelet starts the container again: that is one lap, *ready*.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.table import Table

from demo.pods import Pod
from demo.watch import News

LAPS = ("noticed", "created", "ready")


@dataclass(slots=True)
class Recovery:
    """One killed pod and its replacement; laps are in seconds since the delete request was sent.

    Attributes:
        sent: when the request was sent, by `time.monotonic`.
        sent_wall: the same moment in seconds since the epoch.
    """

    victim: str
    seat: int | None
    sent: float
    sent_wall: float
    replacement: str = ""
    noticed: float | None = None
    created: float | None = None
    ready: float | None = None

    def see(self, news: News) -> None:
        """Take a lap if the news is about the replacement."""
        pod = news.pod
        if news.gone or pod.replaces != self.victim:
            return
        if self.created is None:
            self.replacement = pod.name
            self.created = news.at - self.sent
            self.noticed = None if pod.lost_at is None else pod.lost_at - self.sent_wall
        if pod.ready and self.ready is None:
            self.ready = news.at - self.sent


@dataclass(slots=True)
class Restart:
    """One pod of which a process was killed.

    Attributes:
        sent: when the kill was begun, by `time.monotonic`.
        ready: seconds from then until the same pod was Ready again, with a restart more.
    """

    pod: Pod
    sent: float
    ready: float | None = None

    @property
    def seat(self) -> int | None:
        """Where it sits."""
        return self.pod.seat

    @property
    def victim(self) -> str:
        """Whom it hit."""
        return self.pod.name

    replacement = victim  # nobody comes in its place

    def see(self, news: News) -> None:
        """Stop if the news is that the pod is back."""
        back = news.pod.uid == self.pod.uid and news.pod.restarts > self.pod.restarts and news.pod.ready
        if back and not news.gone and self.ready is None:
            self.ready = news.at - self.sent


class Stopwatches:
    """All recoveries and restarts of a demo, each in the order of the kills."""

    def __init__(self) -> None:
        self.recoveries: tuple[Recovery, ...] = ()
        self.restarts: tuple[Restart, ...] = ()

    def start(self, victims: Iterable[Pod]) -> None:
        """Start a stopwatch for each victim; call it right before the delete request is sent."""
        sent, sent_wall = time.monotonic(), time.time()
        started = [Recovery(pod.name, pod.seat, sent, sent_wall) for pod in victims]
        self.recoveries = (*self.recoveries, *started)

    def start_restart(self, pod: Pod) -> Restart:
        """Start a stopwatch for a pod that stays; call it right before a process of it is killed."""
        started = Restart(pod, time.monotonic())
        self.restarts = (*self.restarts, started)
        return started

    @property
    def _all(self) -> list[Recovery | Restart]:
        return [*self.recoveries, *self.restarts]

    def see(self, news: News) -> None:
        """Pass news on to those that still run."""
        for each in self._all:
            if each.ready is None:
                each.see(news)

    @property
    def stopped(self) -> bool:
        """Whether every victim has a Ready replacement."""
        return all(recovery.ready is not None for recovery in self.recoveries)

    def at(self, seat: int) -> Recovery | Restart | None:
        """Find the latest recovery or restart of a seat."""
        here = [each for each in self._all if each.seat == seat]
        return max(here, key=lambda each: each.sent, default=None)


def milliseconds(seconds: float | None) -> str:
    """Write a duration for the table; a dash for what was not seen."""
    return "-" if seconds is None else f"{seconds * 1000:.1f}"


def spoken(seconds: float) -> str:
    """Write a duration for a sentence."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def table(recoveries: Iterable[Recovery]) -> Table:
    """Lay out the laps of all recoveries, with the median and the worst of each lap."""
    recoveries = list(recoveries)
    drawn = Table(
        title="Recovery times in ms, counted from the delete request", title_justify="left", show_footer=False
    )
    for heading in ("seat", "killed", "replaced by"):
        drawn.add_column(heading, no_wrap=True)
    for lap in LAPS:
        drawn.add_column(lap, justify="right", no_wrap=True)
    for recovery in recoveries:
        laps = [milliseconds(getattr(recovery, lap)) for lap in LAPS]
        drawn.add_row(str(recovery.seat), recovery.victim, recovery.replacement or "-", *laps)
    drawn.add_section()
    drawn.add_row("", "median", "", *_over(recoveries, statistics.median))
    drawn.add_row("", "worst", "", *_over(recoveries, max))
    return drawn


def _over(recoveries: list[Recovery], summarise: Callable[[list[float]], float]) -> list[str]:
    """Summarise each lap over those recoveries that have it."""
    taken = [[seconds for each in recoveries if (seconds := getattr(each, lap)) is not None] for lap in LAPS]
    return [milliseconds(summarise(seconds) if seconds else None) for seconds in taken]

"""Seats: the grid that shows who sits where, and that never moves.

A slot of the PodGroup is a seat. An empty chair is seen at once, and a replacement sits down where its predecessor
sat. What a seat's state is, is told by symbol, word and colour, so that nobody needs to see colours. Below the pod is
the seat's stopwatch, and below that the pod that was killed there, or how often the one that sits there was restarted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.pods import Pod
from demo.stopwatch import Recovery, Restart, Stopwatches

SEATS = 5
WIDTH = 15  # five of them and the gaps between fit in 80 columns
HEIGHT = 6


class State(Enum):
    """What a seat looks like: symbol and word, and the colour."""

    EMPTY = ("○ empty", "bright_black")
    PENDING = ("◌ pending", "yellow")
    STARTING = ("◐ starting", "yellow")
    READY = ("● ready", "green")
    TERMINATING = ("✕ terminating", "red")

    @property
    def label(self) -> str:
        """Symbol and word."""
        return self.value[0]

    @property
    def colour(self) -> str:
        """The colour, as rich names it."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat at one moment."""

    number: int
    state: State
    pod: str = ""
    restarts: int = 0


def state_of(pod: Pod) -> State:
    """Tell a pod's state."""
    if pod.leaving:
        return State.TERMINATING
    if pod.ready:
        return State.READY
    return State.STARTING if pod.node else State.PENDING


def seat_of(number: int, pods: Iterable[Pod]) -> Seat:
    """Tell who sits on a seat: a live pod, else one on its way out, else nobody."""
    here = [pod for pod in pods if pod.seat == number and pod.owned and (pod.live or pod.leaving)]
    pod = min(here, key=lambda pod: pod.leaving, default=None)
    return Seat(number, state_of(pod), pod.name, pod.restarts) if pod else Seat(number, State.EMPTY)


def draw_seats(pods: tuple[Pod, ...], stopwatches: Stopwatches, now: float) -> RenderableType:
    """Draw all seats in one row, and below them who stands outside the group."""
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(*(draw_seat(seat_of(number, pods), stopwatches.at(number), now) for number in range(SEATS)))
    outside = [pod for pod in pods if not pod.owned]
    names = ", ".join(f"{state_of(pod).label} {pod.name}" for pod in outside) or "nobody"
    return Group(row, Text(f" outside the group: {names}", style="" if outside else "bright_black", no_wrap=True))


def draw_seat(seat: Seat, recovery: Recovery | Restart | None, now: float) -> Panel:
    """Draw one seat: state, pod, stopwatch, predecessor or restarts."""
    lines = Text(no_wrap=True, overflow="crop")
    lines.append(f"{seat.state.label}\n", style=f"bold {seat.state.colour}")
    lines.append(f"{seat.pod}\n")
    if recovery and (recovery.ready is None or recovery.replacement == seat.pod):
        lines.append(f"{reading(recovery, now)}\n", style="bold")
        lines.append(remark(seat, recovery.victim), style="bright_black")
    title = f"seat {seat.number}"
    return Panel(lines, title=title, width=WIDTH, height=HEIGHT, padding=0, border_style=seat.state.colour)


def remark(seat: Seat, victim: str) -> str:
    """Say what was survived here: the restarts of the pod that sits there, else the loss of another."""
    if seat.restarts:
        return f"↻ {seat.restarts} restart{'s' if seat.restarts > 1 else ''}"
    return "" if victim == seat.pod else f"✕ {victim}"


def reading(recovery: Recovery | Restart, now: float) -> str:
    """Read a stopwatch, in whole milliseconds: it runs, or it stopped when the seat's pod was Ready."""
    if recovery.ready is None:
        return f"… {(now - recovery.sent) * 1000:.0f} ms"
    return f"✓ {recovery.ready * 1000:.0f} ms"

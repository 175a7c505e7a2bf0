"""The demo's seats: who sits where, what is written on a seat, and that the grid never moves."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from demo.pods import Pod
from demo.seats import SEATS, Seat, State, draw_seats, reading, seat_of
from demo.stopwatch import Recovery, Restart, Stopwatches


def pod(name: str, *, seat: int | None = 1, owned: bool = True, **fields: object) -> Pod:
    """A pod of the group, on seat 1."""
    return Pod(name, f"uid-{name}", seat=seat, owned=owned, **fields)  # type: ignore[arg-type] # fields by name


def printed(pods: tuple[Pod, ...], stopwatches: Stopwatches | None = None, now: float = 0.0) -> list[str]:
    """The grid's lines, as a terminal of 80 columns without colours gets them."""
    output = io.StringIO()
    Console(file=output, width=80).print(draw_seats(pods, stopwatches or Stopwatches(), now))
    return output.getvalue().splitlines()


def recovering(**fields: object) -> Stopwatches:
    """Stopwatches of which that of seat 1 was started at 10 s."""
    stopwatches = Stopwatches()
    stopwatches.recoveries = (Recovery("web-1-old", 1, sent=10.0, sent_wall=0.0, **fields),)  # type: ignore[arg-type] # fields by name
    return stopwatches


STATES = [
    ([], State.EMPTY, ""),
    ([pod("a")], State.PENDING, "a"),
    ([pod("a", node="node-0")], State.STARTING, "a"),
    ([pod("a", node="node-0", ready=True)], State.READY, "a"),
    ([pod("a", node="node-0", ready=True, leaving=True)], State.TERMINATING, "a"),
    ([pod("a", leaving=True), pod("b", node="node-0")], State.STARTING, "b"),
    ([pod("a", phase="Failed")], State.EMPTY, ""),
    ([pod("a", seat=2)], State.EMPTY, ""),
    ([pod("a", owned=False)], State.EMPTY, ""),
]
IDS = [
    "nobody is there",
    "it has no node yet",
    "it has a node",
    "it is ready",
    "it was told to end",
    "the successor sits there while the predecessor leaves",
    "a finished pod sits nowhere",
    "it sits on another seat",
    "a label alone does not make it one of the group",
]


@pytest.mark.parametrize(("pods", "state", "name"), STATES, ids=IDS)
def test_a_seat_shows_the_pod_that_counts(pods: list[Pod], state: State, name: str) -> None:
    """A live pod before one on its way out, and nobody who is not of the group."""
    assert seat_of(1, pods) == Seat(1, state, name)


def test_every_state_can_be_told_without_colours() -> None:
    """Symbols and words all differ."""
    assert len({state.label[0] for state in State}) == len({state.label[2:] for state in State}) == len(State)


@pytest.mark.parametrize(
    "pods",
    [(), (pod("web-1-abcde", ready=True),), tuple(pod(f"web-{n}-abcde", seat=n) for n in range(9))],
    ids=["no pod", "one pod", "more pods than seats"],
)
def test_the_grid_never_moves(pods: tuple[Pod, ...]) -> None:
    """Whoever sits there, the seats stand at the same columns of the same lines, and 80 columns are enough."""
    lines, empty = printed(pods), printed(())
    assert lines[0] == empty[0]
    assert lines[0].count("seat") == SEATS
    assert [len(line) for line in lines[:-1]] == [len(line) for line in empty[:-1]]
    assert max(map(len, lines)) <= 80


def test_a_running_stopwatch_stands_on_its_seat() -> None:
    """The seat is empty, the watch runs, and below it is who was killed."""
    lines = printed((), recovering(), now=10.25)
    seat = [line.split("│")[3].strip() for line in lines[1:5]]
    assert seat == ["○ empty", "", "… 250 ms", "✕ web-1-old"]


def test_a_stopped_stopwatch_stays_with_the_replacement() -> None:
    """It shows the time that it took, however much later it is."""
    new = pod("web-1-new", node="node-0", ready=True)
    lines = printed((new,), recovering(ready=0.0184, replacement="web-1-new"), now=99.0)
    seat = [line.split("│")[3].strip() for line in lines[1:5]]
    assert seat == ["● ready", "web-1-new", "✓ 18 ms", "✕ web-1-old"]


def test_a_stopped_stopwatch_goes_when_its_pod_goes() -> None:
    """A seat that was given up later does not boast of an old recovery."""
    lines = printed((), recovering(ready=0.0184, replacement="web-1-new"), now=99.0)
    assert lines[:-1] == printed(())[:-1]


def test_a_restart_is_shown_where_the_predecessor_was() -> None:
    """The pod that was restarted sits there still; how often is said, and by no other name."""
    stopwatches = recovering(ready=0.0184, replacement="web-1-new")
    stopwatches.restarts = (Restart(pod("web-1-new", ready=True), sent=50.0, ready=0.927),)
    again = pod("web-1-new", node="node-0", ready=True, restarts=1)
    seat = [line.split("│")[3].strip() for line in printed((again,), stopwatches, now=99.0)[1:5]]
    assert seat == ["● ready", "web-1-new", "✓ 927 ms", "↻ 1 restart"]


def test_while_a_pod_restarts_its_seat_has_no_predecessor() -> None:
    """The stopwatch runs, and nobody was replaced."""
    stopwatches = Stopwatches()
    stopwatches.restarts = (Restart(pod("web-1-new", ready=True), sent=50.0),)
    hit = pod("web-1-new", node="node-0")
    seat = [line.split("│")[3].strip() for line in printed((hit,), stopwatches, now=50.4)[1:5]]
    assert seat == ["◐ starting", "web-1-new", "… 400 ms", ""]


def test_a_pod_outside_the_group_is_named_below_the_seats() -> None:
    """A bare pod has no seat until it is adopted."""
    newcomer = pod("newcomer", seat=None, owned=False, node="node-0", ready=True)
    assert printed((newcomer,))[-1].strip() == "outside the group: ● ready newcomer"
    assert printed(())[-1].strip() == "outside the group: nobody"


def test_a_stopwatch_is_read_in_whole_milliseconds() -> None:
    """Running it shows the time up to now, stopped the time up to Ready."""
    recovery = Recovery("web-1-old", 1, sent=10.0, sent_wall=0.0)
    assert reading(recovery, now=11.5) == "… 1500 ms"
    recovery.ready = 0.0421
    assert reading(recovery, now=99.0) == "✓ 42 ms"

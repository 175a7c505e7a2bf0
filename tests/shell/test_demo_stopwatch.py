"""The demo's stopwatches: which news stops which watch, and what the table makes of it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from demo.pods import Pod
from demo.stopwatch import Recovery, Restart, Stopwatches, spoken, table
from demo.watch import News

OLD = Pod("web-1-old", "uid-1", seat=1, owned=True)
OTHER = Pod("web-2-old", "uid-2", seat=2, owned=True)


def killed(victim: str = "web-1-old") -> Recovery:
    """A recovery whose delete request was sent at 100 s of the monotonic clock and 5000 s of the wall clock."""
    return Recovery(victim, seat=1, sent=100.0, sent_wall=5000.0)


def replacement(*, ready: bool = False, replaces: str = "web-1-old", lost_at: float | None = 5000.004) -> Pod:
    """A pod that the operator has made for one that was lost."""
    return Pod("web-1-new", "uid-3", seat=1, owned=True, ready=ready, replaces=replaces, lost_at=lost_at)


def laps(recovery: Recovery) -> tuple[float | None, ...]:
    """The three laps in milliseconds, rounded to what a float holds."""
    taken = (recovery.noticed, recovery.created, recovery.ready)
    return tuple(None if lap is None else round(lap * 1000, 3) for lap in taken)


def printed(recoveries: list[Recovery]) -> list[str]:
    """The table's lines, as a pipe gets them."""
    output = io.StringIO()
    Console(file=output, width=80).print(table(recoveries))
    return output.getvalue().splitlines()


def test_each_lap_counts_from_the_delete_request() -> None:
    """Noticed is read from the wall clock, created and ready from the monotonic one."""
    recovery = killed()
    recovery.see(News(100.010, replacement()))
    recovery.see(News(100.025, replacement(ready=True)))
    assert laps(recovery) == (4.0, 10.0, 25.0)
    assert recovery.replacement == "web-1-new"


def test_a_replacement_first_seen_ready_is_created_and_ready_at_once() -> None:
    """A watch that was cut off for a moment may show both in one piece of news."""
    recovery = killed()
    recovery.see(News(100.5, replacement(ready=True)))
    assert laps(recovery) == (4.0, 500.0, 500.0)


def test_only_the_first_time_counts() -> None:
    """A replacement that becomes unready and Ready again does not move the laps."""
    recovery = killed()
    for at, ready in ((100.1, True), (100.2, False), (100.3, True)):
        recovery.see(News(at, replacement(ready=ready)))
    assert laps(recovery) == (4.0, 100.0, 100.0)


@pytest.mark.parametrize(
    "news",
    [
        News(100.1, replacement(replaces="web-2-old")),
        News(100.1, Pod("web-1-new", "uid-3", seat=1, owned=True, ready=True)),
        News(100.1, replacement(ready=True), gone=True),
    ],
    ids=["it replaces another pod", "it sits there but replaces nobody", "it is gone already"],
)
def test_other_news_stops_nothing(news: News) -> None:
    """A seat that is taken again is no recovery: the replacement must name the pod that was killed."""
    recovery = killed()
    recovery.see(news)
    assert laps(recovery) == (None, None, None)


def test_a_replacement_without_a_time_of_loss_leaves_that_lap_open() -> None:
    """What was not measured is not made up."""
    recovery = killed()
    recovery.see(News(100.01, replacement(ready=True, lost_at=None)))
    assert laps(recovery) == (None, 10.0, 10.0)


def test_stopwatches_are_stopped_when_every_victim_has_a_ready_replacement() -> None:
    """Of two that were killed at once, one replacement is not enough."""
    stopwatches = Stopwatches()
    stopwatches.start([OLD, OTHER])
    sent = stopwatches.recoveries[0].sent
    stopwatches.see(News(sent + 0.01, replacement(ready=True)))
    assert not stopwatches.stopped
    stopwatches.see(News(sent + 0.02, replacement(ready=True, replaces="web-2-old")))
    assert stopwatches.stopped


def test_a_seat_shows_its_latest_recovery() -> None:
    """Whoever sat there is killed, then the replacement: the second stopwatch is the seat's."""
    stopwatches = Stopwatches()
    stopwatches.start([OLD])
    stopwatches.start([replacement()])
    latest = stopwatches.at(1)
    assert latest is not None
    assert latest.victim == "web-1-new"
    assert stopwatches.at(2) is None


RESTARTED = replace(OLD, restarts=1, ready=True)


@pytest.mark.parametrize(
    "news",
    [
        News(101.0, replace(OLD, ready=True)),
        News(101.0, replace(RESTARTED, ready=False)),
        News(101.0, replace(RESTARTED, uid="uid-9")),
        News(101.0, RESTARTED, gone=True),
    ],
    ids=["its process is not dead yet", "it is not ready yet", "another pod has its name", "it is gone"],
)
def test_a_restart_is_not_over_before_the_same_pod_is_back(news: News) -> None:
    """Only the pod that was hit, with one restart more and Ready, stops the watch, and only once."""
    restart = Restart(OLD, sent=100.0)
    restart.see(news)
    assert restart.ready is None
    restart.see(News(102.5, RESTARTED))
    restart.see(News(103.0, RESTARTED))
    assert restart.ready == 2.5


def test_a_restart_takes_the_place_of_an_older_recovery_on_its_seat() -> None:
    """The seat shows what happened last, and nobody has come in the pod's place."""
    stopwatches = Stopwatches()
    stopwatches.start([OTHER, OLD])
    restart = stopwatches.start_restart(replacement(ready=True))
    assert stopwatches.at(1) is restart
    assert (restart.victim, restart.replacement) == ("web-1-new", "web-1-new")
    assert stopwatches.at(2) is stopwatches.recoveries[0]


def test_the_table_has_a_row_for_each_kill_and_the_median_and_the_worst() -> None:
    """Times are in milliseconds with one decimal; the median of four is between the middle two."""
    recoveries = [
        Recovery(f"web-{seat}-old", seat, 0.0, 0.0, f"web-{seat}-new", 0.001, 0.002, ready)
        for seat, ready in enumerate((0.010, 0.020, 0.040, 0.1))
    ]
    lines = printed(recoveries)
    assert "│ 3    │ web-3-old │ web-3-new   │     1.0 │     2.0 │ 100.0 │" in lines
    assert "│      │ median    │             │     1.0 │     2.0 │  30.0 │" in lines
    assert "│      │ worst     │             │     1.0 │     2.0 │ 100.0 │" in lines


def test_the_table_shows_a_dash_for_what_was_not_seen() -> None:
    """A pod that did not heal has no times, and the median is that of the others."""
    healed = Recovery("web-0-old", 0, 0.0, 0.0, "web-0-new", 0.001, 0.002, 0.003)
    lines = printed([healed, killed()])
    assert "│ 1    │ web-1-old │ -           │       - │       - │     - │" in lines
    assert "│      │ median    │             │     1.0 │     2.0 │   3.0 │" in lines


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0184, "18 ms"), (0.9994, "999 ms"), (1.25, "1.2 s"), (75.0, "75.0 s")]
)
def test_a_duration_is_spoken_in_its_own_unit(seconds: float, words: str) -> None:
    """Below a second it is in milliseconds, above in seconds."""
    assert spoken(seconds) == words

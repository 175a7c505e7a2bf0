"""The time that a compilation is said to take comes true, be the machine as fast as was thought or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controlplane.headway import LINK_SECONDS, Headway, Source, about

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = {f"package-{number}": Source(1_000 * (number * 7919 % 100), number // 2) for number in range(2000)}
"""Two thousand packages of up to 100 kB, large and small ones mixed; what is compiled later depends on more."""

CORES = 2


def compiled(headway: Headway, slowness: float, until: float) -> Iterator[float]:
    """Compile on a machine that needs that many times as long as was thought; give the moment each package begins."""
    whole = slowness * (headway.total - LINK_SECONDS) / CORES
    spent = 0.0
    for name, source in SOURCES.items():
        now = slowness * spent / CORES
        if now > until * whole:
            return
        headway.begin(name, now)
        yield now
        spent += source.seconds


@pytest.mark.parametrize(
    ("slowness", "share", "tolerance"),
    [
        pytest.param(1.0, 0.0, 0.05, id="as fast as thought, at once"),
        pytest.param(1.0, 0.5, 0.05, id="as fast as thought, half-way"),
        pytest.param(1.0, 0.95, 0.05, id="as fast as thought, near the end"),
        pytest.param(3.0, 0.03, 0.5, id="three times slower, soon"),
        pytest.param(3.0, 0.3, 0.1, id="three times slower, after a third"),
        pytest.param(3.0, 0.7, 0.1, id="three times slower, later"),
        pytest.param(0.25, 0.3, 0.1, id="four times faster, after a third"),
        pytest.param(0.25, 0.7, 0.1, id="four times faster, later"),
    ],
)
def test_it_comes_true(slowness: float, share: float, tolerance: float) -> None:
    """At any moment the time that is said to be left is the time that is left, nearly."""
    headway = Headway(SOURCES, 1, CORES)
    now = max(compiled(headway, slowness, share))
    truth = slowness * headway.total / CORES - now
    assert headway.left(now) == pytest.approx(truth, rel=tolerance)


def test_it_only_goes_forward() -> None:
    """What is done never shrinks, and never reaches the whole before Go has ended."""
    headway = Headway(SOURCES, 1, CORES)
    done = [headway.done(now) for now in compiled(headway, 1.0, 1.0)]
    assert done == sorted(done)
    assert 0 <= done[0] < done[-1] < headway.total


def test_while_programs_are_linked_it_goes_on() -> None:
    """Go says nothing then: time alone brings the end nearer, and not beyond it."""
    headway = Headway({"small": Source(0, 0)}, 2, CORES)
    headway.begin("small", 0.0)
    left = [headway.left(now) for now in (1.0, 2.0, 4.0)]
    assert left == sorted(left, reverse=True)
    assert headway.done(1000.0) == pytest.approx(headway.total)
    assert headway.left(1000.0) == pytest.approx(0.0)


@pytest.mark.parametrize("line", ["go: downloading example.com v1.0.0", "package-1", "# example.com/warning"])
def test_other_words_of_go_count_nothing(line: str) -> None:
    """Only a package that is to be compiled, and it only once, is headway."""
    headway = Headway({"package-1": Source(10_000_000, 0), "package-2": Source(0, 0)}, 1, CORES)
    headway.begin("package-1", 0.0)
    before = headway.done(5.0)
    headway.begin(line, 5.0)
    assert headway.done(5.0) == before


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "about 10 s"),
        (14.0, "about 10 s"),
        (26.0, "about 30 s"),
        (90.0, "about 90 s"),
        (91.0, "about 2 min"),
        (440.0, "about 7 min"),
    ],
)
def test_a_time_is_said_as_it_is_known(seconds: float, words: str) -> None:
    """To ten seconds, or to a minute."""
    assert about(seconds) == words

"""The turnover: which pods go, in which order, how many of them now, and what is made in their places."""

from typing import Any

import pytest

from builders import NOW, desired, gone, observed, pod
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType
from podgroup_operator.core.turnover import Turnover, turnover_of
from podgroup_operator.core.view import view_of

RECREATE, ON_DELETE = Strategy(StrategyType.RECREATE), Strategy(StrategyType.ON_DELETE)


def rolling(surge: int = 1, unavailable: int = 0, partition: int = 0) -> Strategy:
    """Build a rolling update."""
    return Strategy(max_surge=Share(surge), max_unavailable=Share(unavailable), partition=Share(partition))


def group(replicas: int = 3, strategy: Strategy = rolling(), **changes: Any) -> Desired:  # noqa: B008 - frozen
    """Build a group on its way from r1 to r2."""
    return desired(replicas, **({"revision": "r2", "former": "r1", "strategy": strategy} | changes))


def old(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of r1, available."""
    return tuple(pod(f"old-{slot}", slot=slot, **({"revision": "r1"} | changes)) for slot in slots)


def new(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of r2, available."""
    return tuple(pod(f"new-{slot}", slot=slot, **({"revision": "r2"} | changes)) for slot in slots)


STARTING: dict[str, Any] = {"ready_since": None}
FRESH: dict[str, Any] = {"ready_since": NOW - 5}


def found(wanted: Desired, seen: Observed) -> Turnover:
    """Find the turnover of a group."""
    view = view_of(wanted, seen, NOW)
    return turnover_of(view, view.active)


def names(pods: tuple[Pod, ...]) -> str:
    """Give names in short."""
    return " ".join(each.name for each in pods)


# Who goes, in order.
GOING: dict[str, tuple[Desired, Observed, str]] = {
    "nobody where all are up to date": (group(2), observed(*new(0, 1)), ""),
    "every pod of another revision": (group(2), observed(*old(0, 1)), "old-0 old-1"),
    "one that has no revision too: it was adopted": (group(1), observed(*old(0, revision="")), "old-0"),
    "first those that are not Ready, then those that are not Ready for long enough": (
        group(3, min_ready_seconds=10),
        observed(*old(0), *old(1, **FRESH), *old(2, **STARTING)),
        "old-2 old-1 old-0",
    ),
    "those that were asked for before the others that are available": (
        group(3),
        observed(*old(0, 1), *old(2, asked=True)),
        "old-2 old-0 old-1",
    ),
    "of the new revision only those that were asked for": (
        group(2),
        observed(*new(0), *new(1, asked=True)),
        "new-1",
    ),
    "those whose seat a new pod has taken before the rest": (
        group(3),
        observed(*old(0, 1, 2), *new(2)),
        "old-2 old-0 old-1",
    ),
    "those whose seat is beyond the last likewise": (
        group(2),
        observed(*old(0, 5)),
        "old-5 old-0",
    ),
    "those that are cheap to lose before those that are dear": (
        group(2),
        observed(*old(0), *old(1, deletion_cost=-5)),
        "old-1 old-0",
    ),
    "not those that must be kept": (group(3), observed(*old(0, 1), *old(2, kept=True)), "old-0 old-1"),
    "keep wins over delete": (group(2), observed(*old(0, kept=True, asked=True), *new(1, kept=True, asked=True)), ""),
    "as many as the partition lets go": (group(3, rolling(partition=2)), observed(*old(0, 1, 2)), "old-0"),
    "a kept pod is one of those that the partition leaves": (
        group(3, rolling(partition=2)),
        observed(*old(0, kept=True), *old(1, 2)),
        "old-1",
    ),
    "those that were asked for are among those that the partition lets go": (
        group(3, rolling(partition=2)),
        observed(*old(0, 1), *old(2, asked=True)),
        "old-2",
    ),
    "more than the partition lets go if so many were asked for": (
        group(3, rolling(partition=2)),
        observed(*old(0), *old(1, 2, asked=True)),
        "old-1 old-2",
    ),
    "none is taken back where the partition was raised": (
        group(3, rolling(partition=3)),
        observed(*old(0), *new(1, 2)),
        "",
    ),
    "none while the group is paused": (group(2, paused=True), observed(*old(0, 1)), ""),
    "what was asked for even while it is paused": (
        group(2, paused=True),
        observed(*old(0), *old(1, asked=True)),
        "old-1",
    ),
    "none that was there before revisions were kept": (group(2, held=True), observed(*old(0, 1)), ""),
    "with OnDelete none but what was asked for": (
        group(2, ON_DELETE),
        observed(*old(0), *old(1, asked=True)),
        "old-1",
    ),
    "with Recreate all": (group(2, RECREATE), observed(*old(0, 1)), "old-0 old-1"),
    "with Recreate none while an old pod must be kept": (
        group(2, RECREATE),
        observed(*old(0), *old(1, kept=True)),
        "",
    ),
    "with Recreate a new pod that must be kept holds up nothing": (
        group(2, RECREATE),
        observed(*old(0), *new(1, kept=True)),
        "old-0",
    ),
}


@pytest.mark.parametrize(("wanted", "seen", "going"), GOING.values(), ids=GOING)
def test_these_go_in_this_order(wanted: Desired, seen: Observed, going: str) -> None:
    """What is to be replaced though it lives, the cheapest to lose first."""
    assert names(found(wanted, seen).going) == going


# Who may go now.
LEAVING: dict[str, tuple[Desired, Observed, str]] = {
    "none while all are needed": (group(3), observed(*old(0, 1, 2)), ""),
    "one for each new pod that is available": (group(3), observed(*old(0, 1, 2), *new(0)), "old-0"),
    "none for a new pod that is not available yet": (group(3), observed(*old(0, 1, 2), *new(0, **STARTING)), ""),
    "as many as may be unavailable": (group(3, rolling(0, 2)), observed(*old(0, 1, 2)), "old-0 old-1"),
    "less those that are unavailable already": (
        group(3, rolling(0, 2)),
        observed(*old(0, 1), *new(2, **STARTING)),
        "old-0",
    ),
    "whoever is not Ready, at no cost": (
        group(3),
        observed(*old(0), *old(1, 2, **STARTING)),
        "old-1 old-2",
    ),
    "where nothing may be unavailable and nothing made beyond, one at a time": (
        group(3, rolling(0, 0)),
        observed(*old(0, 1, 2)),
        "old-0",
    ),
    "one that cannot be removed is passed over, and none that is available goes instead": (
        group(3),
        observed(*old(0, **STARTING), *old(1, 2), stuck=frozenset({"uid-old-0"})),
        "",
    ),
    "one that cannot be removed holds up no other": (
        group(3, rolling(0, 1)),
        observed(*old(0, 1, 2), stuck=frozenset({"uid-old-0"})),
        "old-1",
    ),
    "one that answers, though not for long, only where enough others do": (
        group(3, rolling(1, 0), min_ready_seconds=10),
        observed(*old(0, 1, 2, **FRESH)),
        "",
    ),
    "none for a new pod that answers, but not for long, though no old one has for longer": (
        group(3, rolling(1, 0), min_ready_seconds=10),
        observed(*old(0, 1, 2, **FRESH), *new(0, **FRESH)),
        "",
    ),
    "nor a second one where one may be unavailable": (
        group(3, rolling(0, 1), min_ready_seconds=10),
        observed(*old(0, 1, **FRESH), *new(2, **FRESH)),
        "",
    ),
    "one that answers, though not for long, for a new one that is available": (
        group(3, rolling(1, 0), min_ready_seconds=10),
        observed(*old(0, 1, 2, **FRESH), *new(0)),
        "old-0",
    ),
    "one that was asked for, for another of its template that answers": (
        group(3, rolling(1, 0), min_ready_seconds=10),
        observed(*new(0, 1, **FRESH), *new(2, asked=True, **FRESH), *new(3, **FRESH)),
        "new-2",
    ),
    "one that answers, though not for long, before one that is available": (
        group(3, rolling(1, 0), min_ready_seconds=10),
        observed(*old(0, 1), *old(2, **FRESH), *new(2)),
        "old-2",
    ),
    "however many were asked for": (
        group(3, rolling(0, 1)),
        observed(*new(0, 1, 2, asked=True)),
        "new-0",
    ),
    "with OnDelete one at a time of those that were asked for": (
        group(3, ON_DELETE),
        observed(*old(0, 1, 2, asked=True)),
        "old-0",
    ),
    "with Recreate all at once": (group(3, RECREATE), observed(*old(0, 1, 2)), "old-0 old-1 old-2"),
    "with Recreate one at a time of those that were asked for, where nothing is to be rolled": (
        group(3, RECREATE),
        observed(*new(0, 1, 2, asked=True)),
        "new-0",
    ),
    "all of a group of none": (group(0), observed(*old(0, 1)), "old-0 old-1"),
}


@pytest.mark.parametrize(("wanted", "seen", "leaving"), LEAVING.values(), ids=LEAVING)
def test_so_many_may_go_now(wanted: Desired, seen: Observed, leaving: str) -> None:
    """What is not Ready goes at no cost; of the rest as many as leave enough that are available."""
    assert names(found(wanted, seen).leaving) == leaving


# What is yet to be made: of the new revision, as they were, and how many beyond `replicas`.
MAKING: dict[str, tuple[Desired, Observed, tuple[int, int, int]]] = {
    "one for each that goes": (group(3, rolling(2)), observed(*old(0, 1, 2)), (3, 0, 2)),
    "less those that there are": (group(3, rolling(2)), observed(*old(0, 1), *new(2)), (2, 0, 2)),
    "no more beyond than go": (group(3, rolling(2)), observed(*old(0), *new(1, 2)), (1, 0, 1)),
    "nothing where all are up to date": (group(3), observed(*new(0, 1, 2)), (0, 0, 0)),
    "what is missing where nothing is to be rolled": (group(3), observed(*new(0)), (2, 0, 0)),
    "as they were for what the partition leaves": (
        group(4, rolling(partition=2)),
        observed(*old(0)),
        (2, 1, 0),
    ),
    "as they were while paused": (group(3, paused=True), observed(*old(0)), (0, 2, 0)),
    "in the place of one that was asked for while paused": (
        group(2, paused=True),
        observed(*old(0), *old(1, asked=True)),
        (0, 1, 1),
    ),
    "paused in its middle it keeps what there is beyond": (
        group(3, rolling(2), paused=True),
        observed(*old(0, 1, 2), *new(0, 1)),
        (0, 0, 2),
    ),
    "anew for what is missing of pods that were there before revisions": (
        group(3, held=True),
        observed(*old(0)),
        (2, 0, 0),
    ),
    "anew with OnDelete": (group(3, ON_DELETE), observed(*old(0)), (2, 0, 0)),
    "nothing with OnDelete while nothing is missing": (group(3, ON_DELETE), observed(*old(0, 1, 2)), (0, 0, 0)),
    "all of them with Recreate, none beyond": (group(3, RECREATE), observed(*old(0, 1)), (3, 0, 0)),
    "as they were with Recreate while an old pod must be kept": (
        group(3, RECREATE),
        observed(*old(0, kept=True)),
        (0, 2, 0),
    ),
    "nothing in the place of one that must be kept": (
        group(3),
        observed(*old(0, kept=True), *new(1, 2)),
        (0, 0, 0),
    ),
}


@pytest.mark.parametrize(("wanted", "seen", "made"), MAKING.values(), ids=MAKING)
def test_so_many_are_made(wanted: Desired, seen: Observed, made: tuple[int, int, int]) -> None:
    """What is yet to be made of the new revision, what as it was, and how many there may be beyond `replicas`."""
    turnover = found(wanted, seen)

    assert (turnover.new, turnover.old, turnover.surge) == made


BLOCKED: dict[str, tuple[Desired, Observed, bool]] = {
    "an old pod lives": (group(2, RECREATE), observed(*old(0)), True),
    "an old pod is on its way out": (group(2, RECREATE), observed(gone("old-0", revision="r1")), True),
    "an old pod on its way out has come to its end": (
        group(2, RECREATE),
        observed(gone("old-0", revision="r1", phase=Phase.SUCCEEDED)),
        False,
    ),
    "a corpse of an old pod lies there": (
        group(2, RECREATE),
        observed(pod("old-0", revision="r1", phase=Phase.FAILED)),
        False,
    ),
    "a new pod is on its way out": (group(2, RECREATE), observed(gone("new-0", revision="r2")), False),
    "a rolling update": (group(2), observed(*old(0)), False),
    "it is paused": (group(2, RECREATE, paused=True), observed(*old(0)), False),
}


@pytest.mark.parametrize(("wanted", "seen", "blocked"), BLOCKED.values(), ids=BLOCKED)
def test_recreate_makes_nothing_beside_an_old_pod(wanted: Desired, seen: Observed, blocked: bool) -> None:  # noqa: FBT001
    """With Recreate no new pod is made beside an old one, terminating ones included."""
    assert found(wanted, seen).blocked is blocked

"""Heirs: of which revision a pod is that is made in the place of a lost one, so that nothing gets worse by a loss."""

from typing import Any

import pytest

from builders import NOW, desired, loss, observed, planned, pod
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.status import Rollout, Status
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType

KNOWN = frozenset({"r0", "r1", "r2"})
ROLLING, RECREATE, ON_DELETE = (Strategy(kind, max_surge=Share(1), max_unavailable=Share(0)) for kind in StrategyType)
HALF = Strategy(max_surge=Share(1), max_unavailable=Share(0), partition=Share(2))
LONG = NOW - 60
PROVED = Status(rollout=Rollout("r2", first_available=NOW - 30))
EARLIER = Status(rollout=Rollout("r1", first_available=NOW - 30))


def group(strategy: Strategy = ROLLING, replicas: int = 4, **changes: Any) -> Desired:
    """Build a group on its way from r1 to r2."""
    return desired(replicas, **({"revision": "r2", "former": "r1", "strategy": strategy} | changes))


def pods(revision: str, *slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of a revision, available."""
    return tuple(pod(f"{revision}-{slot}", slot=slot, revision=revision, **changes) for slot in slots)


def lost(revision: str = "r1", ready_since: float | None = LONG, slot: int = 3) -> Loss:
    """Build the loss of a pod of a revision."""
    return loss(slot, revision=revision, ready_since=ready_since)


def after(*seen: Pod, what: Loss, **changes: Any) -> Observed:
    """Build what is seen when a pod was lost."""
    return observed(*seen, losses={what.slot: what}, **({"templates": KNOWN} | changes))


OLD, STARTING = pods("r1", 0, 1, 2), pods("r2", 2, ready_since=None)
BY_STRATEGY: dict[str, tuple[Desired, Observed, str]] = {
    # A rolling update: its own only if it had been available, and no new pod has been.
    "it had been available, no new pod has been": (group(), after(*OLD, what=lost()), "r1"),
    "it had not been Ready": (group(), after(*OLD, what=lost(ready_since=None)), "r2"),
    "it had not been Ready for long enough": (
        group(min_ready_seconds=90),
        after(*OLD, what=lost()),
        "r2",
    ),
    "a new pod is available": (group(), after(*pods("r1", 0, 1), *pods("r2", 2), what=lost()), "r2"),
    "a new pod has been available in this rollout": (group(), after(*OLD, what=lost(), status=PROVED), "r2"),
    "a pod was available in an earlier rollout": (group(), after(*OLD, what=lost(), status=EARLIER), "r1"),
    "it was of the revision before the last": (group(), after(*OLD, what=lost("r0")), "r0"),
    "it was of the new revision": (group(), after(*OLD, what=lost("r2")), "r2"),
    "its template is known no more": (group(), after(*OLD, what=lost("r9")), "r2"),
    "it had no revision": (group(), after(*OLD, what=lost("")), "r2"),
    # OnDelete: the new one, whatever the cause.
    "OnDelete": (group(ON_DELETE), after(*OLD, what=lost()), "r2"),
    "OnDelete, of a pod before the last": (group(ON_DELETE), after(*OLD, what=lost("r0")), "r2"),
    # Recreate: the new one, when it is at work.
    "Recreate": (group(RECREATE), after(*pods("r2", 0, 1, 2), what=lost()), "r2"),
    "Recreate has not begun, for an old pod must be kept": (
        group(RECREATE),
        after(*pods("r1", 0, 1), *pods("r1", 2, kept=True), what=lost()),
        "r1",
    ),
    # partition and paused: its own, always.
    "partition": (group(HALF), after(*OLD, what=lost()), "r1"),
    "partition, though a new pod is available": (
        group(HALF),
        after(*pods("r1", 0, 1), *pods("r2", 2), what=lost()),
        "r1",
    ),
    "partition, though it was not Ready": (group(HALF), after(*OLD, what=lost(ready_since=None)), "r1"),
    "partition, of the new revision": (
        group(HALF),
        after(*pods("r1", 0, 1), *pods("r2", 2), what=lost("r2")),
        "r2",
    ),
    "paused": (group(paused=True), after(*OLD, what=lost()), "r1"),
    "paused, though a new pod is available": (
        group(paused=True),
        after(*pods("r1", 0, 1), *pods("r2", 2), what=lost()),
        "r1",
    ),
    "paused, of the new revision": (
        group(paused=True),
        after(*pods("r1", 0, 1), *pods("r2", 2), what=lost("r2")),
        "r2",
    ),
    "paused, its template is known no more": (group(paused=True), after(*OLD, what=lost("r9")), "r1"),
    "paused, with Recreate": (group(RECREATE, paused=True), after(*OLD, what=lost()), "r1"),
    "paused, with OnDelete": (group(ON_DELETE, paused=True), after(*OLD, what=lost()), "r1"),
    "partition, of a superseded template that never came up": (
        group(HALF),
        after(*OLD, what=lost("r0", ready_since=None)),
        "r2",
    ),
    "partition, of a superseded template that had come up": (group(HALF), after(*OLD, what=lost("r0")), "r0"),
    "paused, of a superseded template that never came up": (
        group(paused=True),
        after(*OLD, what=lost("r0", ready_since=None)),
        "r1",
    ),
    # Held: pods that were there before revisions were kept.
    "held since an upgrade": (group(held=True), after(*OLD, what=lost()), "r2"),
}


@pytest.mark.parametrize(("wanted", "seen", "revision"), BY_STRATEGY.values(), ids=BY_STRATEGY)
def test_a_lost_pod_is_replaced_so_that_nothing_gets_worse(wanted: Desired, seen: Observed, revision: str) -> None:
    """Which revision its replacement has depends on the strategy, on the pod, and on whether a new one was good."""
    (create, *_) = planned(wanted, seen).creates

    assert (create.revision, create.loss) == (revision, *seen.losses.values())


# An old pod is lost while there are pods enough, a new one among them that may never be available.
MISSED, NEXT = [("r1", "web-3")], [("r2", "")]
ENOUGH: dict[str, tuple[Desired, Observed, list[tuple[str, str]]]] = {
    "it is missed": (group(), after(*OLD, *STARTING, what=lost()), MISSED),
    "not if it had not been available": (group(), after(*OLD, *STARTING, what=lost(ready_since=None)), NEXT),
    "not if a new pod has been available": (group(), after(*OLD, *STARTING, what=lost(), status=PROVED), NEXT),
    "not if it was a new one": (group(), after(*OLD, *STARTING, what=lost("r2")), NEXT),
    "it is missed under a partition": (group(HALF), after(*OLD, *STARTING, what=lost()), MISSED),
    "it is missed while paused, for nobody waits for the new one": (
        group(paused=True),
        after(*OLD, *STARTING, what=lost(), status=PROVED),
        MISSED,
    ),
    "never beyond the surge": (group(), after(*OLD, *pods("r2", 0, 1, ready_since=None), what=lost()), []),
}


@pytest.mark.parametrize(("wanted", "seen", "made"), ENOUGH.values(), ids=ENOUGH)
def test_a_pod_that_proved_good_is_missed_beside_one_that_did_not(
    wanted: Desired, seen: Observed, made: list[tuple[str, str]]
) -> None:
    """Within the surge it comes again though there are pods enough, for the new ones may never be available."""
    creates = planned(wanted, seen).creates

    assert [(create.revision, create.loss.pod if create.loss else "") for create in creates] == made


FORMER: dict[str, tuple[Desired, list[str]]] = {
    "a new group has the only revision that there is": (group(replicas=2, former=""), ["r2", "r2"]),
    "one that was created paused gets nothing": (group(replicas=2, former="", paused=True), []),
    "one that is paused and scaled out gets what it has": (group(replicas=2, paused=True), ["r1", "r1"]),
    "one that is paused, of whose former template nothing is known, gets the new one": (
        group(replicas=2, former="r9", paused=True),
        ["r2", "r2"],
    ),
    "what a partition leaves is made as it was": (group(HALF, 4), ["r2", "r2", "r1", "r1"]),
}


@pytest.mark.parametrize(("wanted", "revisions"), FORMER.values(), ids=FORMER)
def test_what_replaces_nobody_is_made_as_the_strategy_says(wanted: Desired, revisions: list[str]) -> None:
    """An empty group is filled with new pods, and with as many as they were as are to stay."""
    creates = planned(wanted, observed(templates=KNOWN)).creates

    assert [create.revision for create in creates] == revisions


TRIED = Status(rollout=Rollout("r2", start=NOW - 60))
QUARTER = Strategy(max_surge=Share(25, percent=True), max_unavailable=Share(25, percent=True))


def made(group: Desired, seen: Observed) -> list[str]:
    """Give of which revisions pods are made, those of the surge last."""
    return [create.revision for create in planned(group, seen).creates]


def test_a_scale_out_keeps_enough_of_what_has_proved_good() -> None:
    """From 4 to 12 with a rollout that is stuck: 9 old and 6 new, as a Deployment has (kubernetes#20273)."""
    seen = observed(*pods("r1", 0, 1, 2), *pods("r2", 2, 3, ready_since=None), templates=KNOWN, status=TRIED)
    assert made(group(QUARTER, replicas=12), seen) == ["r1"] * 6 + ["r2"] + ["r2"] * 3


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({}, (*pods("r1", 0, 1, 2), *pods("r2", 3))),
        ({}, pods("r1", 0, 1, 2, 3)),
        ({}, (*pods("r1", 0, 1, 2, ready_since=None), *pods("r2", 2, 3, ready_since=None))),
        ({"former": "r9"}, (*pods("r1", 0, 1, 2), *pods("r2", 2, 3, ready_since=None))),
    ],
    ids=["the new one is available", "none of the new is there", "the old ones are no better", "nobody knows the old"],
)
def test_a_scale_out_is_new_where_the_old_would_be_no_better(changes: dict[str, Any], seen: tuple[Pod, ...]) -> None:
    """Only what has proved good is made again, and only while the new template has not."""
    there = observed(*seen, templates=KNOWN, status=TRIED)
    assert "r1" not in made(group(QUARTER, replicas=12, **changes), there)


@pytest.mark.parametrize("status", [TRIED, Status()], ids=["told", "not told yet"])
def test_what_a_scale_out_made_of_the_old_is_left_to_come_up(status: Status) -> None:
    """It is not taken away for not being Ready, or it would be made without end."""
    young = pods("r1", *range(4, 10), ready_since=None, created=NOW - 1)
    seen = (*pods("r1", 0, 1, 2), *young, *pods("r2", 2, 3, 10, 11, 0, 1, ready_since=None, created=NOW - 2))
    plan = planned(group(QUARTER, replicas=12), observed(*seen, templates=KNOWN, status=status))
    assert (plan.creates, plan.removes) == ((), ())

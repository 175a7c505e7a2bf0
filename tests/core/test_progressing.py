"""The condition Progressing, in Deployment's reasons, and the condition Ready of a generation that is being rolled."""

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, desired, observed, pod, summarized
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.status import Condition, Rollout, Status
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType
from podgroup_operator.core.rollout import COMPLETE, GOES_ON, HELD, MISSED, PAUSED

THEN = NOW - 300
BEGUN = Rollout("r2", THEN, THEN, updated_most=3, available_most=3, first_available=THEN)
RECREATE, ON_DELETE = Strategy(StrategyType.RECREATE), Strategy(StrategyType.ON_DELETE)
TWO_STAY = Strategy(partition=Share(2))


def group(replicas: int = 3, **changes: Any) -> Desired:
    """Build a group on its way from r1 to r2, with a deadline of ten minutes."""
    return desired(replicas, **({"revision": "r2", "update_revision": "r2", "former": "r1"} | changes))


def old(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of r1, available."""
    return tuple(pod(f"old-{slot}", slot=slot, **({"revision": "r1"} | changes)) for slot in slots)


def new(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of r2, available."""
    return tuple(pod(f"new-{slot}", slot=slot, **({"revision": "r2"} | changes)) for slot in slots)


STARTING: dict[str, Any] = {"ready_since": None}


def seen(*pods: Pod, reason: str = GOES_ON, rollout: Rollout = BEGUN, **changes: Any) -> Observed:
    """Build what is seen of a rollout that was begun five minutes ago, and what was told of it."""
    progressing = Condition("Progressing", "True", reason, "", 1, THEN)
    status = Status(rollout=rollout, conditions=(progressing,), replicas=3, current_revision="r1")
    return observed(*pods, **({"templates": frozenset({"r1", "r2"}), "status": status} | changes))


def condition(kind: str, wanted: Desired, world: Observed) -> Condition:
    """Give one condition of a group."""
    return next(each for each in summarized(wanted, world, Outcome(), NOW).conditions if each.type == kind)


MIXED = (*new(0, 1), *old(2))
SHORT = group(progress_deadline_seconds=200)
PROGRESSING: dict[str, tuple[Desired, Observed, tuple[str, str]]] = {
    "a new group begins": (group(), observed(), ("True", GOES_ON)),
    "it goes on": (group(), seen(*MIXED), ("True", GOES_ON)),
    "it is complete": (group(), seen(*new(0, 1, 2)), ("True", COMPLETE)),
    "it was complete, and a pod is lost": (group(), seen(*new(0, 1), reason=COMPLETE), ("True", COMPLETE)),
    "it was complete, and more are wanted": (group(5), seen(*new(0, 1, 2), reason=COMPLETE), ("True", COMPLETE)),
    "it was complete, and all are lost": (group(), seen(reason=COMPLETE), ("True", COMPLETE)),
    "it was complete, and a pod of another revision is taken in": (
        group(),
        seen(*MIXED, reason=COMPLETE),
        ("True", GOES_ON),
    ),
    "another one was complete": (
        group(),
        seen(*new(0, 1), reason=COMPLETE, rollout=replace(BEGUN, revision="r1")),
        ("True", GOES_ON),
    ),
    "it has missed its deadline": (SHORT, seen(*MIXED), ("False", MISSED)),
    "it has missed its deadline, and is complete after all": (
        SHORT,
        seen(*new(0, 1, 2), reason=MISSED),
        ("True", COMPLETE),
    ),
    "it has missed its deadline, and goes on": (
        SHORT,
        seen(*MIXED, reason=MISSED, rollout=replace(BEGUN, updated_most=1)),
        ("True", GOES_ON),
    ),
    "it has no deadline": (group(progress_deadline_seconds=None), seen(*MIXED), ("True", GOES_ON)),
    "it is paused": (group(paused=True), seen(*MIXED), ("Unknown", PAUSED)),
    "it is paused, though complete": (group(paused=True), seen(*new(0, 1, 2)), ("Unknown", PAUSED)),
    "it is paused long after its deadline": (replace(SHORT, paused=True), seen(*MIXED), ("Unknown", PAUSED)),
    "it is resumed long after its deadline": (SHORT, seen(*MIXED, reason=PAUSED), ("True", GOES_ON)),
    "its pods were there before revisions": (group(held=True), seen(*old(0, 1, 2)), ("Unknown", HELD)),
    "none of those is left": (group(held=True), seen(*new(0, 1, 2)), ("True", COMPLETE)),
    "it was rolled back": (
        group(revision="r1"),
        seen(*old(0, 1, 2), reason=MISSED, rollout=Rollout("r1", THEN, THEN, 3, 3, THEN, "r2")),
        ("False", MISSED),
    ),
}


@pytest.mark.parametrize(("wanted", "world", "says"), PROGRESSING.values(), ids=PROGRESSING)
def test_progressing_speaks_as_deployment_does(wanted: Desired, world: Observed, says: tuple[str, str]) -> None:
    """Deployment's status and reason for each state of a rollout."""
    found = condition("Progressing", wanted, world)

    assert (found.status, found.reason) == says


NO_WAY_BACK = " It is not rolled back: no earlier revision is known that was available."
WORDS: dict[str, tuple[Desired, Observed, str]] = {
    "it goes on": (group(), seen(*MIXED), "Of 3 pods 2 are of the new revision, 2 available."),
    "it is complete": (group(), seen(*new(0, 1, 2)), 'PodGroup "web" has successfully progressed.'),
    "it has missed its deadline": (SHORT, seen(*MIXED), 'PodGroup "web" has timed out progressing.'),
    "it cannot be rolled back": (
        replace(SHORT, rollback_on_deadline=True),
        seen(*MIXED),
        f'PodGroup "web" has timed out progressing.{NO_WAY_BACK}',
    ),
}


@pytest.mark.parametrize(("wanted", "world", "message"), WORDS.values(), ids=WORDS)
def test_progressing_says_how_far_it_is(wanted: Desired, world: Observed, message: str) -> None:
    """The message has the numbers, or Deployment's own words."""
    assert condition("Progressing", wanted, world).message == message


# Ready of a new generation (decision: what a rollout's end is, so that no tool waits for ever).
READY: dict[str, tuple[Desired, Observed, tuple[str, str]]] = {
    "all are new and available": (group(), seen(*new(0, 1, 2)), ("True", "AllReplicasAvailable")),
    "all are available, one is old": (group(), seen(*MIXED), ("False", GOES_ON)),
    "all new ones are available, an old one is left over": (
        group(),
        seen(*new(0, 1, 2), *old(3)),
        ("False", "ScalingDown"),
    ),
    "a new one is not available": (
        group(),
        seen(*new(0, 1), *new(2, **STARTING)),
        ("False", "ReplicasNotAvailable"),
    ),
    "it has missed its deadline": (SHORT, seen(*MIXED), ("False", MISSED)),
    "as many are new as the partition lets": (
        group(strategy=TWO_STAY),
        seen(*new(0), *old(1, 2)),
        ("True", "AllReplicasAvailable"),
    ),
    "fewer are new than the partition lets": (group(strategy=TWO_STAY), seen(*old(0, 1, 2)), ("False", GOES_ON)),
    "one that the partition leaves is not available": (
        group(strategy=TWO_STAY),
        seen(*new(0), *old(1), *old(2, **STARTING)),
        ("False", "ReplicasNotAvailable"),
    ),
    "the one that must be kept is left out": (
        group(),
        seen(*new(0, 1), *old(2, kept=True)),
        ("True", "AllReplicasAvailable"),
    ),
    "OnDelete, all are available, and old": (
        group(strategy=ON_DELETE),
        seen(*old(0, 1, 2)),
        ("True", "AllReplicasAvailable"),
    ),
    "OnDelete, one is not available": (
        group(strategy=ON_DELETE),
        seen(*old(0, 1), *old(2, **STARTING)),
        ("False", "ReplicasNotAvailable"),
    ),
    "Recreate has taken all away": (group(strategy=RECREATE), seen(), ("False", "ReplicasNotAvailable")),
    "paused, all are old": (group(paused=True), seen(*old(0, 1, 2)), ("False", "Paused")),
    "paused in its middle": (group(paused=True), seen(*MIXED), ("False", "Paused")),
    "paused, all are new": (group(paused=True), seen(*new(0, 1, 2)), ("True", "AllReplicasAvailable")),
    "paused, with OnDelete, all are old": (
        group(paused=True, strategy=ON_DELETE),
        seen(*old(0, 1, 2)),
        ("False", "Paused"),
    ),
    "its pods were there before revisions": (
        group(held=True),
        seen(*old(0, 1, 2)),
        ("True", "AllReplicasAvailable"),
    ),
    "it was rolled back, and all are available": (
        group(revision="r1"),
        seen(*old(0, 1, 2), reason=MISSED, rollout=Rollout("r1", THEN, THEN, 3, 3, THEN, "r2")),
        ("False", "RolledBack"),
    ),
    "none are wanted": (group(0), seen(), ("True", "AllReplicasAvailable")),
}


@pytest.mark.parametrize(("wanted", "world", "says"), READY.values(), ids=READY)
def test_a_generation_is_ready_when_its_rollout_is_as_far_as_the_strategy_lets(
    wanted: Desired, world: Observed, says: tuple[str, str]
) -> None:
    """As many pods are of the new template, and available, as the strategy lets go; else the reason why not."""
    found = condition("Ready", wanted, world)

    assert (found.status, found.reason) == says


KEPT: dict[str, tuple[Desired, Observed, bool]] = {
    "it is left out of the rollout": (group(), seen(*new(0, 1), *old(2, kept=True)), True),
    "Recreate waits for it": (group(strategy=RECREATE), seen(*old(0, 1), *old(2, kept=True)), True),
    "there is one too many": (group(2), seen(*new(0, 1), *new(2, kept=True)), True),
    "it is new": (group(), seen(*new(0, 1), *new(2, kept=True)), False),
    "nothing is rolled with OnDelete": (group(strategy=ON_DELETE), seen(*old(0, 1), *old(2, kept=True)), False),
    "nothing is rolled while paused": (group(paused=True), seen(*new(0, 1), *old(2, kept=True)), False),
}


@pytest.mark.parametrize(("wanted", "world", "named"), KEPT.values(), ids=KEPT)
def test_a_kept_pod_that_holds_something_up_is_named(wanted: Desired, world: Observed, named: bool) -> None:  # noqa: FBT001
    """Ready says which pods are left as they are because they must be kept, while that makes a difference."""
    message = condition("Ready", wanted, world).message

    assert ("Kept by selfheal.dev/keep: " in message) is named


def test_of_many_kept_pods_some_are_named() -> None:
    """A message stays short."""
    world = seen(*old(*range(9), kept=True))

    assert condition("Ready", group(9), world).message.endswith(
        "Kept by selfheal.dev/keep: old-0, old-1, old-2, old-3, old-4 and 4 more."
    )


def test_what_was_rolled_back_needs_a_person() -> None:
    """Stalled says so, with both revisions, until the template changes."""
    world = seen(*old(0, 1, 2), reason=MISSED, rollout=Rollout("r1", THEN, THEN, 3, 3, THEN, "r2"))
    found = condition("Stalled", group(revision="r1"), world)

    assert (found.status, found.reason) == ("True", "RolledBack")
    assert "r2" in found.message
    assert "r1" in found.message


AVAILABLE: dict[str, tuple[Desired, Observed, str]] = {
    "enough for maxUnavailable 0": (group(strategy=Strategy(max_unavailable=Share(0))), seen(*new(0, 1, 2)), "True"),
    "one too few for maxUnavailable 0": (
        group(strategy=Strategy(max_unavailable=Share(0))),
        seen(*MIXED[:1], *old(2)),
        "False",
    ),
    "enough for maxUnavailable 2": (group(strategy=Strategy(max_unavailable=Share(2))), seen(*new(0)), "True"),
    "with neither surge nor unavailability one may be": (
        group(strategy=Strategy(max_surge=Share(0), max_unavailable=Share(0))),
        seen(*new(0, 1)),
        "True",
    ),
    "with Recreate all": (group(strategy=RECREATE), seen(*new(0, 1)), "False"),
    "with OnDelete all": (group(strategy=ON_DELETE), seen(*old(0, 1)), "False"),
}


@pytest.mark.parametrize(("wanted", "world", "says"), AVAILABLE.values(), ids=AVAILABLE)
def test_available_counts_with_the_strategys_own_number(wanted: Desired, world: Observed, says: str) -> None:
    """Available as long as no more are unavailable than the strategy allows."""
    assert condition("Available", wanted, world).status == says


# replicas, updated, unavailable, current, update, last available.
TOLD: dict[str, tuple[Desired, Observed, tuple[int, int, int, str, str, str]]] = {
    "all are old": (group(), seen(*old(0, 1, 2)), (3, 0, 0, "r1", "r2", "")),
    "in its middle, with one beyond that is not available": (
        group(),
        seen(*MIXED, *new(2, **STARTING)),
        (4, 3, 1, "r1", "r2", ""),
    ),
    "all are new": (group(), seen(*new(0, 1, 2)), (3, 3, 0, "r2", "r2", "r2")),
    "as many are new as the partition lets": (
        group(strategy=TWO_STAY),
        seen(*new(0), *old(1, 2)),
        (3, 1, 0, "r1", "r2", ""),
    ),
    "on the way back": (
        group(revision="r1"),
        seen(*old(0, 1), *new(2, **STARTING), rollout=Rollout("r1", THEN, THEN, rolled_back_from="r2")),
        (3, 1, 1, "r1", "r2", ""),
    ),
    "come back": (
        group(revision="r1"),
        seen(*old(0, 1, 2), rollout=Rollout("r1", THEN, THEN, rolled_back_from="r2")),
        (3, 0, 0, "r1", "r2", "r1"),
    ),
}


@pytest.mark.parametrize(("wanted", "world", "counts"), TOLD.values(), ids=TOLD)
def test_the_counts_are_right_at_each_step(
    wanted: Desired, world: Observed, counts: tuple[int, int, int, str, str, str]
) -> None:
    """Pods, those of the template, those that are unavailable, and the revisions, in the middle of a rollout too."""
    status = summarized(wanted, world, Outcome(), NOW)
    revisions = (status.current_revision, status.update_revision, status.last_available_revision)

    assert (status.replicas, status.updated, status.unavailable, *revisions) == counts

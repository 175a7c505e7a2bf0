"""The course of a rollout: what is progress, whether it is complete, when it has missed its deadline, and goes back."""

import math
from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, desired, observed, pod, summarized
from podgroup_operator.core.model.actions import Remove, Why
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Condition, Rollout, Status
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType
from podgroup_operator.core.rollout import (
    CLOCK,
    COMPLETE,
    GOES_ON,
    MISSED,
    PAUSED,
    TAKEOVER,
    deadline,
    is_complete,
    next_tick,
)
from podgroup_operator.core.view import view_of

KNOWN = frozenset({"r1", "r2"})
THEN = NOW - 300
LATE = NOW + 3600
BEGUN = Rollout("r2", THEN, THEN, updated_most=1, available_most=0)
SOON = Refusal("quota", 5.0, forbidden=True)


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


def told(reason: str = GOES_ON, rollout: Rollout = BEGUN, **changes: Any) -> Status:
    """Build what was told last of a rollout."""
    progressing = Condition("Progressing", "True", reason, "", 1, THEN)
    return Status(rollout=rollout, conditions=(progressing,), replicas=3, updated=1, **changes)


def seen(*pods: Pod, **changes: Any) -> Observed:
    """Build what is seen of a rollout that was begun five minutes ago and has one new pod, not available."""
    return observed(*pods, **({"templates": KNOWN, "status": told()} | changes))


def course(wanted: Desired, world: Observed, outcome: Outcome = Outcome(), now: float = NOW) -> Rollout:  # noqa: B008
    """Carry a rollout on."""
    return summarized(wanted, world, outcome, now).rollout


def test_a_rollout_begins_with_its_revision() -> None:
    """A group that is to be of another revision than the last rollout's begins one, whatever the last one was."""
    begun = course(group(), seen(*old(0, 1, 2), status=told(rollout=Rollout("r1", 1.0, 2.0, 9, 9, 3.0))))

    assert begun == Rollout("r2", NOW, NOW)


STILL = (*old(0, 1), *new(2, **STARTING))
OUTDATED, SURPLUS = (Outcome(removed=(Remove(STILL[0], why),)) for why in (Why.OUTDATED, Why.SURPLUS))
PROGRESS: dict[str, tuple[Observed, Outcome, bool]] = {
    "nothing has changed": (seen(*STILL), Outcome(), False),
    "more new pods than ever": (seen(*STILL, *new(3, **STARTING)), Outcome(), True),
    "as many new pods as before, after one was lost": (
        seen(*STILL, status=told(rollout=replace(BEGUN, updated_most=2))),
        Outcome(),
        False,
    ),
    "more of them available than ever": (seen(*old(0, 1), *new(2)), Outcome(), True),
    "as many available as before, after one was lost": (
        seen(*old(0, 1), *new(2), status=told(rollout=replace(BEGUN, available_most=2, first_available=THEN))),
        Outcome(),
        False,
    ),
    "an old pod was taken away for it": (seen(*STILL), OUTDATED, True),
    "an old pod was taken away by a scale-in": (seen(*STILL), SURPLUS, False),
    "an old pod was lost": (seen(*old(0), *new(2, **STARTING)), Outcome(), False),
}


@pytest.mark.parametrize(("world", "outcome", "progress"), PROGRESS.values(), ids=PROGRESS)
def test_progress_is_a_new_maximum_or_an_old_pod_less(world: Observed, outcome: Outcome, progress: bool) -> None:  # noqa: FBT001
    """Progress is Deployment's, within this rollout; that a lost pod is replaced is none."""
    assert course(group(), world, outcome).last_progress == (NOW if progress else THEN)


def test_the_first_that_was_available_is_remembered() -> None:
    """That one was available in this rollout stays known when it is lost again."""
    first = course(group(), seen(*old(0, 1), *new(2)))
    after = course(group(), seen(*old(0, 1), status=told(rollout=first)), now=NOW + 50)

    assert (first.first_available, after.first_available) == (NOW, NOW)


def test_of_pods_that_were_there_before_revisions_no_rollout_is_told() -> None:
    """What is held is left as it is, its rollout too."""
    assert course(group(held=True), seen(*old(0, 1, 2))) == BEGUN


RECREATE, ON_DELETE = Strategy(StrategyType.RECREATE), Strategy(StrategyType.ON_DELETE)
TWO_STAY = Strategy(partition=Share(2))
COMPLETED: dict[str, tuple[Desired, tuple[Pod, ...], bool]] = {
    "all are new and available": (group(), new(0, 1, 2), True),
    "one is not available": (group(), (*new(0, 1), *new(2, **STARTING)), False),
    "one is old": (group(), (*new(0, 1), *old(2)), False),
    "one is missing": (group(), new(0, 1), False),
    "there is one too many": (group(), (*new(0, 1, 2), *old(0)), False),
    "none are wanted": (group(0), (), True),
    "as many are old as the partition leaves": (group(strategy=TWO_STAY), (*new(0), *old(1, 2)), True),
    "more are old than the partition leaves": (group(strategy=TWO_STAY), old(0, 1, 2), False),
    "all are new beyond what the partition leaves": (group(strategy=TWO_STAY), new(0, 1, 2), True),
    "one that must be kept is old": (group(), (*new(0, 1), *old(2, kept=True)), True),
    "one that must be kept, and another one, are old": (group(), (*new(0), *old(1), *old(2, kept=True)), False),
    "a kept one is among those that the partition leaves": (
        group(strategy=TWO_STAY),
        (*new(0), *old(1), *old(2, kept=True)),
        True,
    ),
    "with OnDelete all are old": (group(strategy=ON_DELETE), old(0, 1, 2), True),
    "with Recreate all are old, for one must be kept": (
        group(strategy=RECREATE),
        (*old(0, 1), *old(2, kept=True)),
        True,
    ),
    "with Recreate some are old": (group(strategy=RECREATE), (*new(0, 1), *old(2)), False),
    "paused, all are new": (group(paused=True), new(0, 1, 2), True),
    "paused, one is old": (group(paused=True), (*new(0, 1), *old(2)), False),
    "paused with OnDelete, all are old": (group(paused=True, strategy=ON_DELETE), old(0, 1, 2), False),
    "held, all are old": (group(held=True), old(0, 1, 2), True),
}


@pytest.mark.parametrize(("wanted", "pods", "complete"), COMPLETED.values(), ids=COMPLETED)
def test_a_rollout_is_complete_when_as_many_are_new_as_the_strategy_lets(
    wanted: Desired,
    pods: tuple[Pod, ...],
    complete: bool,  # noqa: FBT001
) -> None:
    """As many pods as wanted, all available, and of the new revision all that the strategy lets go."""
    view = view_of(wanted, seen(*pods), NOW)

    assert is_complete(view, view.tally) is complete


UNPLACED = new(2, node="", ready_since=None, created=NOW - CLOCK)
JUST_MADE = new(2, node="", ready_since=None, created=NOW - CLOCK + 1)
CAPTIVE = pod("captive", labels={"app": "else"})
# When the deadline of a rollout is missed that has stood still for five minutes, of ten.
DEADLINES: dict[str, tuple[Desired, Observed, float]] = {
    "ten minutes after the last progress": (group(), seen(*STILL), THEN + 600),
    "there is none": (group(progress_deadline_seconds=None), seen(*STILL), math.inf),
    "it is paused": (group(paused=True), seen(*STILL), math.inf),
    "nothing was begun": (group(held=True), seen(*STILL), math.inf),
    "a replacement is refused": (group(), seen(*STILL, held={Lane.CREATE: SOON}), math.inf),
    "a surge is refused": (group(), seen(*STILL, held={Lane.SURGE: SOON}), math.inf),
    "a removal is refused": (group(), seen(*STILL, held={Lane.REMOVE: SOON}), math.inf),
    "what was refused may be tried again": (
        group(),
        seen(*STILL, held={Lane.CREATE: replace(SOON, wait=0.0)}),
        THEN + 600,
    ),
    "a pod may not be let go": (group(), seen(*STILL, CAPTIVE, stuck=frozenset({"uid-captive"})), math.inf),
    "a new pod has found no node": (group(), seen(*old(0, 1), *UNPLACED), math.inf),
    "a new pod has just been made": (group(), seen(*old(0, 1), *JUST_MADE), THEN + 600),
    "a new pod has found no node for half of a deadline of a few seconds": (
        group(progress_deadline_seconds=8),
        seen(*old(0, 1), *new(2, node="", ready_since=None, created=NOW - 4)),
        math.inf,
    ),
    "an old pod has found no node": (
        group(),
        seen(*STILL, *old(3, node="", ready_since=None)),
        THEN + 600,
    ),
    "the operator has just begun to look": (group(), seen(*STILL, began=NOW), max(THEN + 600, NOW + TAKEOVER)),
    "the operator has begun to look when it was nearly missed": (
        group(progress_deadline_seconds=301),
        seen(*STILL, began=NOW),
        NOW + TAKEOVER,
    ),
    "it was missed already: no excuse counts any more": (
        group(progress_deadline_seconds=200),
        seen(*STILL, status=told(MISSED), held={Lane.CREATE: SOON}, began=NOW),
        THEN + 200,
    ),
    "another rollout's was missed": (
        group(),
        seen(*STILL, status=told(MISSED, rollout=replace(BEGUN, revision="r1")), held={Lane.CREATE: SOON}),
        math.inf,
    ),
}


@pytest.mark.parametrize(("wanted", "world", "missed"), DEADLINES.values(), ids=DEADLINES)
def test_the_deadline_waits_for_what_is_not_the_new_pods_fault(wanted: Desired, world: Observed, missed: float) -> None:
    """The clock stands still while what is missing waits for something else than the new pods."""
    assert deadline(view_of(wanted, world, NOW), BEGUN) == missed


# What the clock's last progress is after a look at a rollout that stands still.
CLOCKS: dict[str, tuple[Desired, Observed, float]] = {
    "it runs": (group(), seen(*STILL), THEN),
    "something excuses it": (group(), seen(*STILL, held={Lane.CREATE: SOON}), NOW),
    "something excuses it, as it did a moment ago": (
        group(),
        seen(*STILL, held={Lane.CREATE: SOON}, status=told(rollout=replace(BEGUN, last_progress=NOW - 59))),
        NOW - 59,
    ),
    "something excuses what is missed already": (
        group(),
        seen(*STILL, held={Lane.CREATE: SOON}, status=told(MISSED)),
        THEN,
    ),
    "it is paused": (group(paused=True), seen(*STILL), THEN),
    "it is resumed": (group(), seen(*STILL, status=told(PAUSED)), NOW),
    "it is complete, whatever excuses it": (
        group(),
        seen(*new(0, 1, 2), held={Lane.CREATE: SOON}, status=told(COMPLETE, Rollout("r2", THEN, THEN, 3, 3, THEN))),
        THEN,
    ),
    "a pod is lost after it was complete": (
        group(),
        seen(*new(0, 1), status=told(COMPLETE, Rollout("r2", THEN, THEN, 3, 3, THEN))),
        THEN,
    ),
    "a pod of another revision is taken in after it was complete": (
        group(),
        seen(*new(0, 1), *old(2), status=told(COMPLETE, Rollout("r2", THEN, THEN, 3, 3, THEN))),
        NOW,
    ),
    "more are let go after it was complete": (
        group(),
        seen(*new(0), *old(1, 2), status=told(COMPLETE, Rollout("r2", THEN, THEN, 3, 3, THEN))),
        NOW,
    ),
    "nobody has a deadline": (group(progress_deadline_seconds=None), seen(*STILL, held={Lane.CREATE: SOON}), THEN),
}


@pytest.mark.parametrize(("wanted", "world", "since"), CLOCKS.values(), ids=CLOCKS)
def test_the_clock_begins_anew_after_a_rest_and_is_not_written_in_one(
    wanted: Desired, world: Observed, since: float
) -> None:
    """A rollout has all its time again when a rest ends, and what excuses it is written down now and then."""
    assert course(wanted, world).last_progress == since


TICKS: dict[str, tuple[Desired, Observed, float]] = {
    "at its deadline": (group(), seen(*STILL), THEN + 600),
    "ten times within its deadline while something excuses it": (
        group(),
        seen(*STILL, held={Lane.CREATE: SOON}),
        THEN + 60,
    ),
    "but not more often than every ten seconds": (
        group(progress_deadline_seconds=30),
        seen(*STILL, held={Lane.CREATE: SOON}),
        THEN + CLOCK,
    ),
    "twice within a deadline of a few seconds": (
        group(progress_deadline_seconds=6),
        seen(*STILL, held={Lane.CREATE: SOON}),
        THEN + 3,
    ),
    "when a pod without a node begins to excuse it": (group(), seen(*old(0, 1), *JUST_MADE), NOW + 1),
    "never, if it has none": (group(progress_deadline_seconds=None), seen(*STILL, held={Lane.CREATE: SOON}), math.inf),
    "never while it is paused": (group(paused=True), seen(*old(0, 1), *JUST_MADE), math.inf),
}


@pytest.mark.parametrize(("wanted", "world", "again"), TICKS.values(), ids=TICKS)
def test_a_rollout_is_looked_at_again_for_its_deadline(wanted: Desired, world: Observed, again: float) -> None:
    """Time alone misses a deadline, and an excuse that nobody looked at would count against it."""
    assert next_tick(view_of(wanted, world, NOW), BEGUN) == again


ASKING = group(rollback_on_deadline=True)
GOOD = told(MISSED, last_available_revision="r1", current_revision="r1")
BACK: dict[str, tuple[Desired, Observed, float, str]] = {
    "it missed its deadline": (ASKING, seen(*STILL, status=GOOD), LATE, "r2"),
    "it has time left": (ASKING, seen(*STILL, status=replace(GOOD, conditions=())), NOW, ""),
    "nobody has asked for it": (group(), seen(*STILL, status=GOOD), LATE, ""),
    "nothing was available before": (ASKING, seen(*STILL, status=told(MISSED)), LATE, ""),
    "the template of what was available is known no more": (
        ASKING,
        seen(*STILL, status=GOOD, templates=frozenset({"r2"})),
        LATE,
        "",
    ),
    "it is itself what was available last": (
        ASKING,
        seen(*STILL, status=replace(GOOD, last_available_revision="r2")),
        LATE,
        "",
    ),
    "it is paused": (replace(ASKING, paused=True), seen(*STILL, status=GOOD), LATE, ""),
    "it is complete": (ASKING, seen(*new(0, 1, 2), status=GOOD), LATE, ""),
    "it goes on at this very look": (ASKING, seen(*old(0, 1), *new(2), status=GOOD), LATE, ""),
    "it has been complete, and a pod is lost": (
        ASKING,
        seen(*new(0, 1), status=replace(GOOD, conditions=told(COMPLETE).conditions)),
        LATE,
        "",
    ),
}


@pytest.mark.parametrize(("wanted", "world", "now", "bad"), BACK.values(), ids=BACK)
def test_a_rollout_that_misses_its_deadline_goes_back_where_it_can(
    wanted: Desired, world: Observed, now: float, bad: str
) -> None:
    """With rollbackOnDeadline the revision that missed it is written down, if one is known that was available."""
    assert course(wanted, world, now=now).rolled_back_from == bad


def test_the_way_back_remembers_what_it_comes_from() -> None:
    """On the way back, and when it has come to its end, the revision that missed the deadline stays written down."""
    back = group(revision="r1", update_revision="r2")
    way = course(back, seen(*STILL, status=told(MISSED, replace(BEGUN, rolled_back_from="r2"))))
    end = course(back, seen(*old(0, 1, 2), status=told(MISSED, way)))

    assert (way.revision, way.start, way.rolled_back_from) == ("r1", NOW, "r2")
    assert end.rolled_back_from == "r2"


def test_another_template_forgets_what_was_rolled_back() -> None:
    """A rollout to another template is one like any other, to the one that was rolled back too."""
    third = course(
        group(revision="r3", update_revision="r3"),
        seen(*old(0, 1, 2), status=told(MISSED, Rollout("r1", THEN, THEN, rolled_back_from="r2"))),
    )

    assert third == Rollout("r3", NOW, NOW)


def test_nothing_is_written_of_a_group_that_was_rolled_back() -> None:
    """When it has come back nothing changes any more, however often it is looked at."""
    back = group(revision="r1", update_revision="r2", rollback_on_deadline=True)
    world = seen(
        *old(0, 1, 2), status=told(MISSED, replace(BEGUN, rolled_back_from="r2"), last_available_revision="r1")
    )
    first = summarized(back, world, Outcome(), NOW)
    second = summarized(back, replace(world, status=first), Outcome(), NOW + 5000)

    assert first == second

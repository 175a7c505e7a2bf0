"""Surge: how many pods are made before those that they replace have gone, where they sit, and what they wait for."""

from typing import Any

import pytest

from builders import NOW, desired, gone, loss, observed, orphan, planned, pod
from podgroup_operator.core.budget import BURST
from podgroup_operator.core.model.desired import Desired, PodReplacement
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType

KNOWN = frozenset({"r1", "r2"})
COMPLETE = PodReplacement.TERMINATION_COMPLETE
SOON = Refusal("quota", 5.0)


def group(replicas: int = 3, surge: int = 1, unavailable: int = 0, partition: int = 0, **changes: Any) -> Desired:
    """Build a group on its way from r1 to r2."""
    strategy = Strategy(max_surge=Share(surge), max_unavailable=Share(unavailable), partition=Share(partition))
    return desired(replicas, **({"revision": "r2", "former": "r1", "strategy": strategy} | changes))


def old(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of r1, available."""
    return tuple(pod(f"old-{slot}", **({"revision": "r1", "slot": slot} | changes)) for slot in slots)


def new(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build pods of r2 that are not Ready yet."""
    return tuple(pod(f"new-{slot}", slot=slot, **({"revision": "r2", "ready_since": None} | changes)) for slot in slots)


# Where what is made sits, and of which revision it is.
MADE: dict[str, tuple[Desired, Observed, list[tuple[int, str]]]] = {
    "one in the seat of the first that goes": (group(), observed(*old(0, 1, 2)), [(0, "r2")]),
    "as many as the surge lets": (group(surge=2), observed(*old(0, 1, 2)), [(0, "r2"), (1, "r2")]),
    "no more than go": (group(surge=9), observed(*old(0, 1), *new(2)), [(0, "r2"), (1, "r2")]),
    "none beside those that there are beyond": (group(), observed(*old(0, 1, 2), *new(0)), []),
    "none where nothing is to be rolled": (group(), observed(*new(0, 1, 2)), []),
    "none where the surge is 0": (group(surge=0, unavailable=1), observed(*old(0, 1, 2)), []),
    "into an empty seat first: one that is missing, and one beyond": (
        group(),
        observed(*old(0, 2)),
        [(1, "r2"), (0, "r2")],
    ),
    "into no seat that is doubled already": (group(surge=2), observed(*old(0, 1, 2), *new(0)), [(1, "r2")]),
    "into an empty seat below, though one that goes sits beyond": (group(2), observed(*old(0, 5)), [(1, "r2")]),
    "into the first free seat where those that go have none": (
        group(2),
        observed(*old(0, 1, slot=None)),
        [(0, "r2")],
    ),
    "as many as a partition lets": (group(surge=3, partition=2), observed(*old(0, 1, 2)), [(0, "r2")]),
    "in the place of what was asked for": (
        group(),
        observed(*new(0, 1, ready_since=NOW - 9, asked=True)),
        [(2, "r2"), (0, "r2")],
    ),
    "as it was in the place of what was asked for while paused": (
        group(paused=True, replicas=2),
        observed(*old(0), *old(1, asked=True)),
        [(1, "r1")],
    ),
    "none while paused": (group(paused=True), observed(*old(0, 1, 2)), []),
    "with TerminationComplete none in the place of one that has yet to go": (
        group(pod_replacement=COMPLETE),
        observed(*old(0, 1, 2), gone("late", revision="r1")),
        [],
    ),
    "with TerminationComplete as many as there is room for": (
        group(surge=2, pod_replacement=COMPLETE),
        observed(*old(0, 1, 2), gone("late", revision="r1")),
        [(0, "r2")],
    ),
    "with TerminationComplete beside one whose containers have ended": (
        group(pod_replacement=COMPLETE),
        observed(*old(0, 1, 2), gone("late", revision="r1", phase=Phase.SUCCEEDED)),
        [(0, "r2")],
    ),
    "with TerminationStarted beside one on its way out": (
        group(),
        observed(*old(0, 1, 2), gone("late", revision="r1")),
        [(0, "r2")],
    ),
    "none beside one that may not be let go": (
        group(),
        observed(*old(0, 1, 2), pod("captive", labels={"app": "else"}), stuck=frozenset({"uid-captive"})),
        [],
    ),
    "none while an orphan is being taken in": (group(surge=3), observed(*old(0, 1, 2), orphan()), []),
}


@pytest.mark.parametrize(("wanted", "seen", "made"), MADE.values(), ids=MADE)
def test_what_is_made_beyond_and_where_it_sits(wanted: Desired, seen: Observed, made: list[tuple[int, str]]) -> None:
    """New pods take empty seats, then those of pods that go, never more than `replicas` and the surge together."""
    creates = planned(wanted, observed(*seen.pods, templates=KNOWN, stuck=seen.stuck)).creates

    assert [(create.slot, create.revision) for create in creates] == made


def test_what_a_rollout_replaces_is_no_heal() -> None:
    """A pod that is made beyond `replicas` replaces no loss, and waits in a lane of its own."""
    (create,) = planned(group(), observed(*old(0, 1, 2))).creates

    assert (create.loss, create.lane) == (None, Lane.SURGE)


def test_a_loss_is_made_good_before_the_rollout_goes_on() -> None:
    """Of one missing and one beyond, the first replaces the lost pod and waits in the lane of replacements."""
    lost = loss(1, revision="r1")
    seen = observed(*old(0, 2), losses={1: lost}, templates=KNOWN)

    assert [(each.slot, each.loss, each.lane) for each in planned(group(), seen).creates] == [
        (1, lost, Lane.CREATE),
        (0, None, Lane.SURGE),
    ]


HELD: dict[str, tuple[dict[str, Any], list[Lane]]] = {
    "a quota that has no room for it holds up no replacement": ({"held": {Lane.SURGE: SOON}}, [Lane.CREATE]),
    "what holds up replacements holds up no surge": ({"held": {Lane.CREATE: SOON}}, [Lane.SURGE]),
    "a pause that is over holds up nothing": (
        {"held": {Lane.SURGE: Refusal("quota", 0.0)}},
        [Lane.CREATE, Lane.SURGE],
    ),
    "a template that is refused holds up both": ({"template_refusal": SOON}, []),
}


@pytest.mark.parametrize(("refused", "lanes"), HELD.values(), ids=HELD)
def test_each_lane_waits_for_itself(refused: dict[str, Any], lanes: list[Lane]) -> None:
    """What one kind of create is refused holds back none of the other kind, and is tried again in time."""
    plan = planned(group(), observed(*old(0, 2), templates=KNOWN, **refused))

    assert [each.lane for each in plan.creates] == lanes
    assert plan.look_again == (NOW + 5 if len(lanes) < 2 else None)


def test_a_plan_makes_no_more_than_a_burst() -> None:
    """A rollout of thousands is made in bursts, as everything else."""
    assert len(planned(group(2 * BURST, surge=2 * BURST), observed(*old(*range(2 * BURST)))).creates) == BURST


def test_a_streak_of_failures_of_the_new_template_holds_the_surge_back() -> None:
    """New pods that fail early are tried one at a time, with pauses, and no old pod goes for them."""
    corpse = pod(
        "new-9", revision="r2", phase=Phase.FAILED, created=NOW - 2, finished=NOW - 1, failures=4, ready_since=None
    )
    plan = planned(group(surge=3, failed_pods_history_limit=1), observed(*old(0, 1, 2), corpse, templates=KNOWN))

    assert (plan.creates, plan.removes, plan.held) == ((), (), 3)
    assert plan.look_again is not None


def test_recreate_and_on_delete_have_no_surge() -> None:
    """Neither makes a pod beside one that it replaces."""
    for kind in (StrategyType.RECREATE, StrategyType.ON_DELETE):
        wanted = group(strategy=Strategy(kind, max_surge=Share(3)))
        assert not planned(wanted, observed(*old(0, 1, 2, asked=True))).creates


SURPLUS: dict[str, tuple[Desired, Observed, int]] = {
    "what a rollout has beyond": (group(), observed(*old(0, 1, 2), *new(0)), 0),
    "more than it may have beyond": (group(), observed(*old(0, 1, 2), *new(0, 1)), 1),
    "what is beyond when nothing goes any more": (group(), observed(*new(0, 1, 2), *new(7)), 1),
    "what is beyond while paused in its middle": (group(paused=True), observed(*old(0, 1, 2), *new(0)), 0),
}


@pytest.mark.parametrize(("wanted", "seen", "removed"), SURPLUS.values(), ids=SURPLUS)
def test_what_a_rollout_may_have_beyond_is_no_surplus(wanted: Desired, seen: Observed, removed: int) -> None:
    """Pods within the surge are not taken away as one too many, or they would come again for ever."""
    plan = planned(wanted, observed(*seen.pods, templates=KNOWN))

    assert len(plan.removes) == removed

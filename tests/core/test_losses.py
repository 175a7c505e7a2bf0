"""Losses: what was seen, what is released in this very plan, and what went while nobody watched."""

from dataclasses import replace

import pytest

from builders import NOW, OTHER_UID, create, desired, gone, healed, loss, observed, orphan, planned, pod, seated, told
from podgroup_operator.core.budget import Budget
from podgroup_operator.core.claims import claims
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase
from podgroup_operator.core.replace_lost import fill
from podgroup_operator.core.view import view_of


def filled(seen: Observed, number: int, replicas: int = 3) -> tuple[Create, ...]:
    """Fill slots of the plainest group, which has taken in what it can."""
    view = view_of(desired(replicas), seen, NOW)
    budget = Budget(view)
    claims(view, budget)
    return fill(view, budget, number)


def known(slot: int, name: str, cause: Cause, at: float) -> Loss:
    """Build the loss of a pod that can still be seen: of which revision it was, and since when it was Ready."""
    return Loss(slot, name, cause, at, revision="r1", ready_since=pod().ready_since)


def test_a_pod_released_now_is_lost_now() -> None:
    """A pod whose label was changed is replaced in the same plan, in its slot, by name."""
    released = pod("web-1", slot=1, labels={})
    expected = create(1, 1, known(1, "web-1", Cause.DELETED, NOW))

    assert (expected,) == filled(observed(*seated(0, 2), released, epochs={1: 0}), 1)


def test_a_loss_that_was_seen_is_told_with_what_was_seen() -> None:
    """What the stream has told of a lost pod stands, though the pod is now released."""
    lost, released = loss(1, cause=Cause.EVICTED), pod("web-1", slot=1, labels={})

    assert (create(1, 0, lost),) == filled(observed(*seated(0, 2), released, losses={1: lost}), 1)


def unseen(slot: int) -> Loss:
    """Build the loss of a pod of which nothing is known but that it is missing."""
    return Loss(slot, "", Cause.DELETED, NOW)


# What the first look after a start finds lost, by slot: what is seen, and how many pods the last status told of.
FIRST_LOOKS = {
    "nothing was lost: the group is new": (observed(), {0: None, 1: None, 2: None}),
    "pods went without a trace: the status remembers their number": (
        observed(*seated(1), status=told(3)),
        {0: unseen(0), 2: unseen(2)},
    ),
    "the group was growing: only what was there can be lost": (
        observed(*seated(0), status=told(2)),
        {1: unseen(1), 2: None},
    ),
    "the group has shrunk: no more than it wants can be lost": (
        observed(*seated(0), status=told(9)),
        {1: unseen(1), 2: unseen(2)},
    ),
    "a pod is still there, on its way out": (
        observed(*seated(0, 1), gone("web-2", slot=2, deleted=NOW - 5), status=told(3)),
        {2: known(2, "web-2", Cause.DELETED, NOW - 5)},
    ),
    "a pod is still there, failed": (
        observed(*seated(0, 1), pod("web-2", slot=2, phase=Phase.FAILED), status=told(3)),
        {2: known(2, "web-2", Cause.FAILED, NOW)},
    ),
    "a pod is still there, evicted": (
        observed(*seated(0, 1), pod("web-2", slot=2, phase=Phase.FAILED, evicted=True), status=told(3)),
        {2: known(2, "web-2", Cause.EVICTED, NOW)},
    ),
    "a pod is still there, succeeded": (
        observed(*seated(0, 1), pod("web-2", slot=2, phase=Phase.SUCCEEDED), status=told(3)),
        {2: known(2, "web-2", Cause.SUCCEEDED, NOW)},
    ),
    "of two that are still there the newer was lost": (
        observed(
            *seated(0, 1),
            pod("newer", slot=2, epoch=2, phase=Phase.FAILED),
            pod("older", slot=2, epoch=1, phase=Phase.SUCCEEDED),
            status=told(3),
        ),
        {2: known(2, "newer", Cause.FAILED, NOW)},
    ),
    "one is still there and one went without a trace": (
        observed(*seated(0), gone("web-2", slot=2, deleted=NOW - 5), status=told(3)),
        {1: unseen(1), 2: known(2, "web-2", Cause.DELETED, NOW - 5)},
    ),
    "a corpse that was replaced long ago is no loss": (
        observed(*seated(0, 1, 2), pod("corpse", slot=2, phase=Phase.FAILED), status=told(3)),
        {3: None},
    ),
    "another group's corpse is no loss": (
        observed(*seated(0, 1), pod("other", slot=2, controller=OTHER_UID, phase=Phase.FAILED), status=told(2)),
        {2: None},
    ),
    "a corpse without a slot says nothing": (
        observed(*seated(0, 1), pod("bare", slot=None, phase=Phase.FAILED), status=told(2)),
        {2: None},
    ),
    "a pod lost since the start is not counted twice": (
        observed(*seated(2, 3), losses={4: loss(4)}, status=told(3)),
        {0: loss(4)},
    ),
    "a pod released in this plan is not counted twice": (
        observed(*seated(2, 3), pod("web-4", slot=4, labels={}), status=told(3)),
        {0: known(4, "web-4", Cause.DELETED, NOW)},
    ),
}


@pytest.mark.parametrize(("seen", "expected"), FIRST_LOOKS.values(), ids=FIRST_LOOKS.keys())
def test_the_first_look_finds_what_was_lost_while_nobody_watched(
    seen: Observed, expected: dict[int, Loss | None]
) -> None:
    """After a start the pods that are still to be seen say what happened to them; of the others the status knows."""
    creates = filled(replace(seen, first_look=True), len(expected))

    assert expected == {create.slot: create.loss for create in creates}


def test_later_looks_find_no_unseen_losses() -> None:
    """Only the first look guesses from the status: after that every loss is seen as it happens."""
    assert (create(1), create(2)) == filled(observed(*seated(0), status=told(3)), 2)


def test_a_standby_that_watched_a_scale_down_heals_nothing() -> None:
    """What another operator removed looks like losses to one that only watched; nothing is missing, so none was one."""
    watched = {slot: loss(slot) for slot in (2, 3, 4)}
    seen = observed(*seated(0, 1), losses=watched, status=told(2), first_look=True)

    assert [each.loss for each in filled(seen, 3, replicas=5)] == [None, None, None]


def test_of_more_known_losses_than_are_missing_the_newest_are_made_good() -> None:
    """After five were removed and one was lost, the one that is missing now is the one that went last."""
    watched = {slot: loss(slot, at=NOW - 10 + slot) for slot in (1, 2, 3)}
    seen = observed(*seated(0), losses=watched, status=told(2), first_look=True)

    assert [each.loss for each in filled(seen, 2, replicas=3)] == [watched[3], None]


def test_of_more_known_losses_than_are_missing_early_failures_come_first() -> None:
    """Nobody removes a pod by letting it fail: an early failure was a loss for certain, however long ago."""
    failed = loss(1, cause=Cause.FAILED, early=True, at=NOW - 60)
    seen = observed(*seated(0), losses={1: failed, 2: loss(2)}, status=told(2), first_look=True)

    assert [each.loss for each in filled(seen, 1, replicas=2)] == [failed]


def test_what_was_seen_to_go_comes_before_what_may_have_been_replaced_long_ago() -> None:
    """A finished pod lies there whose replacement was removed since: what is missing now is the pod that was seen."""
    corpse = pod("web-0", slot=0, phase=Phase.FAILED, finished=NOW - 30, created=NOW - 60, ready_since=None)
    lost = loss(2)
    seen = observed(*seated(1), corpse, losses={2: lost}, first_look=True, status=told(2))

    assert [create.loss for create in filled(seen, 1, 2)] == [lost]


def test_a_finished_pod_is_made_good_once_whoever_starts_anew() -> None:
    """It lies there, and what replaced it has gone since: that one is missed, as the record of the last heal tells."""
    corpse = pod("web-0", slot=0, phase=Phase.FAILED, finished=NOW - 30, created=NOW - 60, ready_since=None)
    last = healed(1, last_pod="web-0", last_replacement="web-0-again")
    seen = observed(*seated(1), corpse, first_look=True, status=replace(last, replicas=2))

    assert [create.loss for create in filled(seen, 1, 2)] == [unseen(0)]


def test_a_pod_that_had_no_seat_is_made_good_all_the_same() -> None:
    """Losses without a slot are counted below 0: each gets a replacement in an empty slot, by name, and no other."""
    bare, other = loss(-1, "bare"), loss(-2, "other")
    seen = observed(*seated(0), losses={-1: bare, -2: other})

    assert {1: other, 2: bare, 3: None} == {each.slot: each.loss for each in filled(seen, 3)}


def test_a_pod_without_a_seat_does_not_take_the_place_of_one_that_had_one() -> None:
    """The slot that lost its pod gets that pod's replacement; the seatless one's goes to the next empty slot."""
    bare, lost = loss(-1, "bare"), loss(1)
    seen = observed(*seated(0), losses={-1: bare, 1: lost})

    assert {1: lost, 2: bare} == {each.slot: each.loss for each in filled(seen, 2)}


def test_a_pod_that_is_taken_in_makes_good_what_went_without_a_trace() -> None:
    """Told of three, two are there and one comes in: nothing is missing, and growing to four heals nobody."""
    seen = observed(*seated(0, 1), orphan(), status=told(3), first_look=True)

    assert [each.loss for each in filled(seen, 1, replicas=4)] == [None]


def test_a_restart_in_the_midst_of_a_back_off_forgets_no_failure() -> None:
    """The status has told of fewer pods because some had failed: they are losses all the same, and held back."""
    failed = {"phase": Phase.FAILED, "created": NOW - 2, "finished": NOW - 1, "failures": 4, "ready_since": None}
    for corpses in (1, 2):  # of two, the history may have left one
        dead = tuple(pod(f"dead-{slot}", slot=slot, **failed) for slot in range(1, 1 + corpses))
        seen = observed(*seated(0), *dead, status=told(1), first_look=True)
        decision = planned(desired(3, failed_pods_history_limit=9), seen, NOW)
        assert (decision.creates, decision.held) == ((), 2)

"""Replacing: which slot a new pod takes, what it is called, whom it replaces, and what it waits for."""

import pytest

from builders import NOW, OTHER_UID, create, desired, gone, loss, observed, orphan, planned, pod, seated, told
from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Healing
from podgroup_operator.core.replace_lost import fill
from podgroup_operator.core.view import view_of


def filled(seen: Observed, number: int, replicas: int = 3) -> tuple[Create, ...]:
    """Fill slots of the plainest group."""
    view = view_of(desired(replicas), seen, NOW)
    return fill(view, Budget(view), number)


def test_new_pods_fill_the_lowest_slots_from_epoch_zero() -> None:
    """A new group fills its slots from 0 with pods that replace nobody."""
    assert (create(0), create(1), create(2)) == filled(observed(), 3)


def test_a_gap_is_filled_first() -> None:
    """An empty slot between others is filled before one at the end."""
    assert (create(1), create(3)) == filled(observed(*seated(0, 2)), 2, replicas=4)


def test_a_replacement_takes_the_slot_of_the_pod_that_it_replaces() -> None:
    """Where slots have no gaps, the empty ones are those that lost their pods: each gets its own replacement."""
    losses = {2: loss(2), 1: loss(1)}
    seen = observed(*seated(0, 3), losses=losses, epochs={1: 0, 2: 4})

    assert (create(1, 1, losses[1]), create(2, 5, losses[2])) == filled(seen, 2, replicas=4)


def test_where_a_scale_down_has_left_gaps_a_replacement_closes_one() -> None:
    """The lowest empty slot is filled even if another lost its pod: it says all the same whom it replaces."""
    lost = loss(4)

    assert (create(0, 0, lost),) == filled(observed(*seated(2, 3), losses={4: lost}, epochs={4: 0}), 1)


def test_of_more_losses_than_are_missing_the_lowest_slots_are_filled() -> None:
    """Scaled down while pods were lost, the group makes only what it wants, in the lowest slot that lost its pod."""
    losses = {3: loss(3), 1: loss(1), 2: loss(2)}

    assert (create(1, 0, losses[1]),) == filled(observed(*seated(0), losses=losses), 1, replicas=2)


def test_a_loss_on_a_slot_that_is_taken_is_replaced_elsewhere() -> None:
    """Of two pods on one slot one is lost: the other keeps the seat, and the replacement takes an empty one."""
    lost = loss(0, "the-other-web-0")

    assert (create(1, 0, lost), create(2)) == filled(observed(*seated(0), losses={0: lost}), 2)


def test_a_replacement_s_epoch_is_above_the_highest_seen() -> None:
    """The name of a pod that was is not used again while its epoch is remembered."""
    assert (create(1, 8, loss(1)),) == filled(observed(*seated(0, 2), losses={1: loss(1)}, epochs={1: 7, 2: 9}), 1)


def test_a_name_that_any_pod_of_the_namespace_bears_is_passed_over() -> None:
    """A released pod, a dying one, a stranger: a name that is taken leads to the next epoch."""
    name = create(0).name
    pods = {
        "released": pod(name, labels={}),
        "dying": gone(name),
        "orphan": orphan(name, labels={}),
        "another controller's": pod(name, controller=OTHER_UID),
    }

    assert {case: (create(0, 1),) for case in pods} == {case: filled(observed(one), 1) for case, one in pods.items()}


def test_names_known_to_be_taken_are_passed_over() -> None:
    """A name that the API server called taken is not asked for again, nor the next if that is taken too."""
    taken = frozenset({create(0, 0).name, create(0, 1).name})

    assert (create(0, 2),) == filled(observed(names=taken), 1)


def test_what_is_remembered_of_losses_does_not_change_a_name() -> None:
    """The first look and the one after it, when a create has had no answer, ask for the same name."""
    corpse = gone("web-4", slot=4)
    first = filled(observed(*seated(2, 3), corpse, status=told(3), first_look=True), 1)
    again = filled(observed(*seated(2, 3), corpse, status=told(2, healing=Healing(total=7))), 1)

    assert [one.name for one in first] == [one.name for one in again]


@pytest.mark.parametrize("lane", [Lane.REMOVE, Lane.CLAIM, Lane.TELL])
def test_what_is_refused_elsewhere_holds_no_create_back(lane: Lane) -> None:
    """A delete, an adoption or a status that is refused has nothing to do with what is missing."""
    decision = planned(desired(2), observed(*seated(0), held={lane: Refusal("no", 5.0)}))

    assert (create(1),) == decision.creates
    assert decision.look_again == NOW + 5


def test_in_a_streak_those_that_did_not_fail_need_not_wait_behind_a_burst_of_those_that_did() -> None:
    """Of 600 that are missing the lowest 599 failed at birth: the deleted one, in the highest slot, is made at once."""
    failed = {slot: loss(slot, early=True) for slot in range(BURST + 99)}
    deleted = loss(BURST + 99)
    last = pod("web-0", phase=Phase.FAILED, created=NOW, finished=NOW, ready_since=None, failures=5)
    decision = planned(desired(BURST + 100), observed(last, losses=failed | {deleted.slot: deleted}))

    assert [each.loss for each in decision.creates] == [deleted]
    assert decision.held == BURST + 99


def test_a_streak_does_not_lift_the_bound_of_a_burst() -> None:
    """Pods that somebody deleted are replaced at once in a streak too, but no more of them than in any plan."""
    deleted = {slot: loss(slot) for slot in range(BURST + 100)}
    last = pod("web-0", phase=Phase.FAILED, created=NOW, finished=NOW, ready_since=None, failures=5)

    assert len(planned(desired(BURST + 100), observed(last, losses=deleted)).creates) == BURST

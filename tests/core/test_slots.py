"""Slots: who sits where, which slot a new pod takes, what it is called and whom it replaces."""

from dataclasses import replace

import pytest

from builders import GROUP_UID, NOW, OTHER_UID, desired, gone, loss, observed, orphan, pod, seated, told
from podgroup_operator.core.classify import is_active
from podgroup_operator.core.model import Adopt, Cause, Create, Healing, Loss, Observed, Phase, Pod
from podgroup_operator.core.names import pod_name
from podgroup_operator.core.slots import adopt_all, fill, seats


def create(slot: int, epoch: int = 0, lost: Loss | None = None) -> Create:
    """Build the create that fills a slot of the plainest group."""
    return Create(pod_name("web", GROUP_UID, slot, epoch), slot, epoch, lost)


def filled(seen: Observed, number: int, replicas: int = 3) -> tuple[Create, ...]:
    """Fill slots of the plainest group, whose active pods are those of its pods that match."""
    active = [one for one in seen.pods if one.controller == GROUP_UID and one.labels and is_active(one)]
    return fill(desired(replicas), seen, active, number, NOW)


def test_of_two_pods_on_one_slot_the_older_sits() -> None:
    """A slot is its oldest pod's; equal ages are told apart by UID; a pod without a slot sits nowhere."""
    old, young = pod("b", slot=0, created=NOW - 9), pod("a", slot=0, created=NOW - 1)
    twin, other_twin = pod("c", slot=1), pod("d", slot=1)

    assert {0: old, 1: twin} == seats([young, other_twin, old, twin, pod("e", slot=None)])


ADOPTIONS = {
    "nobody comes": ([], seated(0), {}),
    "a stranger takes the first empty slot": ([orphan()], seated(0, 2), {"stray": 1}),
    "a pod that brings a free slot keeps it": ([orphan(slot=7)], seated(0), {"stray": 7}),
    "a pod whose slot is taken takes the first empty one": ([orphan(slot=0)], seated(0), {"stray": 1}),
    "of two that bring the same slot the older keeps it": (
        [orphan("young", slot=4, created=NOW - 1), orphan("old", slot=4, created=NOW - 9)],
        (),
        {"old": 4, "young": 0},
    ),
    "of two strangers the older sits lower": (
        [orphan("young", created=NOW - 1), orphan("old", created=NOW - 9)],
        seated(0),
        {"old": 1, "young": 2},
    ),
}


@pytest.mark.parametrize(("adoptable", "kept", "expected"), ADOPTIONS.values(), ids=ADOPTIONS.keys())
def test_an_adopted_pod_gets_a_slot_of_its_own(
    adoptable: list[Pod], kept: tuple[Pod, ...], expected: dict[str, int]
) -> None:
    """A pod that is taken in keeps a slot that it brings, if that is free, else gets the first empty one."""
    by_name = {one.name: one for one in adoptable}

    assert tuple(Adopt(by_name[name], slot) for name, slot in expected.items()) == adopt_all(adoptable, kept)


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


def test_a_pod_released_now_is_lost_now() -> None:
    """A pod whose label was changed is replaced in the same plan, in its slot, by name."""
    released = pod("web-1", slot=1, labels={})
    expected = create(1, 1, Loss(1, "web-1", Cause.DELETED, NOW))

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
        {2: Loss(2, "web-2", Cause.DELETED, NOW - 5)},
    ),
    "a pod is still there, failed": (
        observed(*seated(0, 1), pod("web-2", slot=2, phase=Phase.FAILED), status=told(3)),
        {2: Loss(2, "web-2", Cause.FAILED, NOW)},
    ),
    "a pod is still there, evicted": (
        observed(*seated(0, 1), pod("web-2", slot=2, phase=Phase.FAILED, evicted=True), status=told(3)),
        {2: Loss(2, "web-2", Cause.EVICTED, NOW)},
    ),
    "a pod is still there, succeeded": (
        observed(*seated(0, 1), pod("web-2", slot=2, phase=Phase.SUCCEEDED), status=told(3)),
        {2: Loss(2, "web-2", Cause.SUCCEEDED, NOW)},
    ),
    "of two that are still there the newer was lost": (
        observed(
            *seated(0, 1),
            pod("newer", slot=2, epoch=2, phase=Phase.FAILED),
            pod("older", slot=2, epoch=1, phase=Phase.SUCCEEDED),
            status=told(3),
        ),
        {2: Loss(2, "newer", Cause.FAILED, NOW)},
    ),
    "one is still there and one went without a trace": (
        observed(*seated(0), gone("web-2", slot=2, deleted=NOW - 5), status=told(3)),
        {1: unseen(1), 2: Loss(2, "web-2", Cause.DELETED, NOW - 5)},
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
        {0: Loss(4, "web-4", Cause.DELETED, NOW)},
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


def test_what_is_remembered_of_losses_does_not_change_a_name() -> None:
    """The first look and the one after it, when a create has had no answer, ask for the same name."""
    corpse = gone("web-4", slot=4)
    first = filled(observed(*seated(2, 3), corpse, status=told(3), first_look=True), 1)
    again = filled(observed(*seated(2, 3), corpse, status=told(2, healing=Healing(total=7))), 1)

    assert [one.name for one in first] == [one.name for one in again]

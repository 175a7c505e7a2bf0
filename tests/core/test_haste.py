"""Haste: who deletes each new pod at once while something keeps it from going is made to wait; a person is not."""

from dataclasses import replace
from itertools import pairwise

import pytest

from builders import NOW, create, desired, gone, loss, observed, planned, pod, seated, told
from podgroup_operator.core.haste import FEW, HASTE, LONGEST, PILE_UP
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Phase, Pod

LIFE = 0.5
"""Seconds of life that the impatient one gives each new pod."""


def hasty(number: int, ago: float = 0.0, life: float = LIFE) -> tuple[Pod, ...]:
    """Build pods that were deleted so soon after they were made, and that stay; the last one so many seconds ago."""
    ends = [NOW - ago - 100.0 * age for age in range(number)]
    return tuple(gone(f"held-{age}", created=end - life, deleted=end) for age, end in enumerate(ends))


def piled_up(number: int, ago: float = 0.0, life: float = LIFE, **changes: object) -> Plan:
    """Plan for one that was deleted in a group of one that has such a pile."""
    return planned(desired(1), observed(*hasty(number, ago, life), **({"losses": {0: loss(0)}} | changes)))


def test_the_first_few_are_replaced_at_once() -> None:
    """As many as the group wants and five more may lie there: people delete pods too."""
    decisions = [piled_up(number) for number in range(1 + FEW + 1)]

    assert [decision.creates for decision in decisions] == [(create(0, 0, loss(0)),)] * 7
    assert {(decision.held, decision.why_held, decision.look_again) for decision in decisions} == {(0, "", None)}


@pytest.mark.parametrize(("more", "pause"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 20), (7, 20), (500, 20)])
def test_each_next_one_waits_twice_as_long(more: int, pause: float) -> None:
    """From the last deletion on: 1, 2, 4, up to 20 s; until then nothing is made, and it is said why and until when."""
    early, due = piled_up(1 + FEW + more, ago=pause - 0.25), piled_up(1 + FEW + more, ago=pause)

    assert (early.missing, early.creates, early.held, early.why_held) == (1, (), 1, PILE_UP)
    assert early.look_again == pytest.approx(NOW + 0.25)
    assert (due.creates, due.held) == ((create(0, 0, loss(0)),), 0)


def test_after_a_pause_one_is_tried() -> None:
    """Of three that were deleted one is made; whoever is at it shows with that one whether it goes on."""
    seen = observed(*hasty(3 + FEW + 1, ago=1.0), losses={slot: loss(slot) for slot in range(3)})
    decision = planned(desired(3), seen)

    assert decision.creates == (create(0, 0, loss(0)),)
    assert (decision.missing, decision.held, decision.why_held) == (3, 2, PILE_UP)


@pytest.mark.parametrize("replicas", [1, 3, 20])
def test_one_deletion_of_all_is_no_pile(replicas: int) -> None:
    """`kubectl delete pods --all` right after a group was made: all are replaced at once, however many they are."""
    seen = observed(*hasty(replicas), losses={slot: loss(slot) for slot in range(replicas)})
    decision = planned(desired(replicas), seen)

    assert (len(decision.creates), decision.held) == (replicas, 0)


def test_a_pause_counts_from_when_the_deletion_was_seen() -> None:
    """The API server's clock may be an hour behind ours: the pile is the same, and so is the pause."""
    pile = [
        replace(each, created=each.created - 3600, deleted=(each.deleted or 0) - 3600, deleted_seen=each.deleted)
        for each in hasty(1 + FEW + 4)
    ]
    decision = planned(desired(1), observed(*pile, losses={0: loss(0)}))

    assert (decision.creates, decision.look_again) == ((), NOW + 8)


def test_a_life_is_the_shorter_of_what_is_said_and_what_was_seen() -> None:
    """Where a grace period hides when a deletion was asked for, it was no later than it was seen."""
    pile = [replace(each, created_seen=NOW - 3, deleted_seen=NOW - 1) for each in hasty(1 + FEW + 6, life=HASTE)]

    assert planned(desired(1), observed(*pile, losses={0: loss(0)})).creates == ()


def test_pods_that_had_lived_are_no_pile() -> None:
    """Whoever deletes a pod after ten seconds has looked at it, and may delete as many as he likes."""
    assert len(piled_up(100, life=HASTE).creates) == 1
    assert len(piled_up(100, life=HASTE - 0.001).creates) == 0


def test_it_ends_when_they_are_gone() -> None:
    """What is counted is what lies there: without the pile the next one is made at once."""
    pile = hasty(1 + FEW + 6)

    assert not planned(desired(1), observed(*pile, losses={0: loss(0)})).creates
    assert planned(desired(1), observed(*pile[: 1 + FEW], losses={0: loss(0)})).creates


CAUSES = {
    "failed": loss(0, cause=Cause.FAILED),
    "evicted": loss(0, cause=Cause.EVICTED),
    "succeeded": loss(0, cause=Cause.SUCCEEDED),
}


@pytest.mark.parametrize("lost", CAUSES.values(), ids=CAUSES.keys())
def test_what_nobody_deleted_is_not_held_back(lost: Loss) -> None:
    """Pods that were lost otherwise, and pods that the group never had, are made while a pile lies there."""
    decision = piled_up(1 + FEW + 6, losses={0: lost})

    assert (decision.creates, decision.held) == ((create(0, 0, lost),), 0)


@pytest.mark.parametrize("more", [1, 6])
def test_pods_that_are_evicted_and_held_are_the_same_pile(more: int) -> None:
    """A taint evicts each new pod at once, and a finalizer keeps it: the next one waits as if that were a deletion."""
    pile = tuple(replace(each, evicted=True) for each in hasty(1 + FEW + more))
    lost = {0: loss(0, pile[0].name, cause=Cause.EVICTED)}
    decision = planned(desired(1), observed(*pile, losses=lost))

    assert (decision.creates, decision.held, decision.why_held) == ((), 1, PILE_UP)
    assert planned(desired(1), observed(*pile[: 1 + FEW], losses=lost)).creates == (create(0, 0, lost[0]),)


def test_a_scale_up_is_not_held_back() -> None:
    """Of two that are missing one was deleted and waits, and the other one is new and is made."""
    decision = planned(desired(2), observed(*hasty(2 + FEW + 6), losses={0: loss(0)}))

    assert (decision.creates, decision.held) == ((create(1),), 1)


def test_it_may_meet_a_streak() -> None:
    """Where others fail at birth meanwhile, both reasons are told, and the first of the two times is kept."""
    last = pod("web-9", phase=Phase.FAILED, created=NOW, finished=NOW, ready_since=None, failures=9)
    early = loss(1, cause=Cause.FAILED, early=True)
    decision = planned(desired(2), observed(last, *hasty(2 + FEW + 2), losses={0: loss(0), 1: early}))

    assert (decision.creates, decision.held) == ((), 2)
    assert decision.why_held.startswith(f"{PILE_UP} 10 pods have failed in a row")
    assert decision.look_again == NOW + 2


def born(seconds: float) -> list[float]:
    """Let somebody delete each new pod at once while a finalizer keeps it; give when pods were made, from 0 on."""
    pods, births, now = list[Pod](), list[float](), NOW
    while now < NOW + seconds:
        lost = {0: loss(0, pods[-1].name)} if pods else {}
        decision = planned(desired(1), Observed(pods=tuple(pods), losses=lost), now)
        births += [now - NOW] * len(decision.creates)
        pods += [gone(each.name, created=now, deleted=now + LIFE) for each in decision.creates]
        now = now + LIFE if decision.creates else decision.look_again or now + seconds
    return births


def test_an_hour_of_haste_makes_three_pods_a_minute() -> None:
    """Seven at once, then after 1, 2, 4, 8, 16 and every 20 s: it goes on being tried, a few times a minute."""
    births = born(3600)
    gaps = [round(later - sooner - LIFE, 6) for sooner, later in pairwise(births)]

    assert gaps[:13] == [0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 20, 20]
    assert set(gaps[13:]) == {LONGEST}
    assert len(births) < 190


def test_a_person_who_deletes_now_and_then_notices_nothing() -> None:
    """Dozens of pods that take a minute to go, each deleted after half a minute of life, are replaced at once."""
    slow = [gone(f"slow-{age}", created=NOW - 30 - age, deleted=NOW - age / 10) for age in range(60)]
    decision = planned(desired(3), observed(*seated(1, 2), *slow, losses={0: loss(0)}))

    assert (decision.creates, decision.held) == ((create(0, 0, loss(0)),), 0)


def test_nothing_is_forgotten_by_a_restart() -> None:
    """At the first look the losses are read off the pile itself, and they wait as before."""
    pile = [replace(each, slot=0, epoch=epoch) for epoch, each in enumerate(reversed(hasty(1 + FEW + 6)))]
    seen = Observed(pods=tuple(pile), status=told(1), first_look=True)

    assert (planned(desired(1), seen).creates, planned(desired(1), seen).held) == ((), 1)

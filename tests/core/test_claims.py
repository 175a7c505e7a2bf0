"""Claims: who is taken in where, and who is let go."""

import pytest

from builders import NOW, desired, observed, orphan, planned, pod, seated
from podgroup_operator.core.model.actions import Adopt, Release, Remove, Why
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal

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
    adopts = planned(desired(), observed(*kept, *adoptable)).adopts

    assert tuple(Adopt(by_name[name], slot) for name, slot in expected.items()) == adopts


STRAY, SECOND_STRAY = orphan(), orphan("stray-2", created=NOW - 9)
STUCK = frozenset({STRAY.uid})


def test_an_orphan_that_cannot_be_adopted_does_not_count() -> None:
    """It keeps no seat free and makes nobody wait: what is missing is made, and the other orphan is taken in."""
    decision = planned(desired(3), observed(*seated(0), STRAY, SECOND_STRAY, stuck=STUCK))

    assert (decision.missing, decision.adopts) == (1, (Adopt(SECOND_STRAY, 1),))
    assert [each.slot for each in decision.creates] == [2]


def test_an_orphan_that_cannot_be_adopted_does_not_hold_up_a_scale_down() -> None:
    """Only what is about to be ours has to be waited for before it is decided which pod goes."""
    cheap = pod("web-1", slot=1, deletion_cost=-1)

    assert planned(desired(1), observed(*seated(0), cheap, STRAY, stuck=STUCK)) == Plan(
        missing=-1, removes=(Remove(cheap, Why.SURPLUS),)
    )


CAPTIVE = pod("web-1", slot=1, labels={"app": "else"})
FREE = pod("web-2", slot=2, labels={"app": "else"})


def test_a_pod_that_cannot_be_released_keeps_only_its_own_replacement_waiting() -> None:
    """It is not asked for again yet, and all the others that are missing are made."""
    decision = planned(desired(4), observed(*seated(0), CAPTIVE, FREE, stuck=frozenset({CAPTIVE.uid})))

    assert (decision.missing, len(decision.creates)) == (3, 2)
    assert decision.releases == (Release(FREE),)


def test_a_captive_pod_is_not_among_those_that_go() -> None:
    """Ours by its owner, not by its labels: it counts neither as one too many nor as a victim."""
    seen = observed(*seated(0, 2), CAPTIVE, stuck=frozenset({CAPTIVE.uid}))

    assert planned(desired(2), seen) == Plan()
    assert [each.pod.name for each in planned(desired(0), seen).removes] == ["web-0", "web-2"]


def test_a_held_lane_of_claims_holds_nothing_else_up() -> None:
    """Where many pods could not be claimed all wait a while; creates and removals go on."""
    held = {Lane.CLAIM: Refusal("Error adopting: forbidden", 5.0, forbidden=True)}

    grows = planned(desired(3), observed(*seated(0), STRAY, held=held))
    shrinks = planned(desired(1), observed(*seated(0, 1), held=held))

    assert (len(grows.adopts), len(grows.creates)) == (0, 2)
    assert len(shrinks.removes) == 1


def test_an_orphan_that_has_only_changed_since_keeps_its_place() -> None:
    """It is taken in in a moment: a pod that is made meanwhile would be one too many."""
    stuck = frozenset({STRAY.uid})

    soon = planned(desired(2), observed(*seated(0), STRAY, stuck=stuck, changed=stuck))
    never = planned(desired(2), observed(*seated(0), STRAY, stuck=stuck))

    assert (len(soon.creates), len(never.creates)) == (0, 1)

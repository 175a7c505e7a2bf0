"""The view: whose each pod is (by UID and selector, never by name), who sits where, and what is waited for."""

import pytest

from builders import NOW, OTHER_UID, desired, gone, observed, orphan, pod
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.view import View, view_of

ELSE = {"app": "else"}

# How one pod is claimed by a group that lives, and by the same group while it is being deleted.
CASES = {
    "our pod that matches is kept": (pod(), "kept", "kept"),
    "our finished pod that matches is kept": (pod(phase=Phase.FAILED), "kept", "kept"),
    "our dying pod that matches is kept": (gone("web-0"), "kept", "kept"),
    "our pod that no longer matches is released": (pod(labels=ELSE), "released", "ignored"),
    "our failed pod that no longer matches is left as it is": (
        pod(labels=ELSE, phase=Phase.FAILED),
        "ignored",
        "ignored",
    ),
    "our dying pod that no longer matches is left as it is": (pod(labels=ELSE, deleted=NOW), "ignored", "ignored"),
    "an orphan that matches is adoptable": (orphan(), "adoptable", "ignored"),
    "an orphan that does not match is ignored": (orphan(labels=ELSE), "ignored", "ignored"),
    "an orphan that is not labelled at all is ignored": (orphan(labels={}), "ignored", "ignored"),
    "an orphan that succeeded is ignored": (orphan(phase=Phase.SUCCEEDED), "ignored", "ignored"),
    "an orphan that failed is ignored": (orphan(phase=Phase.FAILED), "ignored", "ignored"),
    "an orphan on its way out is ignored": (orphan(deleted=NOW), "ignored", "ignored"),
    "another controller's pod is ignored though it matches": (pod(controller=OTHER_UID), "ignored", "ignored"),
    "another controller's pod that does not match is ignored": (
        pod(controller=OTHER_UID, labels=ELSE),
        "ignored",
        "ignored",
    ),
    "a pod of a namesake that was deleted is ignored: its UID is another": (
        pod("web-0", controller="uid-of-the-web-before"),
        "ignored",
        "ignored",
    ),
}
# The same, where that pod could not be changed a moment ago.
STUCK = {
    "our pod that matches is kept, stuck or not": (pod(), "kept", "kept"),
    "our dying pod that matches is kept, stuck or not": (gone("web-0"), "kept", "kept"),
    "our pod that no longer matches and cannot be let go is captive": (pod(labels=ELSE), "captive", "ignored"),
    "our failed pod that no longer matches holds no seat": (pod(labels=ELSE, phase=Phase.FAILED), "ignored", "ignored"),
    "our dying pod that no longer matches holds no seat": (pod(labels=ELSE, deleted=NOW), "ignored", "ignored"),
    "an orphan that cannot be adopted is ignored": (orphan(), "ignored", "ignored"),
    "another controller's pod is ignored, stuck or not": (pod(controller=OTHER_UID), "ignored", "ignored"),
}


def part(group: Desired, seen: Observed) -> str:
    """Tell in which part of the view the one pod is."""
    view = view_of(group, seen, NOW)
    parts = {
        "kept": list(view.members),
        "adoptable": view.adoptable,
        "released": view.released,
        "captive": range(view.captive),
    }
    found = [name for name, pods in parts.items() if pods]
    assert len(found) <= 1
    return found[0] if found else "ignored"


@pytest.mark.parametrize(("one", "alive", "dying"), CASES.values(), ids=CASES.keys())
def test_each_pod_is_claimed_by_its_uid_and_its_labels(one: Pod, alive: str, dying: str) -> None:
    """A pod is kept, released, adoptable or ignored by the rules of PodControllerRefManager."""
    assert alive == part(desired(), observed(one))
    assert dying == part(desired(deleting=True), observed(one))


@pytest.mark.parametrize(("one", "alive", "dying"), STUCK.values(), ids=STUCK.keys())
def test_a_pod_that_cannot_be_changed_is_neither_adopted_nor_released(one: Pod, alive: str, dying: str) -> None:
    """What was refused for one pod is not asked for again yet; that pod's seat is the only thing it holds up."""
    seen = observed(one, stuck=frozenset({one.uid}))

    assert alive == part(desired(), seen)
    assert dying == part(desired(deleting=True), seen)


def view(*pods: Pod, **changes: int) -> View:
    """Look at the plainest group."""
    return view_of(desired(**changes), observed(*pods), NOW)


def test_of_two_pods_on_one_slot_the_older_sits() -> None:
    """A slot is its oldest pod's; equal ages are told apart by UID; a pod without a slot sits nowhere."""
    old, young = pod("b", slot=0, created=NOW - 9), pod("a", slot=0, created=NOW - 1)
    twin, other_twin = pod("c", slot=1), pod("d", slot=1)
    pods = [young, other_twin, old, twin, pod("e", slot=None)]

    assert {0: old, 1: twin} == view(*pods).seats == view(*reversed(pods)).seats


def test_who_does_not_count_has_no_seat() -> None:
    """A dying, a finished and a foreign pod leave their slots to others."""
    pods = gone("a", slot=0), pod("b", slot=1, phase=Phase.FAILED), pod("c", slot=2, controller=OTHER_UID)

    assert view(*pods).seats == {}


STARTING = pod(ready_since=None)

NEXT_AVAILABLE = {
    "nothing becomes available by waiting when no pod is Ready": ([STARTING], 10, None),
    "nothing becomes available by waiting when all are": ([pod()], 10, None),
    "without minReadySeconds nothing is waited for, whatever a node's clock says": (
        [pod(ready_since=NOW + 5)],
        0,
        None,
    ),
    "the earliest pod is waited for": ([pod("a", ready_since=NOW - 3), pod("b", ready_since=NOW - 8)], 10, NOW + 2),
    "a pod that is asked to go is not waited for": ([gone("web-0", ready_since=NOW - 8)], 10, None),
    "a failed pod is not waited for": ([pod(phase=Phase.FAILED, ready_since=NOW - 8)], 10, None),
    "a pod that is available now is not waited for": ([pod(ready_since=NOW - 10)], 10, None),
    "another controller's pod is not waited for": ([pod(controller=OTHER_UID, ready_since=NOW - 8)], 10, None),
}


@pytest.mark.parametrize(("pods", "min_ready_seconds", "time"), NEXT_AVAILABLE.values(), ids=NEXT_AVAILABLE.keys())
def test_the_next_look_is_when_the_earliest_pod_becomes_available(
    pods: list[Pod], min_ready_seconds: int, time: float | None
) -> None:
    """Readiness that only has to grow old is waited for as long as it takes (FindMinNextPodAvailabilityCheck)."""
    assert time == view(*pods, min_ready_seconds=min_ready_seconds).next_available

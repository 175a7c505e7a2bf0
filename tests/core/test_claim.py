"""Claiming: by UID and selector, never by name; ReplicaSet's rules."""

import pytest

from builders import NOW, OTHER_UID, desired, gone, orphan, pod
from podgroup_operator.core.claim import Claims, claim
from podgroup_operator.core.model import Phase, Pod

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
    "an orphan with an owner that is not its controller is adoptable": (
        orphan(owners=(OTHER_UID,)),
        "adoptable",
        "ignored",
    ),
    "an orphan that does not match is ignored": (orphan(labels=ELSE), "ignored", "ignored"),
    "an orphan that is not labelled at all is ignored": (orphan(labels={}), "ignored", "ignored"),
    "an orphan that succeeded is ignored": (orphan(phase=Phase.SUCCEEDED), "ignored", "ignored"),
    "an orphan that failed is ignored": (orphan(phase=Phase.FAILED), "ignored", "ignored"),
    "an orphan on its way out is ignored": (orphan(deleted=NOW), "ignored", "ignored"),
    "another controller's pod is ignored though it matches": (pod(controller=OTHER_UID), "ignored", "ignored"),
    "a pod of a namesake that was deleted is ignored: its UID is another": (
        pod("web-0", controller="uid-of-the-web-before"),
        "ignored",
        "ignored",
    ),
}


def part(claims: Claims) -> str:
    """Tell which part the one pod of some claims is in."""
    parts = {"kept": claims.kept, "adoptable": claims.adoptable, "released": claims.released}
    return next((name for name, pods in parts.items() if pods), "ignored")


@pytest.mark.parametrize(("one", "alive", "dying"), CASES.values(), ids=CASES.keys())
def test_each_pod_is_claimed_by_its_uid_and_its_labels(one: Pod, alive: str, dying: str) -> None:
    """A pod is kept, released, adoptable or ignored by the rules of PodControllerRefManager."""
    assert alive == part(claim(desired(), [one]))
    assert dying == part(claim(desired(deleting=True), [one]))


def test_claims_are_in_the_order_of_uids() -> None:
    """Whatever the order of the cache, the claims come in the order of UIDs."""
    a, b, c = pod("a"), pod("b"), pod("c")

    assert Claims(kept=(a, b, c), adoptable=(), released=()) == claim(desired(), [c, a, b])

"""Giving way: a new pod that is not available makes room for what replaces a loss, where a quota has none."""

from typing import Any

import pytest

from builders import NOW, desired, loss, observed, planned, pod, seated
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.strategy import Share, Strategy

FULL = {Lane.CREATE: Refusal("exceeded quota", 5.0, forbidden=True)}
ILL = {Lane.CREATE: Refusal("internal error", 5.0)}
LOST = {2: loss(2, revision="r1", ready_since=NOW - 60)}


def group(replicas: int = 3) -> Desired:
    """Build a group on its way from r1 to r2, with one pod beyond."""
    strategy = Strategy(max_surge=Share(1), max_unavailable=Share(0))
    return desired(replicas, revision="r2", former="r1", strategy=strategy)


def new(**changes: Any) -> Pod:
    """Build a pod of r2 that is not Ready yet."""
    return pod("new", **({"slot": 0, "revision": "r2", "ready_since": None} | changes))


def seen(*pods: Pod, **changes: Any) -> Observed:
    """Build what is seen after an old pod was lost, where the quota is full."""
    return observed(*pods, **({"losses": LOST, "held": FULL, "templates": frozenset({"r1", "r2"})} | changes))


WAYS: dict[str, tuple[Desired, Observed, list[str]]] = {
    "a new pod that is not Ready goes": (group(), seen(*seated(0, 1), new()), ["new"]),
    "not one that is Ready": (group(), seen(*seated(0, 1), new(ready_since=NOW - 1)), []),
    "not one that must be kept": (group(), seen(*seated(0, 1), new(kept=True)), []),
    "not one that cannot be removed": (group(), seen(*seated(0, 1), new(), stuck=frozenset({"uid-new"})), []),
    "not if nothing was lost": (group(), seen(*seated(0, 1, 2), new(), losses={}), []),
    "not if it is none beyond": (group(4), seen(*seated(0, 1), new()), []),
    "not if no quota is full": (group(), seen(*seated(0, 1), new(), held={}), []),
    "not if the API server is ill": (group(), seen(*seated(0, 1), new(), held=ILL), []),
}


@pytest.mark.parametrize(("wanted", "world", "removed"), WAYS.values(), ids=WAYS)
def test_a_surge_gives_way_to_a_replacement(wanted: Desired, world: Observed, removed: list[str]) -> None:
    """What had been available and was lost goes before what may never be."""
    assert [each.pod.name for each in planned(wanted, world).removes] == removed

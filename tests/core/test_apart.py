"""Pods that must be kept on a lost node: each is replaced once, and stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, desired, observed, planned, pod, seated, summarized
from core.ailing import away
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.healing import Wishes
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.node import Storm
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.strategy import Strategy, StrategyType

KEPT = pod("web-0", slot=0, kept=True, ready_since=None)
HEIR = pod("web-0-b", slot=0, cause="NodeLost", replaces="web-0")
COMPLETE = {"pod_replacement": PodReplacement.TERMINATION_COMPLETE}


@pytest.mark.parametrize(
    ("group", "seen", "replaced"),
    [
        ({}, away(), True),
        ({}, away(since=NOW - 59), False),
        ({}, away() | {"began": NOW - 59}, False),
        ({}, away() | {"storm": Storm(raging=True)}, False),
        ({"healing": Wishes(paused=True)}, away(), False),
        ({"healing": Wishes(node_lost_seconds=0)}, away(), False),
        ({"tolerated_seconds": None}, away(), False),
        (COMPLETE, away(), False),
        (COMPLETE, away(out_of_service=True), True),
    ],
    ids=[
        "lost for a minute",
        "not for long enough",
        "the first minute",
        "a storm",
        "paused",
        "never",
        "tolerated",
        "it may run yet",
        "it surely does not",
    ],
)
def test_a_kept_pod_on_a_lost_node_is_replaced(
    group: dict[str, Any],
    seen: dict[str, Any],
    replaced: bool,  # noqa: FBT001 - a fact, not a switch
) -> None:
    """One is made in its place as soon as that of any other pod would be; it is not taken away."""
    plan = planned(desired(**group), observed(KEPT, *seated(1, 2), **seen))
    made = [(each.slot, each.loss.pod, each.loss.cause) for each in plan.creates if each.heals and each.loss]
    assert made == ([(0, "web-0", Cause.NODE_LOST)] if replaced else [])
    assert plan.removes == ()


def test_it_needs_no_news() -> None:
    """A look is asked for when the time is up."""
    assert planned(desired(), observed(KEPT, *seated(1, 2), **away(since=NOW - 10))).look_again == NOW + 50


@pytest.mark.parametrize(
    "seen",
    [away(), {}, away() | {"began": NOW - 1}, away() | {"storm": Storm(raging=True)}],
    ids=["lost", "nobody knows of nodes", "a new leader", "a storm"],
)
def test_it_is_replaced_once(seen: dict[str, Any]) -> None:
    """With its replacement there nothing more is done, and nothing too much is seen, whatever is known of the node."""
    pods = observed(KEPT, HEIR, *seated(1, 2), **seen)
    assert planned(desired(strategy=Strategy(StrategyType.RECREATE)), pods).empty
    status = summarized(desired(), pods, Outcome())
    assert (status.replicas, status.available) == (4, 3)
    assert next(each for each in status.conditions if each.type == "Ready").status == "True"


def test_it_counts_again_when_it_is_ready() -> None:
    """When it comes back there is one too many, and another one goes."""
    back = replace(KEPT, ready_since=NOW - 1)
    (remove,) = planned(desired(), observed(back, HEIR, *seated(1, 2))).removes
    assert remove.pod.name != "web-0"


def test_it_holds_up_no_recreate() -> None:
    """A kept pod of the former template that is lost holds up nothing."""
    group = desired(strategy=Strategy(StrategyType.RECREATE))
    old = [replace(each, revision="r0") for each in (KEPT, *seated(1, 2))]
    assert planned(group, observed(*old)).removes == ()
    assert len(planned(group, observed(*old, **away())).removes) == 2
    rolled = observed(old[0], replace(HEIR, revision="r1"), *seated(1, 2), **away())
    status = summarized(group, rolled, Outcome())
    assert next(each for each in status.conditions if each.type == "Progressing").reason == "NewReplicaSetAvailable"

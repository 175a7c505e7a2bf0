"""Lost nodes: whose pods are replaced, in which way, and when they are left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import HOUR, NOW, desired, observed, planned, pod
from core.ailing import away, crashing, moved, well
from podgroup_operator.core.model.actions import How
from podgroup_operator.core.model.healing import Wishes
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.node import Storm

LOST = pod("web-0", slot=0, ready_since=None)
"""A pod whose node is lost."""


@pytest.mark.parametrize(
    ("seen", "wishes", "way"),
    [
        (away(), {}, How.DELETE),
        (away(gone=True), {}, How.FORCE),
        (away(out_of_service=True), {}, How.FORCE),
        (away(since=NOW - 59), {}, None),
        (away(), {"node_lost_seconds": 0}, None),
        (away(), {"paused": True}, None),
        (away("another"), {}, None),
        (away() | {"storm": Storm(raging=True)}, {}, None),
        (away() | {"storm": Storm(until=NOW + 1)}, {}, None),
        (away() | {"storm": Storm(until=NOW)}, {}, How.DELETE),
        (away() | {"began": NOW - 59}, {}, None),
    ],
    ids=[
        "for a minute",
        "the node is gone",
        "it is out of service",
        "not for long enough",
        "never",
        "healing is paused",
        "another node",
        "a storm",
        "after a storm",
        "the storm is over",
        "the first minute",
    ],
)
def test_a_lost_node(seen: dict[str, Any], wishes: dict[str, Any], way: How | None) -> None:
    """Pods of a node that is lost for too long are deleted, by force only where the node is surely dead, else left."""
    plan = planned(desired(healing=Wishes(**wishes)), observed(LOST, *well(1, 2), **seen))
    assert [each.how for each in plan.removes] == ([way] if way else [])
    for each in plan.removes:
        assert each.loss
        assert (each.loss.cause, each.loss.attempt) == (Cause.NODE_LOST, 0)


@pytest.mark.parametrize(("seconds", "names"), [(0, ["web-0"]), (61, ["web-0"]), (62, []), (None, [])])
def test_what_its_template_tolerates(seconds: int | None, names: list[str]) -> None:
    """A toleration in the template is a lower bound, and one without an end means never."""
    assert moved(LOST, *well(1, 2), group=desired(tolerated_seconds=seconds), **away()) == names


def test_all_of_a_lost_node_at_once() -> None:
    """What is on a lost node serves nobody: all of it is replaced at once, whatever healing.maxUnavailable says."""
    lost = [replace(LOST, name=f"web-{slot}", uid=f"uid-{slot}", slot=slot) for slot in range(5)]
    assert len(moved(*lost, *well(5), group=desired(6), **away())) == 5


def test_one_that_is_still_ready_is_not_lost() -> None:
    """A pod that is still said to be Ready is left, for of two streams one may be late, unless the node is gone."""
    ready = replace(LOST, ready_since=NOW - HOUR)
    assert moved(ready, *well(1, 2), **away()) == []
    assert moved(ready, *well(1, 2), **away(gone=True)) == ["web-0"]


def test_on_a_lost_node_nothing_else_is_believed() -> None:
    """What the kubelet of a lost node said last of a crash loop moves no pod during a storm."""
    assert moved(crashing(0), *well(1, 2), **away(), storm=Storm(raging=True)) == []


def test_a_storm_is_told() -> None:
    """That pods of nodes are left in a storm is said, as long as there are any."""
    stormy = away() | {"storm": Storm(raging=True)}
    assert "hardly they who are at fault" in planned(desired(), observed(LOST, *well(1, 2), **stormy)).suppressed
    assert planned(desired(), observed(*well(0, 1, 2), **stormy)).suppressed == ""

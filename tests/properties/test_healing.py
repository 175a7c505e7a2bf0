"""Healing of pods that live, for any group: nobody is taken who must not be, and never too many at once."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, desired, observed, pod
from podgroup_operator.core.crash_loop import LONG_RUN, STEADY
from podgroup_operator.core.heal import SICK_CAUSES
from podgroup_operator.core.model.actions import How, Why
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.healing import Wishes
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.node import Node, Storm
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.signs import Loop, Signs
from podgroup_operator.core.model.strategy import Share
from podgroup_operator.core.plan import plan
from podgroup_operator.core.takeover import FIRST_MINUTE
from podgroup_operator.core.view import view_of

AGO = st.sampled_from([NOW - 1000, NOW - 61, NOW - 30, NOW])
SOME = st.one_of(st.none(), AGO)
NODES = ("node-a", "node-b", "node-c")


@st.composite
def loops(draw: st.DrawFn) -> Loop:
    """Some container that was restarted."""
    waits = draw(st.booleans())
    return Loop(
        "app",
        restarts=draw(st.integers(0, 9)),
        ran=1.0,
        ended=NOW - 5,
        waits=waits,
        since=draw(AGO) if waits else draw(SOME),
        up=None if waits else draw(AGO),
    )


@st.composite
def pods(draw: st.DrawFn, slot: int) -> Pod:
    """Some pod in a seat."""
    ready = draw(st.booleans())
    signs = Signs(
        unstarted=None if ready else draw(SOME),
        unready=None if ready else draw(SOME),
        well=draw(st.sampled_from([0.0, STEADY, LONG_RUN, math.inf])),
        loop=draw(st.one_of(st.none(), loops())),
    )
    return pod(
        f"web-{slot}",
        slot=slot,
        ready_since=draw(AGO) if ready else None,
        signs=draw(st.sampled_from([signs, None])),
        kept=draw(st.integers(0, 5)) == 0,
        deleted=NOW - 1 if draw(st.integers(0, 5)) == 0 else None,
        node=draw(st.sampled_from(NODES)),
        attempt=draw(st.integers(0, 3)),
        cause=draw(st.sampled_from(["", "Deleted", "CrashLoop", "NodeLost"])),
        revision=draw(st.sampled_from(["r1", "r1", "r0"])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Desired, Observed]:
    """Some group and what is seen of it."""
    number = draw(st.integers(1, 6))
    wishes = Wishes(
        crash_loop_restarts=draw(st.sampled_from([0, 2, 5])),
        crash_loop_seconds=draw(st.sampled_from([0, 60, 300])),
        unready_seconds=draw(st.sampled_from([0, 30])),
        start_seconds=draw(st.sampled_from([0, 30])),
        node_lost_seconds=draw(st.sampled_from([0, 60])),
        max_unavailable=draw(st.sampled_from([Share(1), Share(2), Share(50, percent=True)])),
        paused=draw(st.integers(0, 9)) == 0,
    )
    seen = [draw(pods(slot)) for slot in range(number)]
    nodes = {
        name: Node(name, name, 1, lost_since=draw(st.one_of(st.none(), AGO)), gone=draw(st.integers(0, 4)) == 0)
        for name in NODES
    }
    group = desired(draw(st.integers(0, 6)), healing=wishes, held=draw(st.booleans()))
    return group, observed(
        *seen,
        nodes=nodes,
        lost_nodes={name for name, node in nodes.items() if node.lost_since is not None},
        storm=draw(st.sampled_from([Storm(), Storm(raging=True), Storm(until=NOW + 1)])),
        began=draw(st.sampled_from([0.0, NOW - 30])),
    )


@given(worlds())
def test_nobody_is_taken_who_must_not_be(world: tuple[Desired, Observed]) -> None:
    """What serves, must be kept or goes already is left; so is all in the first minute, in a pause, in a storm."""
    group, seen = world
    view = view_of(group, seen, NOW)
    sick = [each for each in plan(view).removes if each.why is Why.SICK]
    for each in sick:
        assert each.loss
        assert each.pod in view.active
        assert not each.pod.kept
        assert each.pod.ready_since is None or seen.nodes[each.pod.node].gone
        assert (each.how is How.EVICT) is (each.loss.cause is not Cause.NODE_LOST)
    if group.healing.paused or seen.began + FIRST_MINUTE > NOW:
        assert not sick
    if seen.storm.raging or seen.storm.until > NOW:
        assert not [each for each in sick if each.pod.node in seen.lost_nodes]


@given(worlds())
def test_never_too_many_at_once(world: tuple[Desired, Observed]) -> None:
    """With those that are on their way no more than healing.maxUnavailable are moved for what ails them."""
    group, seen = world
    view = view_of(group, seen, NOW)
    moved = [each for each in plan(view).removes if each.how is How.EVICT]
    coming = [
        each
        for each in view.active
        if each.cause in SICK_CAUSES and each.ready_since is None and (each.signs is None or each.signs == Signs())
    ]
    if moved:
        assert len(moved) + len(coming) <= group.healing.at_once(group.replicas)


@given(worlds())
def test_no_pod_is_taken_twice(world: tuple[Desired, Observed]) -> None:
    """Whatever else takes pods away in the same plan, none is given away twice."""
    group, seen = world
    uids = [each.pod.uid for each in plan(view_of(group, seen, NOW)).removes]
    assert len(uids) == len(set(uids))


@given(worlds())
def test_it_wakes_when_time_alone_makes_a_pod_sick(world: tuple[Desired, Observed]) -> None:
    """A pod that is moved at some time is looked at by then: at the time that the plan before has named, or sooner."""
    group, seen = world
    quiet = replace(seen, pods=tuple(replace(each, deleted=None) for each in seen.pods), storm=Storm())
    now = plan(view_of(group, quiet, NOW))
    later = NOW + 400
    moved = [each for each in plan(view_of(group, quiet, later)).removes if each.why is Why.SICK]
    if moved and now.empty:
        assert (now.look_again or math.inf) <= later

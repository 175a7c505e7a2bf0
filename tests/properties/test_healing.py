"""Healing of pods that live, for any group: nobody is taken who must not be, and never too many at once."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, desired, observed, pod
from podgroup_operator.core.crash_loop import LONG_RUN, STEADY
from podgroup_operator.core.heal import SICK_CAUSES
from podgroup_operator.core.model.actions import Create, How, Why
from podgroup_operator.core.model.ailment import Ailment
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.healing import Wishes
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.node import Node, Storm
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.signs import Loop, Signs
from podgroup_operator.core.model.strategy import Share, Strategy
from podgroup_operator.core.node_lost import node_lost
from podgroup_operator.core.plan import plan
from podgroup_operator.core.takeover import FIRST_MINUTE
from podgroup_operator.core.view import View, view_of

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


def node_lost_of(view: View, pod: Pod) -> Ailment | None:
    """Tell whether a pod's node is lost."""
    return node_lost(view, pod) if pod.node in view.observed.lost_nodes else None


@given(worlds())
def test_never_too_many_at_once(world: tuple[Desired, Observed]) -> None:
    """With those that are on their way no more than healing.maxUnavailable are moved for what ails them."""
    group, seen = world
    view = view_of(group, seen, NOW)
    moved = [each for each in plan(view).removes if each.how is How.EVICT]
    # Nobody waits for one whose node is lost: it is replaced in its turn.
    given_up = [pod for pod in view.active if (each := node_lost_of(view, pod)) and each.due <= NOW]
    coming = [
        each
        for each in view.active
        if each not in given_up
        and each.cause in SICK_CAUSES
        and each.ready_since is None
        and (each.signs is None or each.signs == Signs())
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


class Drains:
    """A group on nodes that are drained and come back, whose pods start, fail to start and are taken by others.

    What a plan says is done at once, and seen at once.
    """

    def __init__(self, group: Desired) -> None:
        self.group, self.now, self.born = group, NOW, 0
        self.pods: dict[str, Pod] = {}
        self.losses: dict[int, Loss] = {}
        self.epochs: dict[int, int] = {}
        self.maintained = set[str]()
        self.did = list[str]()
        self.settle()
        for each in tuple(self.pods):
            self.start(each)

    @property
    def available(self) -> int:
        """Count the pods that serve."""
        return sum(each.ready_since is not None for each in self.pods.values())

    def look(self) -> Plan:
        """Plan once."""
        nodes = {name: Node(name, name, 1, maintained=name in self.maintained) for name in NODES}
        seen = observed(*self.pods.values(), nodes=nodes, maintained=self.maintained, losses=dict(self.losses))
        seen = replace(seen, epochs=dict(self.epochs), templates={"r0", "r1"})
        return plan(view_of(self.group, seen, self.now))

    def settle(self) -> None:
        """Look and do until there is nothing left to do; what is done obeys all bounds."""
        least = self.group.replicas - self.group.strategy.unavailable(self.group.replicas)
        for _ in range(MOST_LOOKS):
            found = self.look()
            if found.empty:
                return
            before, number = self.available, len(self.pods)
            ready = {each.replaces for each in self.pods.values() if each.ready_since is not None}
            for each in found.removes:
                assert each.why is not Why.MAINTAINED or each.pod.name in ready
                del self.pods[each.pod.name]
            for create in found.creates:
                self.make(create)
            if found.missing <= 0:
                self.losses.clear()
            assert len(self.pods) <= max(self.group.replicas + self.group.strategy.surge(self.group.replicas), number)
            assert self.available >= min(before, least)
        raise AssertionError(f"without end: {self.did}")

    def make(self, create: Create) -> None:
        """Make a pod; it is scheduled to a node that is open, if there is one."""
        assert create.name not in self.pods
        self.born += 1
        self.epochs[create.slot] = create.epoch
        place = [name for name in NODES if name not in self.maintained] or list(NODES)
        lost = create.loss
        self.pods[create.name] = pod(
            create.name,
            uid=f"uid-{self.born:04}",
            slot=create.slot,
            epoch=create.epoch,
            node=place[self.born % len(place)],
            created=self.now,
            ready_since=None,
            revision=create.revision,
            cause=lost.cause.value if lost else "",
            replaces=lost.pod if lost else "",
        )

    def start(self, name: str) -> None:
        """Let a pod be Ready."""
        self.pods[name] = replace(self.pods[name], ready_since=self.now)

    def happen(self, what: str, which: int) -> None:
        """Let something happen to some pod or node."""
        self.did.append(f"{what} {which}")
        self.now += 5
        names, node = sorted(self.pods), NODES[which % len(NODES)]
        name = names[which % len(names)] if names else ""
        if what == "cordon":
            self.maintained.add(node)
        elif what == "uncordon":
            self.maintained.discard(node)
        elif what == "roll":
            self.group = replace(self.group, revision="r1" if self.group.revision == "r0" else "r0")
        elif what == "pause":
            self.group = replace(self.group, paused=not self.group.paused, former="r0")
        elif name:
            self.suffer(what, name)

    def suffer(self, what: str, name: str) -> None:
        """Let something happen to a pod."""
        each = self.pods[name]
        if what == "start":
            self.start(name)
        elif what == "start all":
            for other in tuple(self.pods):
                self.start(other)
        elif what == "stop":
            self.pods[name] = replace(each, ready_since=None)
        elif what == "keep":
            self.pods[name] = replace(each, kept=not each.kept)
        elif what == "evict":
            slot = -1 if each.slot is None else each.slot
            del self.pods[name]
            self.losses[slot] = Loss(slot, name, Cause.EVICTED, self.now, revision=each.revision)


MOST_LOOKS = 40
"""More than any of these groups needs to come to rest."""

HAPPENS = ("cordon", "uncordon", "start", "start all", "stop", "keep", "evict", "roll", "pause")


@given(
    st.integers(1, 5),
    st.sampled_from([(0, 1), (1, 0), (1, 1), (2, 0), (2, 2)]),
    st.lists(st.tuples(st.sampled_from(HAPPENS), st.integers(0, 9)), max_size=25),
)
def test_drains(replicas: int, bounds: tuple[int, int], story: list[tuple[str, int]]) -> None:
    """Never more than replicas and maxSurge, never fewer available by our doing than may be, never without end.

    And when all is over, nodes open and pods started, the group has as many as it asks for.
    """
    strategy = Strategy(max_surge=Share(bounds[0]), max_unavailable=Share(bounds[1]))
    world = Drains(desired(replicas, healing=Wishes(surge_on_drain=True), strategy=strategy))
    for what, which in story:
        world.happen(what, which)
        world.settle()
    world.maintained.clear()
    world.group = replace(world.group, paused=False)
    world.pods = {name: replace(each, kept=False) for name, each in world.pods.items()}
    for _ in range(MOST_LOOKS):
        world.happen("start all", 0)
        world.settle()
    assert len(world.pods) == world.available == replicas
    assert {each.revision for each in world.pods.values()} == {world.group.revision}

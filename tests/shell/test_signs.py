"""Signs of sickness: what is read of a pod, since when, and what is kept from one state to the next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.core.model.signs import Loop, Signs
from podgroup_operator.observe.pods import PodStore

if TYPE_CHECKING:
    from podgroup_operator.core.model.pod import Pod

Json = dict[str, Any]

AT = 1_800_000_000.0
TIMES = {number: f"2027-01-15T08:{number // 60:02}:{number % 60:02}Z" for number in range(1800)}
"""Seconds after 2027-01-15T08:00:00Z, which is AT, as nodes write them."""


class Watched:
    """A cache of pods with a clock that is set by hand, and one pod of the API."""

    def __init__(self) -> None:
        self.now, self.monotonic, self.version = AT, 0.0, 0
        self.pods = PodStore(lambda *_: True, lambda: self.now, monotonic=lambda: self.monotonic)

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.monotonic += seconds

    def hear(self, status: Json, *, listed: bool = False, labels: Json | None = None, **spec: Any) -> Signs | None:
        """Hear of the pod; give what is seen of it then."""
        self.version += 1
        changed = body(status, self.version, **spec)
        changed["metadata"]["labels"] = labels or {}
        record = read_pod(changed)
        assert record
        if listed:
            self.pods.replace("", [record], self.version)
        else:
            self.pods.upsert(record, born=self.version == 1)
        return self.known().signs

    def known(self) -> Pod:
        """Give the pod as the cache has it."""
        ((_, memory),) = self.pods.memories
        return memory.seen.pods["1"]


def body(status: Json, version: int = 1, **spec: Any) -> Json:
    """Build a pod of a group."""
    owner = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": "g", "controller": True}
    metadata = {"namespace": "default", "name": "web-0", "uid": "1", "resourceVersion": str(version)}
    containers = [{"name": "app", "image": "shop/app:1"}]
    return {
        "metadata": metadata | {"ownerReferences": [owner]},
        "spec": {"nodeName": "node-1", "containers": containers} | spec,
        "status": status,
    }


def condition(kind: str, value: str, at: int = 0, **more: str) -> Json:
    """Build a condition."""
    return {"type": kind, "status": value, "lastTransitionTime": TIMES[at]} | more


def container(state: Json, restarts: int = 0, ran: tuple[int, int] | None = None, code: int = 1) -> Json:
    """Build the status of the container, and how it last ended."""
    last: Json = {}
    if ran:
        end = {"exitCode": code, "reason": "Error", "startedAt": TIMES[ran[0]], "finishedAt": TIMES[ran[1]]}
        last = {"lastState": {"terminated": end}}
    return {"name": "app", "restartCount": restarts, "state": state} | last


def status(*containers: Json, ready: bool = False, at: int = 0) -> Json:
    """Build the status of a pod that runs, whose condition Ready has changed at some second after its start."""
    conditions = [condition("Ready", "True" if ready else "False", at)]
    return {"phase": "Running", "startTime": TIMES[0], "conditions": conditions, "containerStatuses": list(containers)}


def crashed(restarts: int, ran: tuple[int, int] = (0, 1), at: int = 0) -> Json:
    """Build the status of a pod that waits after a crash."""
    return status(container({"waiting": {"reason": "CrashLoopBackOff"}}, restarts, ran), at=at)


def runs(restarts: int = 0, ran: tuple[int, int] | None = None, *, ready: bool = True, at: int = 0) -> Json:
    """Build the status of a pod that runs."""
    return status(container({"running": {"startedAt": TIMES[0]}}, restarts, ran), ready=ready, at=at)


@pytest.fixture
def watched() -> Watched:
    """A cache."""
    return Watched()


def loop_of(signs: Signs | None) -> Loop:
    """Give the loop, which must be there."""
    assert signs
    assert signs.loop
    return signs.loop


def test_a_pod_that_is_well_has_none(watched: Watched) -> None:
    """Of a pod that is Ready and was never restarted nothing is kept."""
    assert watched.hear(runs()) is None


def test_a_loop_is_counted_from_its_first_wait(watched: Watched) -> None:
    """All restarts of a pod that was watched from its birth are of its loop, which begins when it is first seen."""
    watched.hear(runs(ready=False))
    watched.passes(5)
    watched.hear(crashed(1))
    watched.passes(20)
    loop = loop_of(watched.hear(crashed(2, (20, 21))))
    assert (loop.restarts, loop.before, loop.since, loop.seen) == (2, 0, AT + 5, "exit code 1 (Error)")


def test_one_crash_is_proved_after_a_restart_of_ours(watched: Watched) -> None:
    """Of a pod that was restarted before we looked its last crash is known, and the time begins with us."""
    watched.passes(100)
    loop = loop_of(watched.hear(crashed(7), listed=True))
    assert (loop.restarts - loop.before, loop.since) == (1, AT + 100)


def test_that_it_runs_between_two_crashes_does_not_end_a_loop(watched: Watched) -> None:
    """The loop goes on where it was, and it is known since when the container runs."""
    watched.hear(crashed(1))
    watched.passes(10)
    loop = loop_of(watched.hear(runs(2, (0, 1), ready=False)))
    assert (loop.since, loop.up, loop.waits) == (AT, AT + 10, False)
    watched.passes(1)
    loop = loop_of(watched.hear(crashed(2, (10, 11))))
    assert (loop.since, loop.up, loop.waits) == (AT, None, True)


def test_a_run_of_ten_minutes_begins_a_new_loop(watched: Watched) -> None:
    """What was restarted before a long run does not count, as for the kubelet's own back-off."""
    watched.hear(crashed(4))
    watched.passes(700)
    loop = loop_of(watched.hear(crashed(5, (30, 690))))
    assert (loop.restarts - loop.before, loop.since) == (0, AT + 700)


def test_how_long_it_was_ready_is_kept(watched: Watched) -> None:
    """The longest time of being Ready between crashes is kept, with the restarts until then: who decides may reset."""
    watched.hear(runs(1, (0, 1)))
    watched.passes(90)
    signs = watched.hear(crashed(1, (1, 90), at=90))
    assert signs
    assert signs.well == 90
    loop = loop_of(signs)
    assert (loop.well >= 60, loop.well_before, loop.well_since) == (True, 1, AT + 90)
    watched.passes(10)
    assert loop_of(watched.hear(crashed(2, (99, 100), at=90))).well_before == 1


def test_two_containers_take_turns(watched: Watched) -> None:
    """Where two containers of a pod crash by turns the loop of each goes on, whichever of them waits."""
    up, down = {"running": {"startedAt": TIMES[0]}}, {"waiting": {"reason": "CrashLoopBackOff"}}
    signs = watched.hear(runs(ready=False))
    for number in range(1, 5):
        for first, second in ((down, up), (up, down)):
            watched.passes(10)
            app, side = (container(state, number, (number, number + 1)) for state in (first, second))
            signs = watched.hear(status(app, side | {"name": "side"}))
    assert signs
    assert {each.container: (each.restarts - each.before, each.since) for each in signs.loops} == {
        "app": (4, AT + 10),
        "side": (4, AT + 20),
    }


def test_what_is_changed_in_place_begins_anew(watched: Watched) -> None:
    """Of a pod that was brought to another template nothing counts that ailed it before, for that may be the cure."""
    labels = {"selfheal.dev/revision": "r1"}
    watched.hear(crashed(7), labels=labels)
    watched.passes(100)
    signs = watched.hear(crashed(9), labels=labels | {"selfheal.dev/revision": "r2"})
    loop = loop_of(signs)
    assert (loop.restarts - loop.before, loop.since) == (0, AT + 100)
    assert signs
    assert signs.well == math.inf


def test_a_crash_after_many_restarts_by_a_rule_is_one(watched: Watched) -> None:
    """How often a container was restarted by its own rule does not count when it crashes at last."""
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    containers = [{"name": "app", "image": "a", "restartPolicyRules": [rule]}]
    by_rule = container({"running": {"startedAt": TIMES[0]}}, 99, (0, 1), code=42)
    watched.hear(status(by_rule, ready=True), containers=containers)
    loop = loop_of(watched.hear(crashed(100, (2, 3)), containers=containers))
    assert loop.restarts - loop.before == 1


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        ([{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}], False),
        ([{"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [42]}}], False),
        ([{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}], True),
        ([], True),
    ],
)
def test_restarts_by_a_rule_are_no_loop(watched: Watched, rules: list[Json], *, known: bool) -> None:
    """A container that its own template has restarted after this exit code is in no crash loop (KEP-5307)."""
    containers = [{"name": "app", "image": "a", "restartPolicyRules": rules}]
    signs = watched.hear(crashed(5), containers=containers)
    assert (signs is not None and signs.loop is not None) is known


def test_a_pod_that_is_restarted_as_a_whole_is_in_no_loop(watched: Watched) -> None:
    """Where all containers are restarted by a rule none is in a crash loop (KEP-5532)."""
    whole = crashed(5)
    whole["conditions"] += [condition("AllContainersRestarting", "True")]
    signs = watched.hear(whole)
    assert signs is None or signs.loop is None


@pytest.mark.parametrize("listed", [False, True], ids=["seen", "listed"])
def test_since_when_it_is_not_ready(watched: Watched, *, listed: bool) -> None:
    """A pod that was Ready and is not any more is known to be so since we saw it first, whatever its node says."""
    if not listed:
        watched.hear(runs())
    watched.passes(500)
    signs = watched.hear(runs(ready=False, at=30), listed=listed)
    assert signs
    assert signs.unready == AT + 500
    watched.passes(5)
    signs = watched.hear(runs(ready=False, at=30) | {"message": "more"})
    assert signs
    assert signs.unready == AT + 500


def test_one_that_never_was_ready(watched: Watched) -> None:
    """A pod that has not become Ready since its start is not one that ceased to be."""
    assert watched.hear(runs(ready=False, at=1), listed=True) is None


def test_since_when_it_has_not_started(watched: Watched) -> None:
    """A pod with a node of which no container was ever started is known to be so since we saw it."""
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    signs = watched.hear({"phase": "Pending", "containerStatuses": [container(waiting)]})
    assert signs == Signs(unstarted=AT)
    assert watched.hear({"phase": "Pending"}, nodeName="") is None


def test_a_clock_that_is_set_heals_nothing(watched: Watched) -> None:
    """When our clock is set an hour ahead nothing has been sick for an hour by that, nor when it is set back."""
    watched.hear(runs())
    watched.passes(10)
    watched.hear(crashed(1, at=10))
    for jump in (3600.0, -7200.0):
        watched.now += jump
        watched.passes(1)
        watched.pods.now()
        signs = watched.known().signs
        assert signs
        assert signs.unready is not None
        assert watched.now - signs.unready < 10
        assert watched.now - (loop_of(signs).since or 0.0) < 10


def test_a_clock_that_is_set_does_not_end_the_first_minute(watched: Watched) -> None:
    """A tenure that began a second ago did so, whatever the clock is set to; one of long ago stays that."""
    watched.hear(runs())
    ((_, memory),) = watched.pods.memories
    other = watched.pods.memories.of(("default", "other"))
    memory.began, other.began = watched.now, 0.0
    for jump in (3600.0, -7200.0):
        watched.now += jump
        watched.pods.now()
        assert (memory.began, other.began) == (watched.now, 0.0)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (container({"waiting": {"reason": "ErrImagePull", "message": "token abc"}}), "ErrImagePull shop/app:1"),
        (
            container({"waiting": {"reason": "CrashLoopBackOff"}}, 3, (0, 1), code=137),
            "CrashLoopBackOff (exit code 137)",
        ),
        (container({"waiting": {"reason": "CreateContainerConfigError"}}), "CreateContainerConfigError"),
        (container({"waiting": {"reason": "PodInitializing"}}), ""),
    ],
)
def test_what_it_waits_for(watched: Watched, told: Json, words: str) -> None:
    """What a pod waits for is said by a reason and what no secret can be in, never by a message."""
    signs = watched.hear({"phase": "Pending", "containerStatuses": [told]})
    assert signs
    assert signs.waits_for == words


def test_what_cannot_be_scheduled(watched: Watched) -> None:
    """A pod without a place says so in the scheduler's words."""
    words = "0/3 nodes are available: 3 Insufficient cpu."
    told = [condition("PodScheduled", "False", reason="Unschedulable", message=words)]
    signs = watched.hear({"phase": "Pending", "conditions": told}, nodeName="")
    assert signs == Signs(waits_for=f"Unschedulable: {words}")

"""Moving a pod that ails: what is asked of the API server, and what its replacement says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakeapi.client import a_group
from fakeapi.faults import Answer, Cut
from podgroup_operator.core.manifest import micro_time
from podgroup_operator.core.takeover import FIRST_MINUTE, turn
from shell.rolling import BAD, ONE_BY_ONE, image, images, set_image
from shell.rolling import group as a_rolling_group
from shell.stage import names

if TYPE_CHECKING:
    from fakeapi.resources import Obj
    from shell.stage import Stage

ROUND = 30.0


async def group(stage: Stage, replicas: int = 3) -> None:
    """Make a group whose pods are Ready, and let the first minute pass."""
    stage.api.create("podgroups", a_group("web", replicas))
    await stage.settle()
    for pod in stage.api.pods():
        stage.api.set_pod(pod["metadata"]["name"], node="node-1", ready=True)
    stage.now += 120
    await stage.settle()


def crash(stage: Stage, name: str, restarts: int = 5) -> None:
    """Let a pod's container crash and wait."""
    stage.api.set_pod(name, waiting="CrashLoopBackOff", restarts=restarts)


async def test_it_is_evicted_and_replaced(stage: Stage) -> None:
    """A pod in a crash loop is evicted, and another one made that says whom it replaces and why, and goes elsewhere."""
    await group(stage)
    (sick, *_) = sorted(names(stage.api.pods()))
    crash(stage, sick)
    await stage.settle()
    (eviction,) = [each for each in stage.writes("create") if each.subresource == "eviction"]
    assert eviction.path.endswith(f"/{sick}/eviction")
    (heir,) = [pod for pod in stage.api.pods() if pod["metadata"]["annotations"].get("selfheal.dev/replaces") == sick]
    annotations = heir["metadata"]["annotations"]
    assert annotations["selfheal.dev/cause"] == "CrashLoop"
    assert annotations["selfheal.dev/attempt"] == "1"
    assert annotations["selfheal.dev/avoids"].startswith("node-1=")
    assert "node-1" in str(heir["spec"]["affinity"])
    assert stage.status()["healing"]["lastCause"] == "CrashLoop"
    assert stage.writes("delete") == []


async def test_a_budget_forbids_it(stage: Stage) -> None:
    """What a PodDisruptionBudget forbids is told, with the cure, tried again ever later, and never done by a delete."""
    await group(stage)
    (sick, *_) = sorted(names(stage.api.pods()))
    stage.api.protected.add(sick)
    crash(stage, sick)
    for _ in range(10):
        stage.now += 1
        await stage.settle()
    tries = [each for each in stage.writes("create") if each.subresource == "eviction"]
    assert 1 < len(tries) < 6
    (told,) = {note for reason, note in stage.recorder.told if reason == "HealingSuppressed"}
    assert "disruption budget pdb needs 1 healthy pods" in told
    assert "AlwaysAllow" in told
    assert stage.condition("ReplicaFailure")["message"] == told
    assert not stage.cluster.outage.suspected
    assert stage.writes("delete") == []
    assert stage.condition("Stalled")["status"] == "False"
    stage.api.protected.clear()
    stage.now += ROUND
    await stage.settle()
    assert len(names(stage.api.pods())) == 4  # one of them is on its way out


async def test_what_may_not_be_evicted_may_be_deleted(stage: Stage) -> None:
    """A budget that forbids an eviction does not hold up the rollout that takes the pod away, nor a scale-down."""
    await group(stage)
    (sick, *_) = sorted(names(stage.api.pods()))
    stage.api.protected.add(sick)
    crash(stage, sick)
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    await stage.settle()
    assert [each.path.rpartition("/")[2] for each in stage.writes("delete")] == [sick]


@pytest.mark.parametrize("code", [429, 403, 500])
async def test_however_many_ail_few_are_asked_about(stage: Stage, code: int) -> None:
    """Where evictions are refused as many are asked for in a minute for twenty pods as for one."""
    await group(stage, 20)
    stage.api.faults.add(Answer(code), verb="create", resource="pods", subresource="eviction", times=None)
    for pod in stage.api.pods()[1:]:
        crash(stage, pod["metadata"]["name"])
    for _ in range(240):
        stage.hear()
        await stage.look()
        stage.now += 0.25
    assert 1 < len([each for each in stage.writes("create") if each.subresource == "eviction"]) < 20


async def test_one_that_may_not_be_evicted_holds_up_no_other_for_long(stage: Stage) -> None:
    """The pods that no budget protects have their turn, though the others ailed first."""
    await group(stage, 9)
    *protected, last = sorted(names(stage.api.pods()))[:8]
    stage.api.protected.update(protected)
    for name in (*protected, last):
        crash(stage, name)
        stage.hear()
        stage.now += 1
    for _ in range(240):
        await stage.settle()
        stage.now += 1
    assert last not in [each["metadata"]["name"] for each in stage.api.pods() if is_there(each)]


def is_there(pod: Obj) -> bool:
    """Tell whether nobody has asked a pod to go."""
    return "deletionTimestamp" not in pod["metadata"]


async def test_evictions_are_not_allowed(stage: Stage) -> None:
    """Without the right to evict nothing that lives is moved, and what is lost is replaced all the same."""
    await group(stage)
    first, second, _ = sorted(names(stage.api.pods()))
    stage.api.faults.add(Answer(403), verb="create", resource="pods", subresource="eviction", times=99)
    crash(stage, first)
    stage.api.delete("pods", second, grace=0)
    await stage.settle()
    assert len(stage.api.pods()) == 3
    assert first in names(stage.api.pods())


@pytest.mark.parametrize("lost", ["the answer", "the request"])
async def test_an_answer_is_lost(stage: Stage, lost: str) -> None:
    """Where an eviction is not answered the pod is replaced once, whether it was done or not."""
    await group(stage)
    (sick, *_) = sorted(names(stage.api.pods()))
    fault = Cut(after=lost == "the answer")
    stage.api.faults.add(fault, verb="create", resource="pods", subresource="eviction", times=1)
    crash(stage, sick)
    for _ in range(5):
        stage.now += 5
        await stage.settle()
    heirs = [pod for pod in stage.api.pods() if pod["metadata"]["annotations"].get("selfheal.dev/replaces") == sick]
    assert len(heirs) == 1
    assert heirs[0]["metadata"]["annotations"]["selfheal.dev/cause"] == "CrashLoop"


@pytest.mark.parametrize("strategy", [ONE_BY_ONE, {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}])
async def test_a_rollout_of_a_bad_template(stage: Stage, strategy: Obj) -> None:
    """Where the pods of a new template crash one is tried elsewhere, which counts as a heal, and no more; that is said.

    It may be one beyond `replicas`: that none is missing is no reason to forget what it suffered from.
    """
    await a_rolling_group(stage, 3, strategy=strategy)
    set_image(stage, BAD)
    for _ in range(30):
        stage.now += 60
        await stage.settle()
        for pod in stage.api.pods():
            if "deletionTimestamp" in pod["metadata"]:
                stage.api.finish_termination(pod["metadata"]["name"])
            elif image(pod) == BAD:
                stage.api.set_pod(pod["metadata"]["name"], node="node-1")
                crash(stage, pod["metadata"]["name"])
            else:
                stage.api.set_pod(pod["metadata"]["name"], node="node-1", ready=True)
    assert len([each for each in stage.writes("create") if each.subresource == "eviction"]) == 1
    assert len(images(stage)) == 3 + (strategy is ONE_BY_ONE)
    assert (stage.status()["healing"]["total"], stage.status()["healing"]["lastCause"]) == (1, "CrashLoop")
    assert stage.condition("ReplicaFailure")["reason"] == "PodsKeepFailing"
    set_image(stage, "good")
    await stage.settle()
    assert stage.memory().seen.losses == {}


async def test_what_was_just_changed_in_place_is_not_evicted(stage: Stage) -> None:
    """A pod in a crash loop that is brought to a new template in place has all its patience to get well by that."""
    strategy: Obj = {"inPlace": "IfPossible", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    await a_rolling_group(stage, 3, strategy=strategy)
    stage.now += 120
    await stage.settle()
    (sick, *_) = sorted(names(stage.api.pods()))
    crash(stage, sick, restarts=1)
    stage.hear()
    crash(stage, sick, restarts=9)
    stage.hear()
    set_image(stage, "good")
    await stage.settle()
    assert images(stage) == ["app", "app", "good"]
    assert [each for each in stage.writes("create") if each.subresource] == []


async def test_after_an_upgrade_a_group_has_its_turn(stage: Stage) -> None:
    """A status that an older version has written gets the time of the group's turn; until then nothing is moved."""
    await group(stage)
    stage.api.patch("podgroups", "web", {"status": {"healingStartTime": None}}, subresource="status")
    stage.reconciler.start_anew(lambda _: True)
    await stage.settle()
    wait = FIRST_MINUTE * turn(stage.group().uid)
    assert stage.status()["healingStartTime"] == micro_time(stage.now + wait)
    crash(stage, sorted(names(stage.api.pods()))[0])
    await stage.settle()
    for seconds, evictions in ((max(wait, FIRST_MINUTE) - 1, 0), (2, 1)):
        stage.now += seconds
        await stage.settle()
        assert len([each for each in stage.writes("create") if each.subresource == "eviction"]) == evictions
    assert stage.status()["healing"]["lastCause"] == "CrashLoop"

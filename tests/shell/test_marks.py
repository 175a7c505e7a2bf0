"""Policies that take our marks off new pods: what was sent is known, by whichever of answer and news comes first."""

import asyncio
from collections.abc import Callable

import pytest

from builders import NOW, create, desired, loss
from fakeapi import Cut, Hold
from fakeapi.client import a_group
from fakeapi.resources import Obj
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.marks import marks_of, marks_on
from podgroup_operator.core.model.pod import Pod
from shell.stage import START, Stage

REVISION = "selfheal.dev/revision"


def annotations_anew(pod: Obj) -> None:
    """Write a pod's annotations anew."""
    pod["metadata"]["annotations"] = {"x": "y"}


def revision_off(pod: Obj) -> None:
    """Take the label of its revision off a pod."""
    pod["metadata"]["labels"] = {name: value for name, value in pod["metadata"]["labels"].items() if name != REVISION}


POLICIES = [annotations_anew, revision_off]


def begin(stage: Stage, policy: Callable[[Obj], None], replicas: int = 1) -> None:
    """Make the group `web`, and have a policy change its pods on their way."""
    stage.api.admit = policy
    stage.api.create("podgroups", a_group("web", replicas))


def known(stage: Stage) -> list[Pod]:
    """Give the pods as the cache has them."""
    return list(stage.family().pods.values())


async def tries(stage: Stage, seconds: int) -> int:
    """Count the pods that are made while each is rejected half a second later."""
    end = stage.now + seconds
    while stage.now < end:
        delay = await stage.settle()
        live = [pod["metadata"]["name"] for pod in stage.api.pods() if pod["status"]["phase"] == "Pending"]
        stage.now += 0.5 if live else delay or seconds
        for name in live:
            stage.api.set_pod(name, node="node-0", phase="Failed", reason="OutOfcpu")
    return len(stage.writes("create"))


def test_the_marks_of_a_create_are_those_of_its_manifest() -> None:
    """A pod that loses nothing on its way is read as it was sent."""
    sent = create(2, 4, loss(2, at=NOW - 0.125), failures=3)
    manifest = pod_manifest(desired(), {"spec": {}}, sent)
    pod = read_pod({**manifest, "metadata": {**manifest["metadata"], "uid": "of-pod", "resourceVersion": "5"}})

    assert pod
    assert marks_on(pod) == marks_of(sent)


@pytest.mark.parametrize("policy", POLICIES)
async def test_pods_that_fail_wait_whatever_a_policy_takes_off_them(
    stage: Stage, policy: Callable[[Obj], None]
) -> None:
    """At most ten are made in the first two minutes, and the group says so: also that it has lasted for a minute."""
    begin(stage, policy)

    assert 6 <= await tries(stage, 120) <= 10
    assert stage.condition("ReplicaFailure")["reason"] == "PodsKeepFailing"
    assert stage.condition("Stalled")["status"] == "True"


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_pod_that_lost_its_marks_is_known_by_what_was_sent(stage: Stage, policy: Callable[[Obj], None]) -> None:
    """It is of the present template, and stays so when it changes and when all are listed anew."""
    begin(stage, policy, 2)
    await stage.settle()
    before = sorted(map(repr, map(marks_on, known(stage))))
    for pod in stage.api.pods():
        stage.api.set_pod(pod["metadata"]["name"], node="node-0", ready=True)
    await stage.settle()
    listed = [record for pod in stage.api.pods() if (record := read_pod(pod))]
    stage.pods.replace("", listed, stage.api.version)
    await stage.settle()

    assert sorted(map(repr, map(marks_on, known(stage)))) == before
    assert stage.status()["updatedReplicas"] == 2
    assert stage.family().sent == {}


@pytest.mark.parametrize("policy", POLICIES)
async def test_the_news_may_come_before_the_answer(stage: Stage, policy: Callable[[Obj], None]) -> None:
    """What is known of the pod then is what was sent, and it is not kept a second time."""
    begin(stage, policy)
    stage.hear()
    gate = asyncio.Event()
    stage.api.faults.add(Hold(gate, after=True), verb="create", resource="pods", nth=2)
    looking = asyncio.create_task(stage.look())
    await stage.api.until(lambda: bool(stage.api.pods()), "the pod is there")
    stage.hear()
    (pod,) = known(stage)
    gate.set()
    await looking

    assert (pod.slot, pod.revision) == (0, stage.group().desired.revision)
    assert stage.family().sent == {}


@pytest.mark.parametrize("policy", POLICIES)
async def test_the_answer_may_never_come(stage: Stage, policy: Callable[[Obj], None]) -> None:
    """The pod comes by the watch, and what was sent is known all the same."""
    begin(stage, policy)
    stage.hear()
    stage.api.faults.add(Cut(after=True), verb="create", resource="pods", nth=2)
    await stage.look()
    stage.hear()

    assert [(pod.slot, pod.revision) for pod in known(stage)] == [(0, stage.group().desired.revision)]


async def test_what_is_not_seen_again_is_not_kept(stage: Stage) -> None:
    """A pod that came and went while the watch was away leaves nothing behind."""
    begin(stage, annotations_anew)
    await stage.settle()
    stage.hear_groups()
    (pod,) = stage.api.pods()
    stage.api.delete("pods", pod["metadata"]["name"], grace=0)
    stage.hear_pods()
    await stage.look()
    assert len(stage.family().sent) == 1
    (pod,) = stage.api.pods()
    stage.api.delete("pods", pod["metadata"]["name"], grace=0)
    stage.pods.replace("", [], stage.api.version)
    await stage.look()
    assert pod["metadata"]["uid"] not in stage.family().sent


async def test_a_replacement_that_lost_its_marks_says_how_long_it_took(stage: Stage) -> None:
    """Whom it replaces, and since when that was missing, is what was sent."""
    begin(stage, annotations_anew)
    await stage.settle()
    (first,) = stage.api.pods()
    stage.api.delete("pods", first["metadata"]["name"], grace=0)
    await stage.settle()
    (second,) = stage.api.pods()
    stage.now += 1.5
    stage.api.set_pod(second["metadata"]["name"], node="node-0", ready=True)
    await stage.settle()

    assert [(pod.replaces, pod.lost_at, pod.epoch) for pod in known(stage)] == [(first["metadata"]["name"], START, 1)]
    assert stage.status()["healing"]["lastRecoverySeconds"] == 1.5

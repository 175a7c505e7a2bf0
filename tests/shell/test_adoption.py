"""Pods are taken in and let go by selector and UID, and only for an owner that was read to be alive a moment ago."""

import pytest

from fakeapi import Answer, Cut
from fakeapi.client import a_group, a_pod
from fakeapi.faults import RequestFault
from fakeapi.resources import Obj
from shell.stage import Stage, names, slots

LABEL = "selfheal.dev/podgroup"
OURS = {LABEL: "web"}


async def group(stage: Stage, replicas: int, *orphans: str) -> str:
    """Create orphans and the group `web`, and let it come to rest; give its UID."""
    for name in orphans:
        stage.api.create("pods", a_pod(name, labels=OURS))
    uid: str = stage.api.create("podgroups", a_group("web", replicas))["metadata"]["uid"]
    await stage.settle()
    return uid


def orphan(stage: Stage, name: str = "stray") -> None:
    """Let a pod appear that nobody controls and that the group would take, and let all be heard of."""
    stage.api.create("pods", a_pod(name, labels=OURS))
    stage.hear()


def controllers(stage: Stage) -> dict[str, list[str]]:
    """Give the UIDs of each pod's owners, by its name."""
    pods = stage.api.pods()
    return {
        pod["metadata"]["name"]: [owner["uid"] for owner in pod["metadata"].get("ownerReferences") or ()]
        for pod in pods
    }


async def test_orphans_are_taken_in_before_pods_are_made(stage: Stage) -> None:
    """Each gets the one owner reference, its labels and a seat; only what is missing then is created."""
    uid = await group(stage, 3, "stray-a", "stray-b")
    assert set(controllers(stage)) > {"stray-a", "stray-b"}
    assert list(controllers(stage).values()) == [[uid]] * 3
    assert slots(stage.api.pods()) == ["0", "1", "2"]
    (reference,) = stage.api.get("pods", "stray-a")["metadata"]["ownerReferences"]
    assert reference == {
        "apiVersion": "selfheal.dev/v1",
        "kind": "PodGroup",
        "name": "web",
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


async def test_an_adoption_that_something_undoes_on_its_way_is_told(stage: Stage) -> None:
    """The API server says yes, but a policy takes the owner away: no pod is made beside the orphan, and people know."""
    await group(stage, 1)
    stage.api.mutate = lambda pod: pod["metadata"].pop("ownerReferences", None)
    orphan(stage)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    await stage.settle()

    assert len(stage.api.pods()) == 2
    assert controllers(stage)["stray"] == []
    failing = stage.condition("ReplicaFailure")
    assert (failing["status"], failing["reason"]) == ("True", "FailedCreate")
    assert "has undone what it does to the owner" in failing["message"]


async def test_pods_that_lose_their_owner_on_the_way_are_not_made_without_end(stage: Stage) -> None:
    """Where a policy takes owner references off new pods and off changed ones, what was made takes the places."""

    def admit(pod: Obj) -> None:
        pod["metadata"].pop("ownerReferences", None)

    stage.api.admit = stage.api.mutate = admit
    await group(stage, 3)
    for _ in range(20):
        stage.now += 30
        await stage.settle()

    assert len(stage.api.pods()) == 3
    assert stage.condition("Stalled")["status"] == "True"


async def test_the_owner_is_read_before_a_pod_is_adopted(stage: Stage) -> None:
    """Uncached, once for all pods of a plan, before anything is written."""
    await group(stage, 5)
    before = len(stage.api.requests)
    for name in ("stray-a", "stray-b"):
        orphan(stage, name)
    await stage.look()
    asked = [(request.verb, request.resource) for request in stage.api.requests[before:]]
    assert asked[0] == ("get", "podgroups.selfheal.dev")
    assert asked.count(("get", "podgroups.selfheal.dev")) == 1
    assert asked.count(("patch", "pods")) == 2


@pytest.mark.parametrize("become", ["deleted", "terminating", "made anew"])
async def test_an_owner_that_is_going_adopts_nothing(stage: Stage, become: str) -> None:
    """Though the cache knows nothing of its end: the pod stays as it is."""
    await group(stage, 0)
    orphan(stage)
    stage.api.delete("podgroups", "web", policy="Foreground" if become == "terminating" else None)
    if become == "made anew":
        stage.api.create("podgroups", a_group("web", 0))
    await stage.look()
    assert controllers(stage) == {"stray": []}
    assert stage.writes("patch") == []


@pytest.mark.parametrize(("fault", "times"), [(Answer(503), 1), (Answer(429, retry_after=3), 1), (Cut(), 2)])
async def test_an_owner_that_cannot_be_read_is_read_again_soon(stage: Stage, fault: RequestFault, times: int) -> None:
    """Nothing is adopted unread, and nothing has to happen for the next try."""
    uid = await group(stage, 1)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    orphan(stage)
    stage.api.faults.add(fault, verb="get", times=times)
    delay = await stage.look()
    assert delay is not None
    assert 0 < delay <= 3
    assert controllers(stage)["stray"] == []
    stage.now += delay
    await stage.settle()
    assert controllers(stage)["stray"] == [uid]


async def test_a_pod_that_somebody_else_took_first_is_theirs(stage: Stage) -> None:
    """The patch gets 409, nobody is told of an error, and the group makes a pod of its own."""
    await group(stage, 1)
    theirs = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "of-rs", "controller": True}
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    orphan(stage)
    stage.api.patch("pods", "stray", {"metadata": {"ownerReferences": [theirs]}})
    await stage.look()
    assert [request.code for request in stage.writes("patch")] == [409]
    await stage.settle()
    assert controllers(stage)["stray"] == ["of-rs"]
    assert len(stage.family().pods) == 2
    assert {reason for reason, _ in stage.recorder.told} == {"SuccessfulCreate"}


@pytest.mark.parametrize(
    ("fault", "words", "pause"),
    [
        (Answer(403, message="pods is forbidden"), "Error patching pod stray: pods is forbidden", 1),
        (Cut(), "Error patching pod stray: ", 0.5),
    ],
)
async def test_an_adoption_that_is_refused_is_told_and_tried_again(
    stage: Stage, fault: RequestFault, words: str, pause: float
) -> None:
    """With an Event, a condition and a pause, shorter where nobody has refused it."""
    uid = await group(stage, 1)
    orphan(stage)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    stage.hear()
    stage.api.faults.add(fault, verb="patch", resource="pods")
    assert await stage.look() == pytest.approx(pause)
    reason, note = stage.recorder.told[-1]
    assert (reason, note.startswith(words)) == ("FailedCreate", True)
    stage.now += 1
    await stage.settle()
    assert controllers(stage)["stray"] == [uid]


async def test_surplus_orphans_are_first_adopted_and_then_deleted(stage: Stage) -> None:
    """As ReplicaSet does it: what matches is ours, and what is ours is counted."""
    await group(stage, 1)
    orphan(stage)
    await stage.look()
    assert stage.writes("delete") == []
    await stage.settle()
    assert len(stage.api.pods()) == 1


async def test_a_pod_whose_labels_are_changed_is_released_and_replaced(stage: Stage) -> None:
    """It lives on without us, and the group has as many as before, in the same seats."""
    uid = await group(stage, 2)
    released = names(stage.api.pods())[0]
    stage.api.patch("pods", released, {"metadata": {"labels": {LABEL: "none"}}})
    await stage.settle()
    assert controllers(stage)[released] == []
    assert sorted(len(owners) for owners in controllers(stage).values()) == [0, 1, 1]
    assert sorted(pod.slot or 0 for pod in stage.family().pods.values()) == [0, 1]
    replacement = next(pod for pod in stage.family().pods.values() if pod.replaces)
    assert (replacement.replaces, replacement.controller) == (released, uid)


async def test_a_pod_that_cannot_be_released_is_not_replaced(stage: Stage) -> None:
    """It is still ours: a replacement would be one too many. When it can be released, it is, and then replaced."""
    uid = stage.api.create("podgroups", a_group("web", 2))["metadata"]["uid"]
    await stage.settle()
    kept = names(stage.api.pods())[0]
    stage.api.patch("pods", kept, {"metadata": {"labels": {LABEL: "none"}}})
    stage.api.faults.add(Answer(503), verb="patch", resource="pods")
    stage.hear()
    await stage.look()
    assert len(stage.api.pods()) == 2
    assert controllers(stage)[kept] == [uid]
    stage.now += 1000
    await stage.settle()
    assert controllers(stage)[kept] == []
    assert len(stage.api.pods()) == 3


async def test_another_owner_of_a_released_pod_keeps_it(stage: Stage) -> None:
    """Only our own reference is taken off."""
    await group(stage, 1)
    (name,) = names(stage.api.pods())
    ours = stage.api.get("pods", name)["metadata"]["ownerReferences"][0]
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "of-c"}
    stage.api.patch("pods", name, {"metadata": {"ownerReferences": [other, ours], "labels": {LABEL: "none"}}})
    await stage.settle()
    assert controllers(stage)[name] == ["of-c"]


async def test_a_pod_that_does_not_match_is_never_touched(stage: Stage) -> None:
    """Neither by name nor by any label but those of the selector."""
    stage.api.create("pods", a_pod("web-0-looks", labels={LABEL: "api"}))
    await group(stage, 1)
    assert controllers(stage)["web-0-looks"] == []
    assert len(stage.family().pods) == 1

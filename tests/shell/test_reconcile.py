"""The stories of one group, look by look: born, wounded, healed, grown, shrunk, left alone, gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fakeapi import Answer, Hold
from fakeapi.client import a_group, a_pod
from fakeapi.resources import Obj
from podgroup_operator.core.model.refusal import Lane
from shell.stage import Stage, names, slots


async def group(stage: Stage, replicas: int, **spec: object) -> Obj:
    """Create the group `web` and let it and its pods come to rest, the pods Ready; give it."""
    body = a_group("web", replicas)
    body["spec"] |= spec
    stage.api.create("podgroups", body)
    await stage.settle()
    await ready(stage)
    return stage.api.get("podgroups", "web")


async def ready(stage: Stage) -> None:
    """Let every pod that is not on its way out become Ready."""
    for pod in stage.api.pods():
        if not pod["metadata"].get("deletionTimestamp"):
            stage.api.set_pod(pod["metadata"]["name"], node="node-0", ready=True)
    await stage.settle()


def scale(stage: Stage, replicas: int) -> None:
    """Change the number of replicas."""
    stage.api.patch("podgroups", "web", {"spec": {"replicas": replicas}})


def live(stage: Stage) -> list[Obj]:
    """Give the pods that are not on their way out."""
    return [pod for pod in stage.api.pods() if not pod["metadata"].get("deletionTimestamp")]


def most_alive(stage: Stage) -> int:
    """Give the highest number of pods of the group that were ever alive at once."""
    alive: set[str] = set()
    most = 0
    for change in stage.api.history("pods"):
        metadata = change.object["metadata"]
        finished = change.object["status"]["phase"] in ("Failed", "Succeeded")
        if change.type == "DELETED" or metadata.get("deletionTimestamp") or finished:
            alive.discard(metadata["uid"])
        else:
            alive.add(metadata["uid"])
        most = max(most, len(alive))
    return most


async def test_a_group_gets_its_pods(stage: Stage) -> None:
    """Three seats, three pods, each the template's with the operator's labels and owner; then it is Ready."""
    body = await group(stage, 3)
    assert slots(stage.api.pods()) == ["0", "1", "2"]
    assert len(stage.writes("create")) == 3
    pod = stage.api.pods()[0]
    assert pod["metadata"]["labels"]["selfheal.dev/podgroup"] == "web"
    assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == [body["metadata"]["uid"]]
    assert [container["image"] for container in pod["spec"]["containers"]] == ["app"]
    status = stage.status()
    assert (status["ready"], status["replicas"], status["availableReplicas"]) == ("3/3", 3, 3)
    assert (status["observedGeneration"], status["selector"]) == (1, "selfheal.dev/podgroup=web")
    assert stage.condition("Ready")["status"] == "True"


async def test_a_killed_pod_is_replaced_in_its_seat(stage: Stage) -> None:
    """At once, while the old one is still on its way out, under another name, and one more is never alive."""
    await group(stage, 3)
    victim = stage.api.pods()[1]["metadata"]
    stage.api.delete("pods", victim["name"])
    await stage.settle()
    assert slots(live(stage)) == ["0", "1", "2"]
    (new,) = [pod for pod in live(stage) if "selfheal.dev/replaces" in pod["metadata"]["annotations"]]
    assert new["metadata"]["annotations"]["selfheal.dev/replaces"] == victim["name"]
    assert new["metadata"]["annotations"]["selfheal.dev/cause"] == "Deleted"
    assert new["metadata"]["labels"]["selfheal.dev/slot"] == victim["labels"]["selfheal.dev/slot"]
    assert (stage.status()["replicas"], stage.status()["terminatingReplicas"]) == (3, 1)
    stage.api.finish_termination(victim["name"])
    await ready(stage)
    assert (stage.status()["ready"], stage.status()["terminatingReplicas"]) == ("3/3", 0)
    assert (len(stage.writes("create")), most_alive(stage)) == (4, 3)


@pytest.mark.parametrize("grace", [None, 0], ids=["gracefully", "at once"])
async def test_all_killed_pods_are_replaced(stage: Stage, grace: int | None) -> None:
    """Each exactly once, in the old seats, under new names."""
    await group(stage, 5)
    first = names(stage.api.pods())
    for name in first:
        stage.api.delete("pods", name, grace=grace)
    await stage.settle()
    assert slots(live(stage)) == ["0", "1", "2", "3", "4"]
    assert set(names(live(stage))).isdisjoint(first)
    assert (len(stage.writes("create")), most_alive(stage)) == (10, 5)
    assert stage.status()["healing"]["total"] == 5


@pytest.mark.parametrize(
    ("report", "cause"),
    [
        ({"phase": "Failed"}, "Failed"),
        ({"phase": "Succeeded"}, "Succeeded"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
    ],
)
async def test_a_finished_pod_is_replaced(stage: Stage, report: Obj, cause: str) -> None:
    """It stays for a look and does not count; its replacement says why."""
    await group(stage, 2)
    victim = names(stage.api.pods())[0]
    stage.api.set_pod(victim, **report)
    await stage.settle()
    assert len(stage.api.pods()) == 3
    assert stage.status()["replicas"] == 2
    assert stage.status()["failedReplicas"] == (1 if report["phase"] == "Failed" else 0)
    assert stage.status()["healing"]["lastCause"] == cause


async def test_a_group_grows_and_shrinks(stage: Stage) -> None:
    """Growing fills the next seats, shrinking empties as many; neither is a healing."""
    await group(stage, 2)
    scale(stage, 5)
    await stage.settle()
    assert slots(stage.api.pods()) == ["0", "1", "2", "3", "4"]
    await ready(stage)
    scale(stage, 1)
    await stage.settle()
    assert (len(live(stage)), stage.status()["terminatingReplicas"]) == (1, 4)
    for pod in stage.api.pods():
        if pod["metadata"].get("deletionTimestamp"):
            stage.api.finish_termination(pod["metadata"]["name"])
    await stage.settle()
    assert (stage.status()["ready"], stage.status()["healing"]) == ("1/1", {"total": 0})
    assert {reason for reason, _ in stage.recorder.told} == {"SuccessfulCreate", "SuccessfulDelete"}


async def test_a_group_of_none_has_none(stage: Stage) -> None:
    """Zero replicas are Ready with no pod; from there it can grow."""
    await group(stage, 0)
    assert (stage.api.pods(), stage.status()["ready"], stage.condition("Ready")["status"]) == ([], "0/0", "True")
    scale(stage, 1)
    await stage.settle()
    assert len(stage.api.pods()) == 1


async def test_a_pod_with_a_low_deletion_cost_goes_first(stage: Stage) -> None:
    """The annotation that ReplicaSet honours is honoured here."""
    await group(stage, 3)
    cheap = names(stage.api.pods())[1]
    cost = {"controller.kubernetes.io/pod-deletion-cost": "-1"}
    stage.api.patch("pods", cheap, {"metadata": {"annotations": cost}})
    scale(stage, 2)
    await stage.settle()
    assert cheap not in names(live(stage))


async def test_a_group_at_rest_costs_nothing(stage: Stage) -> None:
    """However often it is looked at, no request of any kind is made, and no further look is asked for."""
    await group(stage, 3)
    before = len(stage.api.requests)
    for _ in range(3):
        stage.now += 3600
        stage.hear()
        assert await stage.look() is None
    assert stage.api.requests[before:] == []


async def test_of_a_group_that_is_being_deleted_the_status_is_written_and_nothing_else(stage: Stage) -> None:
    """No pod is made for it, none is deleted, adopted or released; its status follows its pods, as a ReplicaSet's."""
    await group(stage, 3)
    stage.api.create("pods", a_pod("stray", labels={"selfheal.dev/podgroup": "web"}))
    stage.api.delete("podgroups", "web", policy="Foreground")
    told = len(stage.recorder.told)
    for left in (2, 1):
        stage.api.delete("pods", names(stage.api.pods())[-1], grace=0)
        stage.hear()
        before = len(stage.api.requests)
        assert await stage.look() is None
        (request,) = stage.api.requests[before:]
        assert (request.verb, request.subresource) == ("patch", "status")
        assert stage.status()["replicas"] == left
    assert len(stage.recorder.told) == told


async def test_a_look_at_a_group_that_nobody_knows_is_nothing(stage: Stage) -> None:
    """A key may outlive its group in the queue."""
    assert await stage.look("unknown") is None
    assert stage.api.requests == []


async def test_a_group_is_looked_at_again_when_a_pod_becomes_available(stage: Stage) -> None:
    """With minReadySeconds time alone changes the status, and the look asks for that moment."""
    await group(stage, 2, minReadySeconds=30)
    assert (stage.status()["readyReplicas"], stage.status()["availableReplicas"]) == (2, 0)
    stage.now += 10
    stage.hear()
    assert await stage.look() == pytest.approx(20)
    stage.now += 20
    stage.hear()
    assert await stage.look() is None
    assert stage.status()["availableReplicas"] == 2
    assert stage.condition("Ready")["status"] == "True"


async def test_where_revisions_may_not_be_read_a_template_reaches_new_pods_alone(stage: Stage) -> None:
    """The ones that run are left alone, and updatedReplicas counts the others."""
    stage.hear_revisions = lambda: None  # type: ignore[method-assign] # nobody may
    await group(stage, 2)
    template = {"spec": {"containers": [{"name": "app", "image": "new"}]}}
    stage.api.patch("podgroups", "web", {"spec": {"template": template}})
    await stage.settle()
    assert stage.status()["updatedReplicas"] == 0
    stage.api.delete("pods", names(stage.api.pods())[0])
    await stage.settle()
    images = [pod["spec"]["containers"][0]["image"] for pod in live(stage)]
    assert sorted(images) == ["app", "new"]
    assert stage.status()["updatedReplicas"] == 1


async def test_a_great_need_is_met_in_portions(stage: Stage) -> None:
    """At most 500 pods are made in one look, as ReplicaSet does it; then the world is looked at again."""
    stage.api.create("podgroups", a_group("web", 520))
    stage.hear()
    await stage.look()
    assert len(stage.api.pods()) == 500
    await stage.settle()
    assert len(stage.api.pods()) == 520


@asynccontextmanager
async def a_create_that_hangs(stage: Stage, *faults: Answer) -> AsyncIterator[None]:
    """A group of one pod is looked at, whose create is not answered within this context, and with these faults then."""
    stage.api.create("podgroups", a_group("web", 1))
    stage.hear()
    gate = asyncio.Event()
    rules: tuple[Hold | Answer, ...] = (Hold(gate), *faults)
    for fault in rules:
        stage.api.faults.add(fault, verb="create", resource="pods", nth=2)  # the first is a dry run
    look = asyncio.create_task(stage.look())
    await stage.api.until(lambda: len(stage.writes("create")) == 1, "the create is under way")
    yield
    gate.set()
    await look


async def test_a_pause_begins_with_the_answer(stage: Stage) -> None:
    """A create that hangs for a while before it is refused is not tried again at once."""
    async with a_create_that_hangs(stage, Answer(500, message="failed calling webhook")):
        stage.now += 10
    assert stage.memory().written.lanes[Lane.CREATE].until > stage.now


async def test_a_group_that_changes_while_its_pods_are_made_is_told_of_all_the_same(stage: Stage) -> None:
    """The status is written for the object as it is by then, not refused for what it was when the look began."""
    async with a_create_that_hangs(stage):
        stage.api.patch("podgroups", "web", {"metadata": {"annotations": {"a": "b"}}})
        stage.hear_groups()
    assert stage.status()["replicas"] == 1


async def test_a_pause_that_ends_while_the_status_is_written_is_not_forgotten(stage: Stage) -> None:
    """A slow answer may take longer than what was to be waited for: then the next look comes at once."""
    stage.api.create("podgroups", a_group("web", 1))
    stage.hear()
    gate = asyncio.Event()
    stage.api.faults.add(Answer(403, message="no room"), verb="create", resource="pods", nth=2)
    stage.api.faults.add(Hold(gate), verb="patch", subresource="status")
    look = asyncio.create_task(stage.look())
    await stage.api.until(lambda: bool(stage.writes("patch", "podgroups.selfheal.dev")), "the status is under way")
    stage.now += 5
    gate.set()
    assert await look == 0
    await stage.settle()
    assert len(stage.api.pods()) == 1

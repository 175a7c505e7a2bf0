"""The status tells what is, not more often than it must, and without touching what others wrote."""

import asyncio

import pytest

from fakeapi import Answer, Cut, FakeApi
from fakeapi.client import a_group
from fakeapi.resources import Obj
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.observe import told
from shell.stage import Stage, names

STEP = 1 / 32  # seconds; a float that adds up exactly
FOREIGN = {"type": "example.com/Checked", "status": "True", "reason": "Checked", "message": "fine"}
FOREIGN |= {"lastTransitionTime": "2026-01-01T00:00:00Z"}


async def group(stage: Stage, replicas: int) -> list[str]:
    """Create the group `web` and let it come to rest; give its pods' names."""
    stage.api.create("podgroups", a_group("web", replicas))
    await stage.settle()
    return names(stage.api.pods())


def statuses(stage: Stage) -> list[Obj]:
    """Give the status writes."""
    return [request.body or {} for request in stage.writes("patch", "podgroups.selfheal.dev")]


def conditions(stage: Stage) -> list[str]:
    """Give the types of the group's conditions."""
    return [each["type"] for each in stage.status()["conditions"]]


def add_condition(stage: Stage, *, first: bool) -> None:
    """Let somebody else write a condition of theirs, before ours or behind them."""
    ours = stage.status().get("conditions") or []
    listed = [FOREIGN, *ours] if first else [*ours, FOREIGN]
    stage.api.patch("podgroups", "web", {"status": {"conditions": listed}}, subresource="status")


@pytest.mark.parametrize("first", [True, False])
async def test_a_condition_of_somebody_else_is_kept(stage: Stage, *, first: bool) -> None:
    """Wherever it stands, through every later status."""
    (pod,) = await group(stage, 1)
    add_condition(stage, first=first)
    await stage.settle()
    stage.api.set_pod(pod, node="node-0", ready=True)
    await stage.settle()
    assert stage.status()["readyReplicas"] == 1
    assert stage.condition("example.com/Checked") == FOREIGN
    assert sorted(conditions(stage)) == [
        "Available",
        "Progressing",
        "Ready",
        "ReplicaFailure",
        "Stalled",
        "example.com/Checked",
    ]


async def test_a_status_that_somebody_else_changed_meanwhile_is_not_overwritten(stage: Stage) -> None:
    """Ours is refused with 409, nobody is told of an error, and the next one has their condition too."""
    (pod,) = await group(stage, 1)
    stage.api.set_pod(pod, node="node-0", ready=True)
    stage.hear()
    add_condition(stage, first=False)
    await stage.look()
    assert stage.status()["readyReplicas"] == 0
    await stage.settle()
    assert stage.status()["readyReplicas"] == 1
    assert stage.condition("example.com/Checked") == FOREIGN


async def test_a_status_carries_nothing_but_the_status(stage: Stage) -> None:
    """The operator writes the subresource only: no spec, no label, no annotation, no finalizer."""
    await group(stage, 1)
    (request,) = stage.writes("patch", "podgroups.selfheal.dev")
    assert request.subresource == "status"
    assert request.body is not None
    assert (set(request.body), set(request.body["metadata"])) == (
        {"metadata", "status"},
        {"uid", "resourceVersion"},
    )
    metadata = stage.api.get("podgroups", "web")["metadata"]
    assert {"annotations", "finalizers", "labels"}.isdisjoint(metadata)


@pytest.mark.parametrize("become", ["gone", "made anew"])
async def test_a_group_that_is_gone_needs_no_status(stage: Stage, become: str) -> None:
    """404 and a foreign UID are answers; a namesake's status is not touched."""
    (pod,) = await group(stage, 1)
    stage.api.set_pod(pod, node="node-0", ready=True)
    stage.hear()
    stage.api.delete("podgroups", "web")
    if become == "made anew":
        stage.api.create("podgroups", a_group("web", 7))
    await stage.look()
    assert [group.get("status") for group in stage.api.list("podgroups")] == [None] * (become == "made anew")


@pytest.mark.parametrize(
    ("fault", "pause"),
    [(Answer(403), 1), (Answer(422, message="too long"), 1), (Answer(500), 0.5), (Cut(), 0.5), (Cut(after=True), 0.5)],
    ids=["forbidden", "invalid", "an error of the server", "not answered", "written, and not answered"],
)
async def test_a_status_that_cannot_be_written_waits(stage: Stage, fault: Answer | Cut, pause: float) -> None:
    """It holds up nothing else; after a pause of its own it is there, and once."""
    stage.api.create("podgroups", a_group("web", 1))
    stage.api.faults.add(fault, verb="patch", subresource="status")
    stage.hear()
    assert await stage.look() == pytest.approx(pause)
    assert len(stage.api.pods()) == 1
    stage.now += pause
    await stage.settle()
    assert (stage.status()["replicas"], len(stage.api.pods())) == (1, 1)
    before = len(statuses(stage))
    await stage.settle()
    assert len(statuses(stage)) == before


async def test_two_statuses_are_a_quarter_of_a_second_apart(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changes in between is told together, at the moment that the look asks for."""
    monkeypatch.setattr(told, "SETTLING", 0.0)
    stage = Stage(api, cluster)
    made = await group(stage, 6)
    for count, pod in enumerate(made, start=1):
        stage.now += STEP
        api.set_pod(pod, node="node-0", ready=True)
        stage.hear()
        assert await stage.look() == pytest.approx(0.25 - STEP * count)
    assert (len(statuses(stage)), stage.status()["readyReplicas"]) == (1, 0)
    stage.now += 0.25 - STEP * len(made)
    assert await stage.look() is None
    assert (len(statuses(stage)), stage.status()["readyReplicas"]) == (2, 6)


async def test_two_operators_do_not_overwrite_each_other_for_ever(stage: Stage) -> None:
    """With the same world before their eyes they come to the same status, whoever healed what and saw what when."""
    (first, second) = await group(stage, 2)
    other = Stage(stage.api, stage.cluster)
    other.hear()
    stage.api.delete("pods", first, grace=0)
    stage.hear()
    other.now += 0.5
    stage.api.delete("pods", second, grace=0)
    other.hear()
    await asyncio.gather(stage.look(), other.look())
    for name in names(stage.api.pods()):
        stage.api.set_pod(name, node="node-0", ready=True)
    stage.hear()
    other.now += 0.5
    other.hear()
    for _ in range(5):
        await stage.settle()
        await other.settle()
    version = stage.api.version
    for operator in (stage, other):
        operator.hear()
        await operator.look()
    assert stage.api.version == version
    assert (len(stage.api.pods()), stage.status()["ready"]) == (2, "2/2")


async def test_a_heal_is_told_once_if_its_pod_is_ready_at_once(api: FakeApi, cluster: Cluster) -> None:
    """A tenth of a second after the create, with what has become of it by then: one look heals, one tells."""
    stage = Stage(api, cluster)
    first, _ = await group(stage, 2)
    stage.now += 1
    stage.hear()
    await stage.look()
    stage.now += 1
    before = len(statuses(stage))
    api.delete("pods", first, grace=0)
    stage.hear()
    assert await stage.look() == pytest.approx(told.SETTLING)
    for pod in names(api.pods()):
        api.set_pod(pod, node="node-0", ready=True)
    stage.now += told.SETTLING
    stage.hear()
    assert await stage.look() is None
    assert (len(statuses(stage)) - before, stage.status()["readyReplicas"]) == (1, 2)


async def test_creates_without_end_put_no_status_off_for_ever(api: FakeApi, cluster: Cluster) -> None:
    """Where one pod after the other is killed, each is made again at once, and the count is told all the while."""
    stage = Stage(api, cluster)
    await group(stage, 2)
    for _ in range(40):
        stage.now += told.SETTLING / 2
        api.delete("pods", names(api.pods())[0], grace=0)
        stage.hear()
        await stage.look()
    assert stage.status()["healing"]["total"] >= 40 - 10

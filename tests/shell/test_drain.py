"""Draining a node: the replacement comes first, and the old pod goes once, whoever takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakeapi.client import a_group
from podgroup_operator.api.wire.node import read_node
from shell.stage import names

if TYPE_CHECKING:
    from fakeapi.resources import Obj
    from shell.stage import Stage

VERSIONS = iter(range(1, 10_000))


def node(stage: Stage, name: str, *, cordoned: bool = False) -> None:
    """Let the operator hear of a node."""
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(next(VERSIONS))}
    record = read_node({"metadata": metadata, "spec": {"unschedulable": cordoned}})
    assert record
    stage.reconciler.nodes.upsert(record)


async def group(stage: Stage, *, surge: bool = True) -> list[str]:
    """Make a group of six pods that are Ready, three of them on node-1; give the names of these."""
    body = a_group("web", 6)
    body["spec"]["healing"] = {"surgeOnDrain": surge}
    stage.api.create("podgroups", body)
    await stage.settle()
    for number, name in enumerate(sorted(names(stage.api.pods()))):
        stage.api.set_pod(name, node=f"node-{1 + number // 3}", ready=True)
    for name in ("node-1", "node-2"):
        node(stage, name)
    stage.now += 120
    await stage.settle()
    return sorted(names(stage.api.pods()))[:3]


def spares(stage: Stage) -> list[Obj]:
    """Give the pods that were made for the sake of maintenance."""
    made = ((pod["metadata"]["annotations"].get("selfheal.dev/cause"), pod) for pod in stage.api.pods())
    return [pod for cause, pod in made if cause == "Maintenance"]


def live(stage: Stage) -> list[str]:
    """Give the names of the pods that nobody has asked to go."""
    return names([pod for pod in stage.api.pods() if "deletionTimestamp" not in pod["metadata"]])


def start(stage: Stage, pods: list[Obj]) -> None:
    """Let pods come up on the other node."""
    for pod in pods:
        stage.api.set_pod(pod["metadata"]["name"], node="node-2", ready=True)


def evictions(stage: Stage) -> list[str]:
    """Give which pods were evicted, in order."""
    made = stage.writes("create")
    return [each.path.split("/")[-2] for each in made if each.subresource == "eviction"]


async def test_the_pods_of_a_cordoned_node_move(stage: Stage) -> None:
    """Two at a time, the surge of six, get a replacement each, are evicted when that is available, and are heals."""
    drained = await group(stage)
    node(stage, "node-1", cordoned=True)
    await stage.settle()
    assert (len(live(stage)), len(spares(stage)), evictions(stage)) == (8, 2, [])
    assert stage.condition("Ready")["status"] == "True"
    for _ in range(3):
        start(stage, spares(stage))
        await stage.settle()
        assert 6 <= len(live(stage)) <= 8
    assert sorted(evictions(stage)) == drained
    assert stage.writes("delete") == []
    assert not {*drained} & {*live(stage)}
    assert len(live(stage)) == 6
    assert {key: stage.status()["healing"][key] for key in ("total", "lastCause")} == {
        "total": 3,
        "lastCause": "Maintenance",
    }


async def test_an_uncordon_takes_the_new_one(stage: Stage) -> None:
    """When the node stays after all the replacements go, and the old pods stay."""
    drained = await group(stage)
    node(stage, "node-1", cordoned=True)
    await stage.settle()
    node(stage, "node-1")
    await stage.settle()
    assert {*drained} <= {*live(stage)}
    assert (len(live(stage)), evictions(stage)) == (6, [])


@pytest.mark.parametrize("ready", [False, True])
async def test_the_drain_is_faster(stage: Stage, ready: bool) -> None:  # noqa: FBT001 - a fact, not a switch
    """Pods that the drain evicts first are replaced by what there is already, and each of them once."""
    drained = await group(stage)
    node(stage, "node-1", cordoned=True)
    await stage.settle()
    if ready:
        start(stage, spares(stage))
    for name in drained:
        stage.api.delete("pods", name, grace=0)
    await stage.settle()
    assert len(live(stage)) == 6
    replaced = [pod["metadata"]["annotations"].get("selfheal.dev/replaces") for pod in stage.api.pods()]
    assert sorted(filter(None, replaced)) == drained
    assert stage.status()["healing"]["total"] == 3


async def test_a_budget_forbids_it_for_now(stage: Stage) -> None:
    """Where a PodDisruptionBudget does not let the old pod go both stay, and it goes when it may."""
    drained = await group(stage)
    stage.api.protected.update(drained)
    node(stage, "node-1", cordoned=True)
    await stage.settle()
    start(stage, spares(stage))
    await stage.settle()
    assert len(live(stage)) == 8
    assert any(reason == "HealingSuppressed" for reason, _ in stage.recorder.told)
    stage.api.protected.clear()
    for _ in range(4):
        stage.now += 60
        await stage.settle()
        start(stage, spares(stage))
    assert not {*drained} & {*live(stage)}
    assert len(live(stage)) == 6


async def test_another_operator_goes_on(stage: Stage) -> None:
    """A new tenure takes no spare away, decides nothing for a minute, and finishes what was begun."""
    drained = await group(stage)
    node(stage, "node-1", cordoned=True)
    await stage.settle()
    start(stage, spares(stage))
    stage.reconciler.start_anew(lambda _: True)
    await stage.settle()
    assert (len(live(stage)), evictions(stage)) == (8, [])
    stage.now += 61
    for _ in range(3):
        await stage.settle()
        start(stage, spares(stage))
    assert sorted(evictions(stage)) == drained
    assert stage.status()["healing"]["total"] == 3


async def test_off_by_default(stage: Stage) -> None:
    """Without being asked for nothing is made before a pod goes."""
    await group(stage, surge=False)
    node(stage, "node-1", cordoned=True)
    await stage.settle()
    assert (len(live(stage)), evictions(stage)) == (6, [])

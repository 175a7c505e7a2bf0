"""How heals are told: an Event each, one for all where they are many, and the time that each stage took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podgroup_operator import metrics
from shell.healing import group, healed
from shell.stage import names

if TYPE_CHECKING:
    from shell.stage import Stage


async def test_many_heals_of_one_look_are_told_in_one_sentence(stage: Stage) -> None:
    """An Event for each of twenty-five would be lost among the others, and is a request each."""
    for name in await group(stage, 25):
        stage.api.delete("pods", name)
    await stage.settle()
    assert healed(stage) == [
        "Replaced 25 pods (25 Deleted); from loss to replacement p50 0.000 s, p95 0.000 s, longest 0.000 s"
    ]
    assert stage.status()["healing"]["total"] == 25


async def test_the_stages_of_a_heal_are_measured(stage: Stage) -> None:
    """Decided, created, scheduled, ready: each by when it was heard of, in the status and in the metrics."""
    (first,) = await group(stage, 1)
    before = {each: seconds(each) for each in ("noticed", "decided", "created", "scheduled", "ready")}
    stage.api.delete("pods", first)
    stage.hear()
    stage.now += 0.5
    await stage.settle()
    (new,) = [name for name in names(stage.api.pods()) if name != first]
    stage.now += 0.25
    stage.api.set_pod(new, node="node-1")
    await stage.settle()
    stage.now += 1.5
    stage.api.set_pod(new, node="node-1", ready=True)
    await stage.settle()
    (heal,) = stage.status()["healing"]["recent"]
    stages = {"noticed": 0.0, "decided": 0.5, "created": 0.0, "scheduled": 0.25, "ready": 1.5}
    assert {each: heal[f"{each}Seconds"] for each in stages} == stages
    assert (heal["recoverySeconds"], heal["replacementNode"]) == (2.25, "node-1")
    assert "approximate" not in heal
    assert {each: seconds(each) - before[each] for each in stages} == stages


def seconds(stage: str) -> float:
    """Give how many seconds a stage took in all heals so far."""
    labels = {"cause": "Deleted", "stage": stage}
    return metrics.registry.get_sample_value("podgroup_recovery_seconds_sum", labels) or 0.0

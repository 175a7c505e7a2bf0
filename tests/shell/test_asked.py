"""What is asked of a pod by annotation is asked only if somebody else than us has set it, by its managed fields."""

from typing import Any

import pytest

from fakeapi import Answer
from podgroup_operator.api.wire.pod import read_pod
from shell.rolling import group, restart, roll
from shell.stage import Stage

Json = dict[str, Any]

DELETE, KEEP = "selfheal.dev/delete", "selfheal.dev/keep"


def field_of(manager: str, annotation: str) -> Json:
    """The record that a manager has set an annotation."""
    return {"manager": manager, "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{annotation}": {}}}}}


@pytest.mark.parametrize("annotation", [DELETE, KEEP])
@pytest.mark.parametrize(
    ("value", "managers", "counts"),
    [
        ("true", ["kubectl-annotate"], True),
        ("true", ["podgroup-operator", "kubectl-annotate"], True),
        ("true", ["podgroup-operator"], False),
        ("true", [], False),
        ("yes", ["kubectl-annotate"], False),
    ],
    ids=["a person", "a person after us", "we", "nobody, so a policy at its create", "another value"],
)
def test_only_what_somebody_else_has_set_counts(
    annotation: str, value: str, managers: list[str], *, counts: bool
) -> None:
    """The API server writes the record before policies have their say, so theirs is nobody's."""
    metadata = {"namespace": "default", "name": "web", "uid": "1", "resourceVersion": "1"}
    fields = [field_of(manager, annotation) for manager in managers]
    pod = read_pod({"metadata": metadata | {"annotations": {annotation: value}, "managedFields": fields}})
    assert pod
    assert (pod.asked if annotation == DELETE else pod.kept) is counts


@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (0, 1)], ids=["before it goes", "when it has gone"])
async def test_what_is_made_in_the_place_of_one_that_was_asked_for_says_so(
    stage: Stage, surge: int, unavailable: int
) -> None:
    """By the annotations of any replacement, with the cause Asked; it is no heal."""
    await group(stage, 3, strategy={"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
    asked = stage.api.pods()[1]["metadata"]
    metadata = {"annotations": {DELETE: "true"}, "managedFields": [field_of("person", DELETE)]}
    stage.api.patch("pods", asked["name"], {"metadata": metadata})
    await roll(stage)
    (heir,) = (pod["metadata"] for pod in stage.api.pods() if "selfheal.dev/cause" in pod["metadata"]["annotations"])
    told = {key: heir["annotations"][f"selfheal.dev/{key}"] for key in ("cause", "replaces")}
    assert told == {"cause": "Asked", "replaces": asked["name"]}
    assert "selfheal.dev/lost-at" in heir["annotations"]
    assert heir["labels"]["selfheal.dev/slot"] == asked["labels"]["selfheal.dev/slot"]
    assert stage.status()["healing"]["total"] == 0
    assert not [reason for reason, _ in stage.recorder.told if reason == "PodHealed"]


async def test_an_operator_that_starts_sees_what_was_asked_for_go(stage: Stage) -> None:
    """Its predecessor had asked it to."""
    await group(stage, 2, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
    asked = stage.api.pods()[0]["metadata"]
    metadata = {"annotations": {DELETE: "true"}, "managedFields": [field_of("person", DELETE)]}
    stage.api.patch("pods", asked["name"], {"metadata": metadata})
    stage.hear()
    stage.api.faults.add(Answer(500), verb="create", resource="pods", times=None)
    await stage.look()
    restart(stage)
    stage.api.faults.clear()
    stage.now += 20
    await roll(stage)
    heirs = [pod["metadata"]["annotations"].get("selfheal.dev/cause", "") for pod in stage.api.pods()]
    assert sorted(heirs) == ["", "Asked"]
    assert stage.status()["healing"]["total"] == 0

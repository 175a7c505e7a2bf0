"""How far a change in place has come, by the mark on a pod and by what its node tells."""

from typing import Any

import pytest

from builders import NOW
from podgroup_operator.api.wire.changing import Mark, read_mark, write_mark
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.core.model.changing import BETWEEN, Changing, Stage

Json = dict[str, Any]

REQUESTS = {"requests": {"cpu": "2"}}
MARK = Mark("r1", "r2", NOW, {"web": "web:2"}, {"web": REQUESTS}, {"web": (1, "sha256:1")})
RUNNING: Json = {"state": {"running": {"startedAt": "2023-11-14T22:13:20Z"}}}
WAITING: Json = {"state": {"waiting": {}}}


def condition(kind: str, reason: str = "", status: str = "True") -> Json:
    """Give a condition."""
    return {"type": kind, "status": status, "reason": reason}


def a_pod(mark: str | None = None, spec: Json | None = None, conditions: Any = (), seen: int = 2, **web: Any) -> Json:
    """Give a pod that is being changed, as it is once all is written, with its container as it was before."""
    container = {"name": "web", "image": "web:2", "resources": {"requests": {"cpu": "2", "memory": "1Gi"}}}
    web = {"name": "web", "restartCount": 1, "imageID": "sha256:1"} | RUNNING | web
    return {
        "metadata": {
            "namespace": "shop",
            "name": "web-0",
            "uid": "u",
            "resourceVersion": "7",
            "generation": 2,
            "labels": {"selfheal.dev/revision": "r1"},
            "annotations": {"selfheal.dev/changing": write_mark(MARK) if mark is None else mark},
        },
        "spec": {"containers": [container | (spec or {})], "terminationGracePeriodSeconds": 5},
        "status": {"observedGeneration": seen, "conditions": list(conditions), "containerStatuses": [web]},
    }


NEW: Json = {"restartCount": 2}

STAGES: dict[str, tuple[Json, Stage]] = {
    "the image is not written": (a_pod(spec={"image": "web:1"}, **NEW), Stage.UNWRITTEN),
    "the resources are not written": (a_pod(spec={"resources": {}}, **NEW), Stage.UNWRITTEN),
    "the node has not seen it": (a_pod(seen=1, **NEW), Stage.UNSEEN),
    "the node cannot do it now": (a_pod(conditions=[condition("PodResizePending", "Deferred")]), Stage.UNSEEN),
    "the node fails": (a_pod(conditions=[condition("PodResizeInProgress", "Error")]), Stage.UNSEEN),
    "the node cannot do it": (a_pod(conditions=[condition("PodResizePending", "Infeasible")]), Stage.REFUSED),
    "it could not": (a_pod(conditions=[condition("PodResizePending", "Infeasible", "False")], **NEW), Stage.DONE),
    "the node resizes": (a_pod(conditions=[condition("PodResizeInProgress")], **NEW), Stage.STARTING),
    "the container runs as it was": (a_pod(), Stage.RUNNING),
    "it does not start": (a_pod(**WAITING), Stage.STARTING),
    "it has restarted and does not run": (a_pod(**NEW, **WAITING), Stage.STARTING),
    "it has restarted": (a_pod(**NEW), Stage.DONE),
    "it runs another image": (a_pod(imageID="sha256:2"), Stage.DONE),
    "a node that tells nothing of generations": (a_pod(seen=0, **NEW), Stage.DONE),
}


@pytest.mark.parametrize("case", STAGES.values(), ids=STAGES.keys())
def test_how_far_a_change_has_come(case: tuple[Json, Stage]) -> None:
    """By its spec, the generation that was observed, its conditions and its containers."""
    body, stage = case
    pod = read_pod(body)
    assert pod
    assert pod.changing
    assert (pod.revision, pod.changing.former, pod.changing.to) == (BETWEEN, "r1", "r2")
    assert (pod.changing.stage, pod.changing.restarts) == (stage, True)


@pytest.mark.parametrize(("body", "seconds"), [(a_pod(seen=1), 60), (a_pod(), 65), (a_pod(**WAITING), float("inf"))])
def test_how_long_a_node_has(body: Json, seconds: float) -> None:
    """A minute to take it up, the grace period beyond to restart; to start a container as long as the deadline lets."""
    pod = read_pod(body)
    assert pod
    assert pod.changing
    assert pod.changing.until == NOW + seconds


@pytest.mark.parametrize("mark", ["", "{", "[]", "{}", '{"to": 1}', '{"to": "r2", "restarts": {"web": 1}}'])
def test_a_mark_that_cannot_be_read_is_none(mark: str) -> None:
    """Somebody has written over it: the pod is of the revision that its label names."""
    pod = read_pod(a_pod(mark))
    assert pod
    assert (pod.revision, pod.changing) == ("r1", None)


def test_a_mark_is_read_as_it_was_written() -> None:
    """Nothing of it is lost."""
    assert read_mark(write_mark(MARK)) == MARK


def test_where_nothing_restarts_nothing_is_waited_for() -> None:
    """A resize is done when the node has nothing more to say of it."""
    gentle = Mark("r1", "r2", NOW, {}, {"web": REQUESTS}, {})
    pod = read_pod(a_pod(write_mark(gentle)))
    assert pod
    assert pod.changing == Changing("r1", "r2", restarts=False, stage=Stage.DONE, until=float("inf"))

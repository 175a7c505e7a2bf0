"""Each invariant of a rollout tells a story that breaks it from one that does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from e2e.pod import Pod
from e2e.recording import Change
from faults.asked import Asked
from faults.invariants import violations
from faults.story import Story
from faults.test_invariants import GROUP, READY, broken_by, delete

Json = dict[str, Any]

REPLICAS = 4


def group(at: int, version: str, kind: str = "MODIFIED", healed: int = 0, strategy: str = "RollingUpdate") -> Change:
    """A change of the PodGroup of four, to a template of this version; its status is told at once."""
    metadata = {"name": "web", "uid": GROUP, "resourceVersion": str(at), "generation": int(version)}
    template = {"metadata": {"annotations": {"version": version}}}
    spec = {"replicas": REPLICAS, "template": template, "strategy": {"type": strategy}}
    counts: Json = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), REPLICAS)
    status = {"observedGeneration": int(version), "healing": {"total": healed}, **counts}
    return Change(kind, Pod({"kind": "PodGroup", "metadata": metadata, "spec": spec, "status": status}), float(at))


def pod(at: int, name: str, version: str, kind: str = "ADDED", **metadata: object) -> Change:
    """A change of a pod that was made of a template of this version, and is Ready."""
    owner = {"uid": GROUP, "controller": True}
    meta = {"name": name, "uid": f"uid-of-{name}", "resourceVersion": str(at), "ownerReferences": [owner], **metadata}
    meta["annotations"] = {"version": version}
    return Change(kind, Pod({"kind": "Pod", "metadata": meta, "status": READY}), float(at))


def swapped(at: int, old: str, new: str) -> list[Change]:
    """An old pod that makes room, and the new one."""
    return [pod(at, old, "1", "DELETED"), pod(at + 1, new, "2")]


START = (group(1, "1", "ADDED"), *(pod(2 + each, f"old-{each}", "1") for each in range(REPLICAS)))
SWAPS = [change for each in range(REPLICAS) for change in swapped(20 + 2 * each, f"old-{each}", f"new-{each}")]
DELETES = [delete(f"old-{each}", f"uid-of-old-{each}", 20.0 + 2 * each) for each in range(REPLICAS)]
GOOD = Story(
    changes=(*START, group(10, "2"), *SWAPS, group(29, "2")),
    requests=DELETES,
    births=2 * REPLICAS,
    removals=REPLICAS,
    idle_from=40.0,
    ended=41.0,
    calm_from=0.0,
    pause=0.0,
    blind=0.0,
)


def begun(*changes: Change, **fields: Any) -> Story:
    """A story in which a rollout begins, and then this happens."""
    return replace(GOOD, changes=(*START, group(10, "2"), *changes), **fields)


def changing(at: int, name: str) -> Change:
    """A pod whose container is about to restart in place."""
    before = {"web": {"count": 0, "imageID": "web:1"}}
    change = pod(at, name, "1", "MODIFIED")
    change.pod.body["metadata"]["annotations"]["selfheal.dev/changing"] = json.dumps({"restarts": before})
    change.pod.body["status"] = READY | {"containerStatuses": [{"name": "web", "imageID": "web:1"}]}
    return change


def revision(name: str) -> Asked:
    """A revision of a template that was kept."""
    return Asked("create", "controllerrevisions", "shop", name, {}, 5.0, 201, 201)


def test_good() -> None:
    """A rollout that goes from pod to pod breaks none."""
    assert violations(GOOD) == []


def test_people_may_take_what_they_like() -> None:
    """What was taken by others than the operator is not its doing."""
    gone = [pod(20 + each, f"old-{each}", "1", "DELETED") for each in range(3)]
    assert "never_too_few" not in broken_by(begun(*gone, requests=()))


@pytest.mark.parametrize(
    ("story", "invariant"),
    [
        (begun(pod(20, "new-0", "2"), pod(21, "new-1", "2")), "no_surplus"),
        (begun(*(pod(20 + each, f"old-{each}", "1", "DELETED") for each in range(2))), "never_too_few"),
        (begun(pod(20, "old-0", "1", "DELETED"), pod(21, "new-0", "0")), "no_third_revision"),
        (begun(*swapped(20, "old-0", "new-0")), "ends_rolled"),
        (begun(*(changing(20 + each, f"old-{each}") for each in range(2))), "few_at_once"),
        (replace(GOOD, changes=(*GOOD.changes, group(30, "2", healed=1))), "no_heal_for_a_rollout"),
        (replace(GOOD, requests=[*DELETES, *map(revision, "abc")]), "one_revision_each"),
        (
            replace(GOOD, changes=(*START, group(10, "2", strategy="Recreate"), *SWAPS)),
            "recreate_keeps_apart",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken(story: Story, invariant: str) -> None:
    """A story in which something goes wrong breaks the invariant that says so."""
    assert invariant in broken_by(story)

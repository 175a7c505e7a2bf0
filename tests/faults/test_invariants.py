"""Each invariant tells a story that breaks it from one that does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from e2e.pod import Pod
from e2e.recording import Change
from faults.asked import Asked
from faults.invariants import violations
from faults.story import Story

Json = dict[str, Any]

GROUP = "uid-of-web"
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def group(version: int, replicas: int, told: int | None = None, kind: str = "MODIFIED", **metadata: object) -> Change:
    """A change of the PodGroup; `told` is what its status says."""
    meta = {"name": "web", "uid": GROUP, "resourceVersion": str(version), "generation": replicas, **metadata}
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), told)
    status = {} if told is None else {"observedGeneration": replicas, **counts}
    body = {"kind": "PodGroup", "metadata": meta, "spec": {"replicas": replicas}, "status": status}
    return Change(kind, Pod(body), float(version))


def pod(version: int, name: str, kind: str = "ADDED", owner: str = GROUP, **metadata: object) -> Change:
    """A change of a pod."""
    meta = {"name": name, "uid": f"uid-of-{name}", "resourceVersion": str(version), **metadata}
    owners = [{"uid": owner, "controller": True}]
    return Change(
        kind, Pod({"kind": "Pod", "metadata": {**meta, "ownerReferences": owners}, "status": READY}), float(version)
    )


def failed(version: int, name: str) -> Change:
    """A pod that comes and has failed."""
    change = pod(version, name)
    return replace(change, pod=Pod({**change.pod.body, "status": {"phase": "Failed"}}))


def delete(name: str, uid: str, at: float = 5.0) -> Asked:
    """A delete that was carried out."""
    return Asked("delete", "pods", "shop", name, {"preconditions": {"uid": uid}}, at, 200, 200)


def status_write(at: float, code: int = 200) -> Asked:
    """A write of the status."""
    return Asked("patch", "podgroups/status", "shop", "web", {}, at, code, code)


GOOD = Story(
    changes=(group(1, 2, kind="ADDED"), pod(2, "web-0"), pod(3, "web-1"), group(4, 2, told=2)),
    requests=(status_write(4.0),),
    births=2,
    removals=0,
    idle_from=10.0,
    ended=11.0,
    calm_from=0.0,
    pause=0.0,
    blind=0.0,
)


def broken_by(story: Story) -> set[str]:
    """The names of the invariants that a story breaks."""
    return {violation.partition(":")[0] for violation in violations(story)}


def with_changes(*changes: Change, **fields: Any) -> Story:
    """The good story, with more changes."""
    return replace(GOOD, changes=(*GOOD.changes, *changes), **fields)


def test_good() -> None:
    """A story in which all goes well breaks none."""
    assert set() == broken_by(GOOD)


def test_unknown_delete() -> None:
    """A delete that was cut on its way may have been carried out, and may be one of those that were wanted."""
    cut = replace(delete("web-1", "uid-of-web-1"), code=None, told=None)
    for removals in (0, 1):
        assert set() == broken_by(replace(GOOD, requests=[cut], removals=removals))


def test_name_again() -> None:
    """A pod that comes again under its name, as it vanished unseen, is replaced once for each of its lives."""
    annotations = {"selfheal.dev/replaces": "web-1"}
    gone, again = pod(5, "web-1", "DELETED"), pod(6, "web-1", uid="another")
    one, two = (pod(8 + each, f"web-1-{each}", annotations=annotations) for each in range(2))
    ended = [pod(7, "web-1", "DELETED", uid="another"), pod(8, "web-1-0", "DELETED")]
    story = with_changes(gone, again, ended[0], one, replace(ended[1], heard=8.5), two, births=5)
    assert "one_replacement" not in broken_by(story)


def test_replacement_again() -> None:
    """A replacement that vanished unseen comes again under its name, and what it replaces is the same as before."""
    annotations = {"selfheal.dev/replaces": "web-1"}
    lives = [pod(each, "web-2", uid=f"life-{each}", annotations=annotations) for each in (6, 8)]
    gone, ended = pod(5, "web-1", "DELETED"), pod(7, "web-2", "DELETED", uid="life-6")
    story = with_changes(gone, lives[0], ended, lives[1], births=4)
    assert set() == broken_by(replace(story, idle_from=9.0))


@pytest.mark.parametrize(
    ("story", "invariant"),
    [
        (with_changes(pod(5, "web-2")), "no_surplus"),
        (with_changes(pod(5, "web-1", "DELETED"), pod(6, "web-2"), pod(7, "web-3")), "no_surplus"),
        (with_changes(group(5, 1, told=1), pod(8, "web-1", "DELETED"), pod(9, "web-2")), "no_surplus"),
        (replace(GOOD, requests=[delete("alien", "uid-of-alien")]), "no_foreign_delete"),
        (replace(GOOD, requests=[delete("web-1", "uid-of-web-0")]), "no_foreign_delete"),
        (replace(GOOD, requests=[Asked("delete", "pods", "shop", "web-1", {})]), "no_foreign_delete"),
        (replace(GOOD, requests=[Asked("delete", "pods", "shop", "", {})]), "no_foreign_delete"),
        (replace(GOOD, requests=[Asked("patch", "podgroups", "shop", "web", {})]), "writes_only_its_own"),
        (replace(GOOD, births=3), "one_replacement"),
        (replace(GOOD, removals=1), "one_replacement"),
        (
            with_changes(
                *(pod(each, f"web-{each}", annotations={"selfheal.dev/replaces": "web-1"}) for each in (5, 6))
            ),
            "one_replacement",
        ),
        (replace(GOOD, requests=[status_write(5 + each / 100, 500) for each in range(30)]), "no_hot_loop"),
        (with_changes(*(failed(each, f"web-{each}") for each in range(5, 11)), births=8), "little_litter"),
        (with_changes(group(5, 2, told=1)), "status_is_true"),
        (with_changes(group(5, 2, told=1), group(8, 2, told=2)), "status_is_true"),
        (replace(GOOD, requests=[status_write(10.5)]), "idle_writes_nothing"),
        (with_changes(pod(12, "web-1", "DELETED")), "stays_so"),
        (with_changes(group(5, 2, kind="DELETED"), pod(8, "web-2")), "no_create_for_the_dying"),
        (with_changes(pod(5, "bystander", owner="else"), pod(6, "bystander", "DELETED", "else")), "bystander_lives"),
    ],
)
def test_broken(story: Story, invariant: str) -> None:
    """A story in which something goes wrong breaks the invariant that says so."""
    assert invariant in broken_by(story)

"""A change in place as a pod itself tells of it: the mark that we leave on it first, and how far its node has come.

The mark (the annotation `selfheal.dev/changing`) says what is being patched, and how each container that is to restart
stood before. A node has taken a change up when the pod's `observedGeneration` has come up to its generation (KEP-5067),
has done a resize when neither PodResizePending nor PodResizeInProgress is told of (KEP-1287), and runs a new image when
the container's `imageID` has changed or its `restartCount` risen.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from podgroup_operator.api.fields import Fields
from podgroup_operator.core.manifest import micro_time
from podgroup_operator.core.model.changing import Changing, Stage

Json = dict[str, Any]

PATIENCE = 60.0
"""Seconds for a node to take a change up, and beyond a container's grace period to restart it."""

GRACE = 30
"""Seconds, the API's default."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What we write on a pod before anything else of a change in place.

    Attributes:
        former: the revision that it was made of.
        to: the one that it shall be of.
        since: when, in seconds since the epoch.
        images: what is patched, by the container's name.
        resources: likewise.
        restarts: of the containers that are to restart, restartCount and imageID before.
    """

    former: str
    to: str
    since: float
    images: Mapping[str, str]
    resources: Mapping[str, Json]
    restarts: Mapping[str, tuple[int, str]]


def write_mark(mark: Mark) -> str:
    """Write a mark as the annotation has it."""
    return orjson.dumps(
        {
            "from": mark.former,
            "to": mark.to,
            "since": micro_time(mark.since),
            "images": dict(mark.images),
            "resources": dict(mark.resources),
            "restarts": {name: {"count": count, "imageID": image} for name, (count, image) in mark.restarts.items()},
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()


def read_mark(text: str | None) -> Mark | None:
    """Read a mark; None if there is none, or somebody has written over it."""
    try:
        fields = Fields(orjson.loads(text or "null"))
    except orjson.JSONDecodeError:
        return None
    restarts, resources = fields.map("restarts"), fields.map("resources")
    before = {name: restarts.map(name) for name in restarts.keys()}  # noqa: SIM118 - they are no dicts
    mark = Mark(
        former=fields.text("from"),
        to=fields.text("to"),
        since=fields.time("since") or 0.0,
        images=fields.texts("images"),
        resources={name: resources.map(name).value for name in resources.keys()},  # noqa: SIM118 - likewise
        restarts={name: (each.number("count"), each.text("imageID")) for name, each in before.items()},
    )
    return mark if mark.to and not fields.odd else None


def read_changing(text: str | None, pod: Fields) -> Changing | None:
    """Read how the change of a pod fares; None if it is not being changed."""
    mark = read_mark(text) if text else None
    if mark is None:
        return None
    stage = stage_of(mark, pod)
    grace = pod.map("spec").number("terminationGracePeriodSeconds", GRACE, least=0)
    patience = {Stage.UNSEEN: PATIENCE, Stage.RUNNING: PATIENCE + grace}.get(stage, math.inf)
    return Changing(mark.former, mark.to, bool(mark.restarts), stage, mark.since + patience)


def stage_of(mark: Mark, pod: Fields) -> Stage:
    """Tell how far a change has come."""
    spec, status = pod.map("spec"), pod.map("status")
    if not is_written(mark, spec):
        return Stage.UNWRITTEN
    conditions = {each.text("type"): each for each in status.maps("conditions") if each.text("status") == "True"}
    pending, resizing = conditions.get("PodResizePending"), conditions.get("PodResizeInProgress")
    if pending and pending.text("reason") == "Infeasible":
        return Stage.REFUSED
    seen = status.number("observedGeneration")
    if pending or (seen and seen < pod.map("metadata").number("generation")):
        return Stage.UNSEEN
    if resizing:
        return Stage.UNSEEN if resizing.text("reason") == "Error" else Stage.STARTING
    return restarted(mark, status)


def is_written(mark: Mark, spec: Fields) -> bool:
    """Tell whether a pod's spec has all that is to be patched."""
    containers = {each.text("name"): each for key in ("initContainers", "containers") for each in spec.maps(key)}
    nothing = Fields({})
    return all(containers.get(name, nothing).text("image") == image for name, image in mark.images.items()) and all(
        has(containers.get(name, nothing).map("resources").value, wanted) for name, wanted in mark.resources.items()
    )


def has(resources: Json, wanted: Json) -> bool:
    """Tell whether a container's resources are the wanted ones; admission may have added others."""
    return all((resources.get(kind) or {}).items() >= wants.items() for kind, wants in wanted.items())


def restarted(mark: Mark, status: Fields) -> Stage:
    """Tell whether all containers that are to restart have done so."""
    containers = {
        each.text("name"): each
        for key in ("initContainerStatuses", "containerStatuses")
        for each in status.maps(key)
        if each.text("name") in mark.restarts
    }
    stage = Stage.DONE
    for name, (count, image) in mark.restarts.items():
        container = containers.get(name)
        runs = container is not None and container.map("state").raw("running") is not None
        anew = container is not None and (
            container.number("restartCount") > count or container.text("imageID") not in ("", image)
        )
        if runs and not anew:
            return Stage.RUNNING
        stage = stage if runs else Stage.STARTING
    return stage

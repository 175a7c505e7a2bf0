"""What is patched in a pod that is changed in place, and how its containers stand before that."""

from dataclasses import replace
from typing import Any

from podgroup_operator.api.wire.changing import Mark
from podgroup_operator.core.difference import (
    KINDS,
    Json,
    Target,
    changeable,
    changed_resources,
    resources_of,
    restarting_resources,
)


def spec_of(containers: dict[str, Json], body: Json) -> Json:
    """Write a patch of some containers of a pod, by name."""
    patches = [{"name": name, **patch} for name, patch in containers.items()]
    sidecars = {each["name"] for each in body["spec"].get("initContainers") or ()}
    found = {
        "containers": [each for each in patches if each["name"] not in sidecars],
        "initContainers": [each for each in patches if each["name"] in sidecars],
    }
    return {"spec": {field: each for field, each in found.items() if each}}


def resized(target: Target, name: str) -> Json:
    """Give the requests and limits that a container shall have."""
    return {kind: target.resources[name][kind] for kind in KINDS if target.resources[name][kind]}


def as_it_stands(mark: Mark, body: Json, now: float) -> Mark:
    """Give a mark that says of what is yet to restart in a pod how it stands now."""
    containers = changeable(body["spec"])
    images = {name: image for name, image in mark.images.items() if name in containers}
    resources = {name: wanted for name, wanted in mark.resources.items() if name in containers}
    awaited = {name for name, image in images.items() if containers[name]["image"] != image}
    awaited |= {name for name, wanted in resources.items() if restarts(containers[name], wanted)}
    standing = {name: each for name, each in standing_of(body).items() if name in awaited}
    return replace(mark, since=now, images=images, resources=resources, restarts={**mark.restarts, **standing})


def restarts(container: Json, wanted: Json) -> bool:
    """Tell whether a container restarts to have other resources."""
    changed = changed_resources(resources_of(container), resources_of({"resources": wanted}))
    return bool((changed or set()) & restarting_resources(container))


def standing_of(body: Json) -> dict[str, tuple[int, str]]:
    """Give restartCount and imageID of a pod's containers."""
    status: dict[str, Any] = body.get("status") or {}
    found = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return {each["name"]: (each.get("restartCount", 0), each.get("imageID", "")) for each in found}

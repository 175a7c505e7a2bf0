"""Difference: what tells two templates apart, where a node can change it in a pod that runs.

That is the image of a container, and its requests and limits of CPU and memory (KEP-1287, subresource `resize`; what a
pod has requested or limited once it cannot do without, there), of regular containers and of sidecars. An init container
has run and is not run again. Templates are compared as the API server has written out its defaults.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

RESIZABLE = frozenset({"cpu", "memory"})
PATCHED = ("image", "resources")
KINDS = ("requests", "limits")


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be patched in a pod of one template, for it to be of another.

    Attributes:
        images: the containers whose image differs.
        resources: those whose requests or limits differ.
        restarting: those that restart for it.
    """

    images: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    restarting: frozenset[str] = frozenset()


NONE = Difference()


@dataclass(frozen=True, slots=True)
class Target:
    """What the containers shall be.

    Attributes:
        images: by the container's name.
        resources: requests and limits, likewise.
    """

    images: Mapping[str, str]
    resources: Mapping[str, Json]


def target_of(template: Json) -> Target:
    """Give what a template makes of the containers."""
    found = changeable(template["spec"])
    return Target(
        {name: str(each.get("image", "")) for name, each in found.items()},
        {name: resources_of(each) for name, each in found.items()},
    )


def difference(old: Json, new: Json) -> Difference | None:
    """Find what tells two templates apart; None if it takes another pod."""
    if rest_of(old) != rest_of(new):
        return None
    before, after = changeable(old["spec"]), changeable(new["spec"])
    images = frozenset(name for name in after if before[name].get("image") != after[name].get("image"))
    resources, restarting = set[str](), set(images)
    for name, container in after.items():
        changes = changed_resources(resources_of(before[name]), resources_of(container))
        if changes is None:
            return None
        if changes:
            resources.add(name)
        if changes & restarting_resources(container):
            restarting.add(name)
    return Difference(images, frozenset(resources), frozenset(restarting))


def changeable(spec: Json) -> dict[str, Json]:
    """Give the containers of a pod or a template that run as long as it does, by name."""
    sidecars = [each for each in spec.get("initContainers") or () if is_sidecar(each)]
    return {each["name"]: each for each in (*sidecars, *(spec.get("containers") or ()))}


def is_sidecar(container: Json) -> bool:
    """Tell whether an init container runs as long as its pod does."""
    return container.get("restartPolicy") == "Always"


def rest_of(template: Json) -> Json:
    """Give all of a template that no pod which runs can get."""
    spec, metadata = template["spec"], template.get("metadata") or {}
    inits = [bare(each) if is_sidecar(each) else each for each in spec.get("initContainers") or ()]
    return {
        "metadata": {key: value for key, value in metadata.items() if value},
        "spec": spec | {"initContainers": inits, "containers": [bare(each) for each in spec.get("containers") or ()]},
    }


def bare(container: Json) -> Json:
    """Give a container without what can be patched."""
    return {key: value for key, value in container.items() if key not in PATCHED}


def resources_of(container: Json) -> Json:
    """Give a container's resources; what is limited and not requested the API server requests in a pod."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    return resources | {"limits": limits, "requests": limits | (resources.get("requests") or {})}


def changed_resources(old: Json, new: Json) -> frozenset[str] | None:
    """Give the resources that differ; None if a pod that runs cannot get what is new."""
    if {**old, "limits": {}, "requests": {}} != {**new, "limits": {}, "requests": {}}:
        return None
    changed = set[str]()
    for kind in KINDS:
        if old[kind].keys() - new[kind].keys():
            return None
        changed |= {name for name, value in new[kind].items() if old[kind].get(name) != value}
    return frozenset(changed) if changed <= RESIZABLE else None


def restarting_resources(container: Json) -> frozenset[str]:
    """Give the resources for whose change a container restarts; by default there are none."""
    policies = container.get("resizePolicy") or ()
    return frozenset(each["resourceName"] for each in policies if each.get("restartPolicy") == "RestartContainer")

"""What tells two templates apart, and whether a node can change it in a pod that runs."""

from typing import Any

import pytest

from podgroup_operator.core.difference import Difference, difference, target_of

Json = dict[str, Any]

RESTART_ON_MEMORY = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]


def template(inits: Any = (), metadata: Json | None = None, **container: object) -> Json:
    """Build a template of one container."""
    spec = {"containers": [{"name": "web", "image": "web:1", **container}], "initContainers": list(inits)}
    return {"metadata": metadata or {}, "spec": spec}


def sidecar(image: str = "side:1", **fields: object) -> Json:
    """Build a sidecar."""
    return {"name": "side", "image": image, "restartPolicy": "Always", **fields}


def resources(kind: str = "requests", **amounts: str) -> Json:
    """Build the resources of a container."""
    return {"resources": {kind: amounts}}


def changes(images: str = "", resources: str = "", restarting: str = "") -> Difference:
    """Build a difference of containers."""
    return Difference(*(frozenset(each.split()) for each in (images, resources, restarting)))


CASES: dict[str, tuple[Json, Json, Difference | None]] = {
    "nothing": (template(), template(), changes()),
    "an image": (template(), template(image="web:2"), changes("web", "", "web")),
    "a sidecar's image": (template([sidecar()]), template([sidecar("side:2")]), changes("side", "", "side")),
    "an init container's image": (
        template([{"name": "init", "image": "init:1"}]),
        template([{"name": "init", "image": "init:2"}]),
        None,
    ),
    "what else a container has": (template(), template(args=["-v"]), None),
    "when an image is pulled": (template(), template(image="web", imagePullPolicy="Always"), None),
    "an annotation": (template(), template(metadata={"annotations": {"restartedAt": "now"}}), None),
    "a time that is not set": (template(), template(metadata={"creationTimestamp": None}), changes()),
    "one more container": (template(), template([sidecar()]), None),
    "requests": (template(**resources(cpu="1")), template(**resources(cpu="2")), changes("", "web")),
    "memory, which restarts": (
        template(resizePolicy=RESTART_ON_MEMORY, **resources(memory="1Gi")),
        template(resizePolicy=RESTART_ON_MEMORY, **resources(memory="2Gi")),
        changes("", "web", "web"),
    ),
    "CPU where only memory restarts": (
        template(resizePolicy=RESTART_ON_MEMORY, **resources(cpu="1")),
        template(resizePolicy=RESTART_ON_MEMORY, **resources(cpu="2")),
        changes("", "web"),
    ),
    "how a resize is done": (template(), template(resizePolicy=RESTART_ON_MEMORY), None),
    "one request more": (
        template(**resources(cpu="1")),
        template(**resources(cpu="1", memory="1Gi")),
        changes("", "web"),
    ),
    "one request less": (template(**resources(cpu="1", memory="1Gi")), template(**resources(cpu="1")), None),
    "devices": (template(**resources("limits", gpu="1")), template(**resources("limits", gpu="2")), None),
    "a limit, which is requested too": (
        template(**resources("limits", cpu="1")),
        template(resources={"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}),
        changes(),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_differs(case: tuple[Json, Json, Difference | None]) -> None:
    """What is patched of which containers, and which restart; None where it takes another pod."""
    old, new, expected = case
    assert difference(old, new) == expected


def test_what_the_containers_shall_be() -> None:
    """Images and resources of containers and sidecars, what is limited requested as well."""
    target = target_of(template([sidecar()], **resources("limits", cpu="1")))
    assert target.images == {"web": "web:1", "side": "side:1"}
    assert target.resources["web"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}

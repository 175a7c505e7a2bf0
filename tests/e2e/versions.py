"""A group whose template has versions: to change it, to wait for it, and to see that its bounds were kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from e2e.namespace import template
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.pod import Pod
    from e2e.recording import Recording

Json = dict[str, Any]

LABELS = {"app": "web"}
DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"
NEVER_READY = {DELAY: "24h"}
"""An annotation of a template whose pods never start, on kwok's nodes."""


def web(version: str, annotations: Json | None = None, **fields: object) -> Json:
    """A template of this version."""
    return template({"labels": LABELS, "annotations": {"version": version, **(annotations or {})}}, **fields)


def start(shop: Namespace, replicas: int, **spec: Any) -> list[Pod]:
    """Start a group of the first version."""
    return shop.start_group(replicas=replicas, selector={"matchLabels": LABELS}, template=web("1"), **spec)


def change(shop: Namespace, version: str, annotations: Json | None = None) -> None:
    """Change the template."""
    shop.patch_group({"spec": {"template": web(version, {DELAY: None, **(annotations or {})})}})


def version_of(pod: Pod) -> str:
    """Of which version a pod is."""
    return pod.annotations.get("version", "")


def rolled(shop: Namespace, version: str) -> list[Pod]:
    """Wait until the group is Ready and of this version; return its pods."""

    def find() -> list[Pod] | None:
        group = shop.group()
        if shop.condition("Ready").get("observedGeneration") != group["metadata"]["generation"]:
            return None
        pods = shop.live()
        well = len(pods) == group["spec"]["replicas"] and all(pod.ready and version_of(pod) == version for pod in pods)
        return pods if well and shop.condition("Ready")["status"] == "True" else None

    return wait_for(f"all pods to be of version {version}", find)


@dataclass
class Bounds:
    """The most living and the fewest available pods that a recording shows."""

    most: int
    fewest: int


def bounds(recording: Recording) -> Bounds:
    """Replay what was recorded."""
    pods = {pod.uid: pod for pod in recording.before}
    seen = Bounds(sum(pod.live for pod in pods.values()), sum(pod.ready for pod in pods.values()))
    for each in recording.changes:
        if each.kind == "DELETED":
            pods.pop(each.pod.uid, None)
        else:
            pods[each.pod.uid] = each.pod
        seen.most = max(seen.most, sum(pod.live for pod in pods.values()))
        seen.fewest = min(seen.fewest, sum(pod.ready for pod in pods.values()))
    return seen

"""How a pod fares, and how it came to its end: its spec and its status."""

from collections.abc import Mapping, Sequence
from typing import Any

from podgroup_operator.api.fields import Fields
from podgroup_operator.api.wire.signs import has_run, read_signs
from podgroup_operator.core.model.pod import Phase

PHASES = {phase.value: phase for phase in Phase}
LONGEST_COMPLAINT = 500  # characters

PLANNED = frozenset({"Evicted", "Terminated", "Preempting", "NodeShutdown"})
"""Reasons with which a kubelet ends pods that have done nothing wrong."""


def state(fields: Fields) -> dict[str, Any]:
    """Read how a pod fares: what its spec and its status say."""
    spec, status = fields.map("spec"), fields.map("status")
    conditions = {condition.text("type"): condition for condition in status.maps("conditions")}
    return {
        "phase": PHASES.get(status.text("phase") or "Pending", Phase.UNKNOWN),
        "node": spec.text("nodeName"),
        "scheduled": since(conditions.get("PodScheduled")),
        "ready_since": since(conditions.get("Ready")),
        "restarts": restarts(spec, status),
        "evicted": is_evicted(status, conditions),
        "signs": read_signs(spec, status, conditions),
        **end_of(fields.map("metadata"), status),
    }


def since(condition: Fields | None) -> float | None:
    """Read since when a condition of a pod holds; None if it does not."""
    if not condition or condition.text("status") != "True":
        return None
    return condition.time("lastTransitionTime") or 0.0


def restarts(spec: Fields, status: Fields) -> tuple[int, int]:
    """Find the most restarts of a container, and of a sidecar (an init container that restarts always)."""
    sidecars = {c.text("name") for c in spec.maps("initContainers") if c.text("restartPolicy") == "Always"}
    regular = (c.number("restartCount") for c in status.maps("containerStatuses"))
    sidecar = (c.number("restartCount") for c in status.maps("initContainerStatuses") if c.text("name") in sidecars)
    return max(regular, default=0), max(sidecar, default=0)


def end_of(metadata: Fields, status: Fields) -> dict[str, Any]:
    """Read when and why a finished pod came to its end; of others nothing is told."""
    if status.raw("phase") not in (Phase.FAILED.value, Phase.SUCCEEDED.value):
        return {}
    containers = [*status.maps("initContainerStatuses"), *status.maps("containerStatuses")]
    ends = [(each.text("name"), each.map("state").map("terminated")) for each in containers]
    changes = [end.time("finishedAt") for _, end in ends]
    changes += [condition.time("lastTransitionTime") for condition in status.maps("conditions")]
    changes += [status.time("startTime"), metadata.time("creationTimestamp")]
    return {
        "finished": max((time for time in changes if time), default=0.0),
        "started": has_started(status),
        "complaint": complaint(status, ends),
    }


def complaint(status: Fields, ends: Sequence[tuple[str, Fields]]) -> str:
    """Put into words why a pod failed; what its program itself has said last may be confidential and is left out."""
    reason, message = status.text("reason"), status.text("message")
    if reason or message:
        words = ": ".join(filter(None, (reason, message)))
    else:
        words = ", ".join(
            f"container {name} ended with exit code {code} ({end.text('reason') or 'no reason'})"
            for name, end in ends
            if (code := end.number("exitCode"))
        )
    return words[:LONGEST_COMPLAINT]


def is_evicted(status: Fields, conditions: Mapping[str, Fields]) -> bool:
    """Tell an end that was planned from a failure: an eviction, a preemption, its node's shutdown.

    The condition DisruptionTarget (KEP-3329) says so. Where only the reason does, a pod that never started was turned
    away by its node rather than ended, and the next one may be too.
    """
    disruption = conditions.get("DisruptionTarget")
    if disruption is not None and disruption.text("status") == "True":
        return True
    return status.text("reason") in PLANNED and has_started(status)


def has_started(status: Fields) -> bool:
    """Tell whether a container ever ran."""
    return any(map(has_run, [*status.maps("initContainerStatuses"), *status.maps("containerStatuses")]))

"""Between the API's JSON and the core's records: the only place that knows JSON paths. Pure.

What comes from the API is already checked by its schema, so a missing field means its default. A pod of
another controller is not ours to look at and becomes None at once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from podgroup_operator.core import names
from podgroup_operator.core.conditions import OUR_TYPES
from podgroup_operator.core.manifest import micro_time, whole_seconds
from podgroup_operator.core.model import Condition, Desired, Healing, Phase, Pod, PodReplacement, Status
from podgroup_operator.core.selector import Operator, Requirement, Selector

Json = dict[str, Any]

PHASES = {phase.value: phase for phase in Phase}
LONGEST_COMPLAINT = 500  # characters
LARGEST = 2**63 - 1  # int64; without a bound, an annotation of 4,300 digits would break every name made of it


def timestamp(text: str | None) -> float | None:
    """Read an RFC 3339 time as seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp() if text else None


def noted_time(text: str | None) -> float | None:
    """Read a time that a person may have written over; None if it is not one."""
    try:
        return timestamp(text)
    except ValueError:
        return None


def version_of(body: Json) -> int:
    """Read an object's resourceVersion, an integer by KEP-5504."""
    return int(body["metadata"].get("resourceVersion") or 0)


def read_pod(body: Json) -> Pod | None:
    """Keep what decisions need of a pod; None if another controller owns it."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    owners = metadata.get("ownerReferences") or ()
    controller = next((owner for owner in owners if owner.get("controller")), None)
    if controller and not is_podgroup(controller):
        return None
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        version=version_of(body),
        labels=labels,
        created=timestamp(metadata.get("creationTimestamp")) or 0.0,
        controller=controller["uid"] if controller else "",
        phase=PHASES.get(status.get("phase") or "Pending", Phase.UNKNOWN),
        node=spec.get("nodeName") or "",
        deleted=deletion_time(metadata),
        ready_since=ready_since(conditions.get("Ready")),
        restarts=restarts(spec, status),
        deletion_cost=whole_number(annotations.get(names.ANNOTATION_DELETION_COST)) or 0,
        evicted=is_evicted(status, conditions),
        slot=slot_of(metadata["name"], labels, controller),
        epoch=whole_number(annotations.get(names.ANNOTATION_EPOCH)) or 0,
        revision=labels.get(names.LABEL_REVISION, ""),
        replaces=annotations.get(names.ANNOTATION_REPLACES, ""),
        lost_at=noted_time(annotations.get(names.ANNOTATION_LOST_AT)),
        failures=max(whole_number(annotations.get(names.ANNOTATION_FAILURES)) or 0, 0),
        **end_of(metadata, status),
    )


def end_of(metadata: Json, status: Json) -> dict[str, Any]:
    """Read when and why a finished pod came to its end; of others nothing is told."""
    if status.get("phase") not in {Phase.FAILED.value, Phase.SUCCEEDED.value}:
        return {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    ends = [(each["name"], (each.get("state") or {}).get("terminated") or {}) for each in containers]
    changes = [end.get("finishedAt") for _, end in ends]
    changes += [condition.get("lastTransitionTime") for condition in status.get("conditions") or ()]
    changes += [status.get("startTime"), metadata.get("creationTimestamp")]
    return {
        "finished": max((time for change in changes if (time := noted_time(change))), default=0.0),
        "started": has_started(status),
        "complaint": complaint(status, ends),
    }


def complaint(status: Json, ends: Sequence[tuple[str, Json]]) -> str:
    """Put into words why a pod failed; what its program itself has said last may be confidential and is left out."""
    if status.get("reason") or status.get("message"):
        words = ": ".join(filter(None, (status.get("reason"), status.get("message"))))
    else:
        words = ", ".join(
            f"container {name} ended with exit code {end['exitCode']} ({end.get('reason') or 'no reason'})"
            for name, end in ends
            if end.get("exitCode")
        )
    return words[:LONGEST_COMPLAINT]


def is_podgroup(owner: Json) -> bool:
    """Tell whether an owner reference points to one of our PodGroups (any version of the group)."""
    return bool(owner["kind"] == names.KIND and owner["apiVersion"].partition("/")[0] == names.GROUP)


def deletion_time(metadata: Json) -> float | None:
    """Read when a deletion was asked for: deletionTimestamp is that time plus the grace period."""
    time = timestamp(metadata.get("deletionTimestamp"))
    return time - (metadata.get("deletionGracePeriodSeconds") or 0) if time else None


def ready_since(condition: Json | None) -> float | None:
    """Read since when a pod is Ready; None if it is not."""
    if not condition or condition["status"] != "True":
        return None
    return timestamp(condition.get("lastTransitionTime")) or 0.0


def restarts(spec: Json, status: Json) -> tuple[int, int]:
    """Find the most restarts of a container, and of a sidecar (an init container that restarts always)."""
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    regular = (c["restartCount"] for c in status.get("containerStatuses") or ())
    sidecar = (c["restartCount"] for c in status.get("initContainerStatuses") or () if c["name"] in sidecars)
    return max(regular, default=0), max(sidecar, default=0)


PLANNED = frozenset({"Evicted", "Terminated", "Preempting", "NodeShutdown"})
"""Reasons with which a kubelet ends pods that have done nothing wrong."""


def is_evicted(status: Json, conditions: Mapping[str, Json]) -> bool:
    """Tell an end that was planned from a failure: an eviction, a preemption, its node's shutdown.

    The condition DisruptionTarget (KEP-3329) says so. Where only the reason does, a pod that never started was turned
    away by its node rather than ended, and the next one may be too.
    """
    if (conditions.get("DisruptionTarget") or {}).get("status") == "True":
        return True
    return status.get("reason") in PLANNED and has_started(status)


def has_started(status: Json) -> bool:
    """Tell whether a container ever ran."""
    states = [
        state
        for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
        for state in (each.get("state") or {}, each.get("lastState") or {})
    ]
    return any((state.get(kind) or {}).get("startedAt") for state in states for kind in ("running", "terminated"))


def slot_of(name: str, labels: Json, controller: Json | None) -> int | None:
    """Read where a pod sits: from its label or, if somebody has taken that away, from the name that we gave it."""
    slot = whole_number(labels.get(names.LABEL_SLOT))
    if slot is None and controller:
        group, _, rest = name.rpartition("-")[0].rpartition("-")
        slot = whole_number(rest) if group == controller.get("name") else None
    return slot


def whole_number(text: str | None) -> int | None:
    """Read an integer that a person may have written; None if it is not one, or none that Kubernetes could hold."""
    try:
        number = int(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and abs(number) <= LARGEST else None


def read_desired(body: Json) -> Desired:
    """Read what a PodGroup asks for, defaults filled in."""
    metadata, spec = body["metadata"], body["spec"]
    template_labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    own_label = {names.LABEL_PODGROUP: metadata["name"]}
    healing = spec.get("healing") or {}
    backoff = healing.get("backoff") or {}
    return Desired(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation") or 0,
        replicas=spec.get("replicas", 1),
        selector=read_selector(spec.get("selector") or {"matchLabels": own_label}),
        template_labels=template_labels | own_label,
        revision=template_hash(spec["template"]),
        min_ready_seconds=spec.get("minReadySeconds") or 0,
        pod_replacement=PodReplacement(spec.get("podReplacementPolicy") or PodReplacement.TERMINATION_STARTED),
        failed_pods_history_limit=healing.get("failedPodsHistoryLimit", 1),
        backoff_initial_seconds=backoff.get("initialSeconds", 1),
        backoff_max_seconds=backoff.get("maxSeconds", 300),
        deleting=bool(metadata.get("deletionTimestamp")),
    )


def read_selector(selector: Json) -> Selector:
    """Read a LabelSelector."""
    requirements = (
        Requirement(each["key"], Operator(each["operator"]), frozenset(each.get("values") or ()))
        for each in selector.get("matchExpressions") or ()
    )
    return Selector(tuple(sorted((selector.get("matchLabels") or {}).items())), tuple(requirements))


def template_hash(template: Json) -> str:
    """Hash what pods are made of in a template, as the user wrote it: no server's defaulting looks like a change.

    A template's own name, namespace and creation time mean nothing, and a field that is null is not set.
    """
    metadata = template.get("metadata") or {}
    meaning = {key: metadata[key] for key in ("labels", "annotations", "finalizers") if metadata.get(key)}
    written = orjson.dumps([meaning, without_nulls(template.get("spec"))], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()[:10]


def without_nulls(value: Any) -> Any:
    """Leave out what is null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def read_status(body: Json) -> Status:
    """Read back what a status alone remembers: the counts told last, our conditions, the record of replacements."""
    status = body.get("status") or {}
    return Status(
        observed_generation=status.get("observedGeneration", 0),
        replicas=status.get("replicas", 0),
        conditions=tuple(
            read_condition(condition) for condition in status.get("conditions") or () if condition["type"] in OUR_TYPES
        ),
        healing=read_healing(status.get("healing") or {}),
    )


def read_condition(condition: Json) -> Condition:
    """Read a metav1.Condition."""
    return Condition(
        type=condition["type"],
        status=condition["status"],
        reason=condition["reason"],
        message=condition["message"],
        observed_generation=condition.get("observedGeneration", 0),
        since=timestamp(condition["lastTransitionTime"]) or 0.0,
    )


def read_healing(healing: Json) -> Healing:
    """Read the record of replacements."""
    return Healing(
        total=healing.get("total", 0),
        last_time=timestamp(healing.get("lastTime")),
        last_cause=healing.get("lastCause", ""),
        last_pod=healing.get("lastPod", ""),
        last_replacement=healing.get("lastReplacement", ""),
        last_recovery_seconds=healing.get("lastRecoverySeconds"),
    )


def write_status(status: Status, replicas: int, before: Json) -> Json:
    """Write a status for the API; conditions of types that are not ours are kept as they are in `before`.

    Args:
        status: what the core found.
        replicas: how many are wanted, for the READY column.
        before: the status that the object has.
    """
    foreign = [each for each in before.get("conditions") or () if each["type"] not in OUR_TYPES]
    return {
        "observedGeneration": status.observed_generation,
        "replicas": status.replicas,
        "readyReplicas": status.ready,
        "availableReplicas": status.available,
        "updatedReplicas": status.updated,
        "unavailableReplicas": status.unavailable,
        "fullyLabeledReplicas": status.fully_labeled,
        "terminatingReplicas": status.terminating,
        "failedReplicas": status.failed,
        "ready": f"{status.ready}/{replicas}",
        "selector": status.selector,
        "healing": write_healing(status.healing),
        "conditions": foreign + [write_condition(condition) for condition in status.conditions],
    }


def write_condition(condition: Condition) -> Json:
    """Write a metav1.Condition; its time has whole seconds."""
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "observedGeneration": condition.observed_generation,
        "lastTransitionTime": whole_seconds(condition.since),
    }


def write_healing(healing: Healing) -> Json:
    """Write the record of replacements; None takes a field out of the object (a merge patch's null)."""
    if healing.last_time is None:
        return {"total": healing.total}
    return {
        "total": healing.total,
        "lastTime": micro_time(healing.last_time),
        "lastCause": healing.last_cause,
        "lastPod": healing.last_pod,
        "lastReplacement": healing.last_replacement,
        "lastRecoverySeconds": healing.last_recovery_seconds,
    }


def shows(body: Json, patch: Json) -> bool:
    """Tell whether an object already has everything that a merge patch would set."""
    return all(
        shows(body.get(key) or {}, value) if isinstance(value, dict) else body.get(key) == value
        for key, value in patch.items()
    )

"""Between the API's JSON and the core's records: the only place that knows JSON paths.

What is missing means its default, and so does what cannot be read (`fields.py`), which is noted: nothing raises here,
whatever stands in an object. A pod of another controller is not ours to look at and becomes None at once, and so does
one of which nobody can tell whose it is.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from podgroup_operator.api import oddities
from podgroup_operator.api.fields import LARGEST, Fields, timestamp, whole_number
from podgroup_operator.api.jsontext import written
from podgroup_operator.core import names
from podgroup_operator.core.conditions import OUR_TYPES
from podgroup_operator.core.manifest import micro_time, whole_seconds
from podgroup_operator.core.model import Condition, Desired, Healing, Phase, Pod, PodReplacement, Status
from podgroup_operator.core.selector import Operator, Requirement, Selector

Json = dict[str, Any]

PHASES = {phase.value: phase for phase in Phase}
OPERATORS = {operator.value: operator for operator in Operator}
REPLACEMENTS = {policy.value: policy for policy in PodReplacement}
LONGEST_COMPLAINT = 500  # characters
LONGEST_MESSAGE = 8192  # characters of a condition; the CRD has room for four times as many
CUT = " [...]"  # ends a message that was longer


def noted_time(text: str | None) -> float | None:
    """Read a time that a person may have written over; None if it is not one."""
    return timestamp(text) if text else None


def version_of(body: Json) -> int:
    """Read an object's resourceVersion, an integer by KEP-5504; 0 if it has none."""
    return whole_number(Fields(body).map("metadata").text("resourceVersion")) or 0


def read_pod(body: Json) -> Pod | None:
    """Keep what decisions need of a pod; None if it is another controller's, or cannot be told whose or which."""
    fields = Fields(body)
    metadata = fields.map("metadata")
    pod = owned_pod(fields, metadata)
    if fields.odd:
        oddities.note("Pod", full_name(metadata), fields.odd)
    return pod


def full_name(metadata: Fields) -> str:
    """Give an object's namespace and name, as far as they can be read."""
    name, namespace = metadata.raw("name"), metadata.raw("namespace")
    return f"{namespace}/{name}" if isinstance(name, str) and isinstance(namespace, str) else ""


def owned_pod(fields: Fields, metadata: Fields) -> Pod | None:
    """Read a pod that is a PodGroup's or nobody's."""
    owners = metadata.maps("ownerReferences")
    controller = next((owner for owner in owners if owner.flag("controller")), None)
    if fields.odd or (controller and not is_podgroup(controller)):
        return None
    uid = controller.text("uid") if controller else ""
    namespace, name, own_uid = (metadata.text(key) for key in ("namespace", "name", "uid"))
    version = whole_number(metadata.text("resourceVersion"))
    if not (namespace and name and own_uid and version is not None) or (controller and not uid):
        metadata.note("(identity)")
        return None
    meaning = meaning_of_metadata(metadata, controller)
    return Pod(namespace, name, own_uid, version, controller=uid, **meaning, **state(fields))


def meaning_of_metadata(metadata: Fields, controller: Fields | None) -> dict[str, Any]:
    """Read what a pod's metadata say beyond which pod it is."""
    annotations, labels = metadata.texts("annotations"), metadata.texts("labels")
    return {
        "labels": labels,
        "created": metadata.time("creationTimestamp") or 0.0,
        "deleted": deletion_time(metadata),
        "deletion_cost": whole_number(annotations.get(names.ANNOTATION_DELETION_COST)) or 0,
        "slot": slot_of(metadata, labels, controller),
        "epoch": whole_number(annotations.get(names.ANNOTATION_EPOCH)) or 0,
        "revision": labels.get(names.LABEL_REVISION, ""),
        "replaces": annotations.get(names.ANNOTATION_REPLACES, ""),
        "lost_at": noted_time(annotations.get(names.ANNOTATION_LOST_AT)),
        "failures": max(whole_number(annotations.get(names.ANNOTATION_FAILURES)) or 0, 0),
    }


def state(fields: Fields) -> dict[str, Any]:
    """Read how a pod fares: what its spec and its status say."""
    spec, status = fields.map("spec"), fields.map("status")
    conditions = {condition.text("type"): condition for condition in status.maps("conditions")}
    return {
        "phase": PHASES.get(status.text("phase") or "Pending", Phase.UNKNOWN),
        "node": spec.text("nodeName"),
        "ready_since": ready_since(conditions.get("Ready")),
        "restarts": restarts(spec, status),
        "evicted": is_evicted(status, conditions),
        **end_of(fields.map("metadata"), status),
    }


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


def is_podgroup(owner: Fields) -> bool:
    """Tell whether an owner reference points to one of our PodGroups (any version of the group)."""
    return owner.text("kind") == names.KIND and owner.text("apiVersion").partition("/")[0] == names.GROUP


def deletion_time(metadata: Fields) -> float | None:
    """Read when a deletion was asked for: deletionTimestamp is that time plus the grace period.

    A grace period may be so long that the API server's sum of the two has overflown; it was not before the creation.
    """
    if not metadata.raw("deletionTimestamp"):
        return None
    time, created = metadata.time("deletionTimestamp"), metadata.time("creationTimestamp") or 0.0
    return max((time or created) - metadata.number("deletionGracePeriodSeconds", least=0), created)


def ready_since(condition: Fields | None) -> float | None:
    """Read since when a pod is Ready; None if it is not."""
    if not condition or condition.text("status") != "True":
        return None
    return condition.time("lastTransitionTime") or 0.0


def restarts(spec: Fields, status: Fields) -> tuple[int, int]:
    """Find the most restarts of a container, and of a sidecar (an init container that restarts always)."""
    sidecars = {c.text("name") for c in spec.maps("initContainers") if c.text("restartPolicy") == "Always"}
    regular = (c.number("restartCount") for c in status.maps("containerStatuses"))
    sidecar = (c.number("restartCount") for c in status.maps("initContainerStatuses") if c.text("name") in sidecars)
    return max(regular, default=0), max(sidecar, default=0)


PLANNED = frozenset({"Evicted", "Terminated", "Preempting", "NodeShutdown"})
"""Reasons with which a kubelet ends pods that have done nothing wrong."""


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
    containers = [*status.maps("initContainerStatuses"), *status.maps("containerStatuses")]
    states = [state for each in containers for state in (each.map("state"), each.map("lastState"))]
    return any(state.map(kind).text("startedAt") for state in states for kind in ("running", "terminated"))


def slot_of(metadata: Fields, labels: Mapping[str, str], controller: Fields | None) -> int | None:
    """Read where a pod sits: from its label or, if somebody has taken that away, from the name that we gave it."""
    slot = whole_number(labels.get(names.LABEL_SLOT))
    if slot is None and controller:
        group, _, rest = metadata.text("name").rpartition("-")[0].rpartition("-")
        slot = whole_number(rest) if group == controller.text("name") else None
    return slot


def read_desired(body: Json) -> Desired:
    """Read what a PodGroup asks for, defaults filled in.

    What it asks for and cannot be read is named in `unreadable`: no default is a safe guess of what a person has meant.

    Raises:
        ValueError: nobody can tell which PodGroup it is.
    """
    fields = Fields(body)
    metadata, spec = fields.map("metadata"), fields.map("spec")
    namespace, name, uid = (metadata.text(key) for key in ("namespace", "name", "uid"))
    if not (namespace and name and uid):
        raise ValueError("a PodGroup without a namespace, a name or a UID")
    if spec.raw("template") is None:
        spec.note("template")
    healing = spec.map("healing")
    backoff = healing.map("backoff")
    template = spec.map("template")
    own_label = {names.LABEL_PODGROUP: name}
    wanted: dict[str, Any] = {
        "replicas": spec.number("replicas", 1, least=0),
        "selector": read_selector(spec.map("selector")) if spec.raw("selector") else Selector(tuple(own_label.items())),
        "template_labels": template.map("metadata").texts("labels") | own_label,
        "revision": template_hash(spec.raw("template")),
        "min_ready_seconds": spec.number("minReadySeconds", least=0),
        "pod_replacement": read_replacement(spec),
        "failed_pods_history_limit": healing.number("failedPodsHistoryLimit", 1, least=0),
        "backoff_initial_seconds": backoff.number("initialSeconds", 1, least=0),
        "backoff_max_seconds": backoff.number("maxSeconds", 300, least=0),
    }
    unreadable = ", ".join(path for path in fields.odd if path.startswith("spec"))
    generation, deleting = metadata.number("generation"), bool(metadata.raw("deletionTimestamp"))
    if fields.odd:
        oddities.note(names.KIND, f"{namespace}/{name}", fields.odd)
    return Desired(namespace, name, uid, generation, deleting=deleting, unreadable=unreadable, **wanted)


def read_replacement(spec: Fields) -> PodReplacement:
    """Read when a pod that is being deleted may be replaced."""
    policy = spec.text("podReplacementPolicy")
    if policy and policy not in REPLACEMENTS:
        spec.note("podReplacementPolicy")
    return REPLACEMENTS.get(policy, PodReplacement.TERMINATION_STARTED)


def read_selector(selector: Fields) -> Selector:
    """Read a LabelSelector."""
    requirements = []
    for each in selector.maps("matchExpressions"):
        operator = OPERATORS.get(each.text("operator"))
        if operator and each.text("key"):
            requirements.append(Requirement(each.text("key"), operator, frozenset(each.words("values"))))
        else:
            each.note("operator")
    return Selector(tuple(sorted(selector.texts("matchLabels").items())), tuple(requirements))


def template_hash(template: object) -> str:
    """Hash what pods are made of in a template, as the user wrote it: no server's defaulting looks like a change.

    A template's own name, namespace and creation time mean nothing, and a field that is null is not set.
    """
    fields = Fields(template)
    metadata = fields.map("metadata")
    meaning = {key: value for key in ("labels", "annotations", "finalizers") if (value := metadata.raw(key))}
    text = written([meaning, without_nulls(fields.raw("spec"))], orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:10]


def without_nulls(value: Any) -> Any:
    """Leave out what is null, at any depth; a number beyond 64 bits is a float, as for the API server."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return as_the_server_has_it(value) if isinstance(value, int) else value


def as_the_server_has_it(number: int) -> int | float:
    """Give a number as Go holds one of which it knows no kind: an int64, or else a float64."""
    if -LARGEST - 1 <= number <= LARGEST:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf


def read_status(body: Json) -> Status:
    """Read back what a status alone remembers: the counts told last, our conditions, the record of replacements.

    What cannot be read is as if it had never been told; the next status is written over it.
    """
    fields = Fields(body)
    status = fields.map("status")
    conditions = (read_condition(each) for each in status.maps("conditions") if each.raw("type") in OUR_TYPES)
    read = Status(
        observed_generation=status.number("observedGeneration"),
        replicas=status.number("replicas", least=0),
        conditions=tuple(condition for condition in conditions if condition),
        healing=read_healing(status.map("healing")),
    )
    if fields.odd:
        oddities.note(names.KIND, full_name(fields.map("metadata")), fields.odd)
    return read


def read_condition(condition: Fields) -> Condition | None:
    """Read a metav1.Condition; None if nobody can tell since when it holds."""
    since = condition.time("lastTransitionTime")
    if since is None:
        return None
    return Condition(
        type=condition.text("type"),
        status=condition.text("status"),
        reason=condition.text("reason"),
        message=condition.text("message"),
        observed_generation=condition.number("observedGeneration"),
        since=since,
    )


def read_healing(healing: Fields) -> Healing:
    """Read the record of replacements; of the last one nothing is known if not when it was."""
    total, last_time = healing.number("total", least=0), healing.time("lastTime")
    if last_time is None:
        return Healing(total)
    return Healing(
        total=total,
        last_time=last_time,
        last_cause=healing.text("lastCause"),
        last_pod=healing.text("lastPod"),
        last_replacement=healing.text("lastReplacement"),
        last_recovery_seconds=healing.real("lastRecoverySeconds"),
    )


def write_status(status: Status, replicas: int, before: Json) -> Json:
    """Write a status for the API; conditions of types that are not ours are kept as they are in `before`.

    Args:
        status: what the core found.
        replicas: how many are wanted, for the READY column.
        before: the status that the object has.
    """
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
        "healing": write_healing(status.healing, Fields(before).map("healing").keys()),
        "conditions": write_conditions(status.conditions, before),
    }


def write_conditions(conditions: Iterable[Condition], before: Json) -> list[Json]:
    """Write our conditions, after those of others that the status has already."""
    known = before.get("conditions")
    foreign = [
        each
        for each in (known if isinstance(known, list) else ())
        if isinstance(each, dict) and each.get("type") not in OUR_TYPES
    ]
    return foreign + [write_condition(condition) for condition in conditions]


def write_condition(condition: Condition) -> Json:
    """Write a metav1.Condition; its time has whole seconds."""
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": cut(condition.message),
        "observedGeneration": condition.observed_generation,
        "lastTransitionTime": whole_seconds(condition.since),
    }


def cut(message: str) -> str:
    """Shorten a message to what a condition has room for, so that it is seen."""
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - len(CUT)] + CUT


def write_healing(healing: Healing, known: Iterable[str]) -> Json:
    """Write the record of replacements; None takes a field out of the object (a merge patch's null).

    Args:
        healing: the record.
        known: the fields that the object has.
    """
    if healing.last_time is None:
        return {"total": healing.total} | {key: None for key in known if key != "total"}
    return {
        "total": healing.total,
        "lastTime": micro_time(healing.last_time),
        "lastCause": healing.last_cause,
        "lastPod": healing.last_pod,
        "lastReplacement": healing.last_replacement,
        "lastRecoverySeconds": healing.last_recovery_seconds,
    }


def shows(body: object, patch: Json) -> bool:
    """Tell whether an object already has everything that a merge patch would set."""
    if not isinstance(body, dict):
        return False
    return all(
        shows(body.get(key) or {}, value) if isinstance(value, dict) else body.get(key) == value
        for key, value in patch.items()
    )

"""The pod that a group creates, as the API wants it.

Labels, annotations and finalizers come from the template, the owner reference makes us its controller, and
the operator's own labels and annotations say where it sits and whom it replaces. The spec is the template's,
untouched but for constraints that the group asks for (`spread.py`) and, in the place of a pod that ailed, a wish to be
elsewhere (`avoidance.py`): defaults are the API server's business.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from podgroup_operator.core import names
from podgroup_operator.core.avoidance import elsewhere
from podgroup_operator.core.model.actions import Create, Evidence
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.spread import spread

Manifest = dict[str, Any]


def owner_reference(desired: Desired) -> Manifest:
    """Refer to the PodGroup as the one controller of a pod; the pod goes when the PodGroup goes."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": desired.name,
        "uid": desired.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def own_labels(desired: Desired, slot: int) -> dict[str, str]:
    """Label a pod with its group and its seat."""
    return {names.LABEL_PODGROUP: desired.name, names.LABEL_SLOT: str(slot)}


def hash_label(desired: Desired, create: Create) -> dict[str, str]:
    """Label a pod with its template's hash, as a Deployment's; not where the selector has something to say of that."""
    return {} if desired.selector.names(names.LABEL_TEMPLATE_HASH) else {names.LABEL_TEMPLATE_HASH: create.revision}


def pod_manifest(desired: Desired, template: Mapping[str, Any], create: Create) -> Manifest:
    """Build the pod for one slot."""
    metadata = template.get("metadata") or {}
    labels = hash_label(desired, create) | (metadata.get("labels") or {}) | own_labels(desired, create.slot)
    manifest: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": create.name,
            "namespace": desired.namespace,
            "labels": labels | {names.LABEL_REVISION: create.revision},
            "annotations": {**desired.pod_annotations, **foreign_annotations(template), **own_annotations(create)},
            "ownerReferences": [owner_reference(desired)],
        },
        "spec": spread(template.get("spec") or {}, desired, create.revision),
    }
    if create.loss and create.loss.avoids:
        manifest["spec"] = elsewhere(manifest["spec"], create.loss.avoids)
    if metadata.get("finalizers"):
        manifest["metadata"]["finalizers"] = metadata["finalizers"]
    return manifest


def foreign_annotations(template: Mapping[str, Any]) -> dict[str, str]:
    """Give the annotations of a template but for those that have a meaning to us.

    In a template they would mean every pod: those that ask for their own deletion would be made without end.
    """
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return {key: value for key, value in annotations.items() if not key.startswith(f"{names.GROUP}/")}


def own_annotations(create: Create) -> dict[str, str]:
    """Record a pod's epoch, how many failed in a row before it, and, of a replacement, which was lost, why and when."""
    annotations = {names.ANNOTATION_EPOCH: str(create.epoch)}
    if create.failures:
        annotations[names.ANNOTATION_FAILURES] = str(create.failures)
    if create.loss:
        annotations[names.ANNOTATION_CAUSE] = create.loss.cause.value
        annotations[names.ANNOTATION_LOST_AT] = micro_time(create.loss.at)
        if create.loss.pod:
            annotations[names.ANNOTATION_REPLACES] = create.loss.pod
        if create.evidence:
            annotations[names.ANNOTATION_HEAL] = str(create.evidence.number)
            annotations[names.ANNOTATION_EVIDENCE] = in_json(create.loss, create.evidence)
        if create.loss.attempt:
            annotations[names.ANNOTATION_ATTEMPT] = str(create.loss.attempt)
        if create.loss.avoids:
            pairs = (f"{node}={whole_seconds(until)}" for node, until in create.loss.avoids)
            annotations[names.ANNOTATION_AVOIDS] = ",".join(pairs)
    return annotations


def in_json(loss: Loss, evidence: Evidence) -> str:
    """Write what a replacement bears of its heal beyond number, cause, time and name."""
    told = {
        "node": loss.node,
        "seen": loss.seen,
        "noticedSeconds": evidence.noticed,
        "decidedSeconds": evidence.decided,
        "waitedSeconds": evidence.waited or None,
        "waitedFor": evidence.waited_for,
    }
    return json.dumps({key: value for key, value in told.items() if value not in ("", None)}, separators=(",", ":"))


def micro_time(seconds: float) -> str:
    """Write a time as the API's MicroTime: RFC 3339 in UTC with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def whole_seconds(seconds: float) -> str:
    """Write a time as the API's Time: RFC 3339 in UTC, the fraction left out."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

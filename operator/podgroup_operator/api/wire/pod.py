"""A pod: whose it is, and what its metadata say.

A pod of another controller is not ours to look at and becomes None at once, and so does one of which nobody can tell
whose it is.
"""

from collections.abc import Mapping
from typing import Any

from podgroup_operator.api import oddities
from podgroup_operator.api.fields import Fields, timestamp, whole_number
from podgroup_operator.api.wire.changing import read_changing
from podgroup_operator.api.wire.metadata import full_name
from podgroup_operator.api.wire.pod_status import state
from podgroup_operator.core import names
from podgroup_operator.core.model.changing import BETWEEN
from podgroup_operator.core.model.pod import Pod

Json = dict[str, Any]

MOST_AVOIDED = 100
"""Nodes; an annotation may be large."""


def read_pod(body: Json) -> Pod | None:
    """Keep what decisions need of a pod; None if it is another controller's, or cannot be told whose or which."""
    fields = Fields(body)
    metadata = fields.map("metadata")
    pod = owned_pod(fields, metadata)
    if fields.odd:
        oddities.note("Pod", full_name(metadata), fields.odd)
    return pod


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
    if changing := read_changing(metadata.texts("annotations").get(names.ANNOTATION_CHANGING), fields):
        meaning |= {"revision": BETWEEN, "changing": changing}
    return Pod(namespace, name, own_uid, version, controller=uid, **meaning, **state(fields))


def is_podgroup(owner: Fields) -> bool:
    """Tell whether an owner reference points to one of our PodGroups (any version of the group)."""
    return owner.text("kind") == names.KIND and owner.text("apiVersion").partition("/")[0] == names.GROUP


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
        "asked": is_set(metadata, annotations, names.ANNOTATION_DELETE),
        "kept": is_set(metadata, annotations, names.ANNOTATION_KEEP),
        "cause": annotations.get(names.ANNOTATION_CAUSE, ""),
        "heal": max(whole_number(annotations.get(names.ANNOTATION_HEAL)) or 0, 0),
        "attempt": max(whole_number(annotations.get(names.ANNOTATION_ATTEMPT)) or 0, 0),
        "avoids": read_avoids(annotations.get(names.ANNOTATION_AVOIDS)),
        "failures": max(whole_number(annotations.get(names.ANNOTATION_FAILURES)) or 0, 0),
    }


def is_set(metadata: Fields, annotations: Mapping[str, str], name: str) -> bool:
    """Tell whether somebody has set an annotation that asks something of us.

    A policy may put it on every pod that is made, and then it asks for nothing: a pod that was to be replaced would be
    replaced without end. The record of managed fields is written before policies have their say, so what they add
    is nobody's there, and what we write ourselves is ours; what a person sets later is that person's.
    """
    if annotations.get(name) != "true":
        return False
    others = (each for each in metadata.maps("managedFields") if each.text("manager") != names.MANAGER)
    fields = (each.map("fieldsV1").map("f:metadata").map("f:annotations") for each in others)
    return any(f"f:{name}" in each.keys() for each in fields)  # noqa: SIM118 - they are no dicts


def read_avoids(text: str | None) -> tuple[tuple[str, float], ...]:
    """Read which nodes a pod avoids, each with the time until which; what a person has written over is left out."""
    pairs = (each.partition("=") for each in (text or "").split(",")[:MOST_AVOIDED])
    return tuple((node, time) for node, _, until in pairs if node and (time := timestamp(until)) is not None)


def noted_time(text: str | None) -> float | None:
    """Read a time that a person may have written over; None if it is not one."""
    return timestamp(text) if text else None


def deletion_time(metadata: Fields) -> float | None:
    """Read when a deletion was asked for: deletionTimestamp is that time plus the grace period.

    A grace period may be so long that the API server's sum of the two has overflown; it was not before the creation.
    """
    if not metadata.raw("deletionTimestamp"):
        return None
    time, created = metadata.time("deletionTimestamp"), metadata.time("creationTimestamp") or 0.0
    return max((time or created) - metadata.number("deletionGracePeriodSeconds", least=0), created)


def slot_of(metadata: Fields, labels: Mapping[str, str], controller: Fields | None) -> int | None:
    """Read where a pod sits: from its label or, if somebody has taken that away, from the name that we gave it."""
    slot = whole_number(labels.get(names.LABEL_SLOT))
    if slot is None and controller:
        group, _, rest = metadata.text("name").rpartition("-")[0].rpartition("-")
        slot = whole_number(rest) if group == controller.text("name") else None
    return slot

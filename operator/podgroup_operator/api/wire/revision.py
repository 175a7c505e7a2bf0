"""Revisions: which one a template is, and how they are kept (apps/v1 ControllerRevision).

They hold the template as it was written, for it is to be written back some day, and a server of another version has
other defaults. They are named by a hash of it, which was the pods' label before revisions were kept.
"""

import hashlib
import math
from typing import Any

import orjson

from podgroup_operator.api import oddities
from podgroup_operator.api.fields import LARGEST, Fields
from podgroup_operator.api.jsontext import as_go_writes, parsed, written
from podgroup_operator.api.wire.metadata import full_name, version_of
from podgroup_operator.core import names
from podgroup_operator.core.manifest import owner_reference
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.revision import Revision

Json = dict[str, Any]

COPIED = ("labels", "annotations", "finalizers")
"""What of a template's metadata pods get."""

LENGTH = 10
"""Characters of a hash by which a revision is called; two templates may have one in common."""


def template_hash(template: object, number: int = 0) -> str:
    """Give the hash by which the revision of a template is called.

    Args:
        template: it.
        number: of the hash, should those before it be another template's.
    """
    return meaning_of(template, number)[:LENGTH]


def meaning_of(template: object, number: int = 0) -> str:
    """Hash what pods are made of in a template, as the user wrote it: no server's defaulting looks like a change.

    A template's own name, namespace and creation time mean nothing, and a field that is null is not set.
    """
    fields = Fields(template)
    metadata = fields.map("metadata")
    meaning = {key: empty_for_null(value) for key in COPIED if (value := metadata.raw(key))}
    text = written([meaning, without_nulls(fields.raw("spec"))], orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text + (b"%d" % number if number else b"")).hexdigest()


def empty_for_null(value: Any) -> Any:
    """Give labels or annotations as the API server reads them: one that is null is empty, not missing."""
    return {key: each or "" for key, each in value.items()} if isinstance(value, dict) else value


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


def write_revision(desired: Desired, template: Json, revision: str, number: int) -> Json:
    """Write a revision; its data are a patch that takes its group back to it, as `kubectl rollout undo` makes one."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{desired.name}-{revision}",
            "namespace": desired.namespace,
            "labels": {names.LABEL_PODGROUP: desired.name, names.LABEL_REVISION: revision},
            "ownerReferences": [owner_reference(desired)],
        },
        "revision": number,
        "data": orjson.Fragment(as_go_writes({"spec": {"template": template}})),
    }


def read_revision(body: Json) -> Revision | None:
    """Read a revision; None if it is no PodGroup's, or cannot be told whose or which."""
    fields = Fields(body)
    metadata = fields.map("metadata")
    owner = next((each for each in metadata.maps("ownerReferences") if each.flag("controller")), None)
    if owner is None or owner.text("kind") != names.KIND or owner.text("apiVersion").partition("/")[0] != names.GROUP:
        return None
    template = fields.map("data").map("spec").map("template")
    revision = Revision(
        namespace=metadata.text("namespace"),
        name=metadata.text("name"),
        uid=metadata.text("uid"),
        version=version_of(body),
        owner=owner.text("uid"),
        hash=metadata.texts("labels").get(names.LABEL_REVISION, ""),
        number=fields.number("revision"),
        meaning=meaning_of(template.value),
        text=written(template.value),
    )
    if fields.odd:
        oddities.note("ControllerRevision", full_name(metadata), fields.odd)
    return revision if template.value and revision.hash and revision.owner and revision.uid else None


def template_of(revision: Revision) -> Json:
    """Give the template that a revision keeps."""
    template: Json = parsed(revision.text)
    return template

"""What kube-apiserver refuses as Invalid (422) and a controller can run into.

Only rules that a test of ours can meet are here; a test that needs another refusal plays it with `FakeApi.admit`.
Sources: apimachinery/pkg/api/validation/objectmeta.go, kubernetes/pkg/apis/{core,apps}/validation.
"""

import orjson

from fakeapi import errors
from fakeapi.errors import StatusError
from fakeapi.resources import PODS, REVISIONS, Obj, Resource

Cause = tuple[str, str, str]
REQUIRED = ("FieldValueRequired", "Required value")
IMMUTABLE = "field is immutable"


def check_new(resource: Resource, obj: Obj) -> None:
    """Refuse a new object that lacks what it must have.

    Raises:
        StatusError: 422.
    """
    name = obj["metadata"].get("name") or ""
    causes: list[Cause] = []
    if not name:
        causes.append(("metadata.name", REQUIRED[0], "Required value: name or generateName is required"))
    if resource is PODS:
        causes += _containers(obj)
    if causes:
        raise errors.invalid(resource, name, *causes)


def check_changed(resource: Resource, new: Obj, old: Obj) -> None:
    """Refuse a change of what must not change.

    Raises:
        StatusError: 422.
    """
    causes = [*_metadata(new["metadata"], old["metadata"])]
    if resource is REVISIONS and new.get("data") != old.get("data"):
        causes.append(("data", "FieldValueInvalid", f"Invalid value: {_json(new.get('data'))}: {IMMUTABLE}"))
    if causes:
        raise errors.invalid(resource, old["metadata"]["name"], *causes)


def check_patchable(resource: Resource, old: Obj) -> None:
    """Refuse to PATCH a ControllerRevision whose data Go would spell otherwise.

    A PATCH passes the object through Go's JSON encoder, which writes `&`, `<` and `>` as escapes; the data is
    compared byte for byte, so any PATCH of such a revision fails, even of its labels. A PUT does not.
    """
    if resource is REVISIONS and any(mark in orjson.dumps(old.get("data")) for mark in b"&<>"):
        words = f"Invalid value: {_json(old.get('data'))}: {IMMUTABLE}"
        raise errors.invalid(resource, old["metadata"]["name"], ("data", "FieldValueInvalid", words))


def foreign_uid(resource: Resource, name: str, uid: str) -> StatusError:
    """Refuse a PATCH that was meant for another object of that name; not a 409: see ReplicaSet's ReleasePod."""
    words = f'Invalid value: "{uid}": {IMMUTABLE}'
    return errors.invalid(resource, name, ("metadata.uid", "FieldValueInvalid", words))


def _containers(pod: Obj) -> list[Cause]:
    containers = pod.get("spec", {}).get("containers")
    if not containers:
        return [("spec.containers", *REQUIRED)]
    return [
        (f"spec.containers[{index}].image", *REQUIRED)
        for index, container in enumerate(containers)
        if not container.get("image")
    ]


def _metadata(new: Obj, old: Obj) -> list[Cause]:
    causes: list[Cause] = []
    fresh = [name for name in new.get("finalizers") or () if name not in (old.get("finalizers") or ())]
    if fresh and old.get("deletionTimestamp"):
        words = "no new finalizers can be added if the object is being deleted, found new finalizers "
        listed = ", ".join(f'"{name}"' for name in fresh)
        causes.append(("metadata.finalizers", "FieldValueForbidden", f"Forbidden: {words}[]string{{{listed}}}"))
    controllers = [ref for ref in new.get("ownerReferences") or () if ref.get("controller")]
    if len(controllers) > 1:
        pair = " and ".join(f"{ref['kind']}/{ref['name']}" for ref in controllers[:2])
        words = f'Only one reference can have Controller set to true. Found "true" in references for {pair}'
        value = _json(new["ownerReferences"])
        causes.append(("metadata.ownerReferences", "FieldValueInvalid", f"Invalid value: {value}: {words}"))
    return causes


def _json(value: object) -> str:
    return orjson.dumps(value).decode()

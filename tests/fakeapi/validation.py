"""What kube-apiserver refuses as Invalid (422) and a controller can run into.

Only rules that a test of ours can meet are here; a test that needs another refusal plays it with `FakeApi.admit`.
Sources: apimachinery/pkg/api/validation/objectmeta.go, kubernetes/pkg/apis/{core,apps}/validation.
"""

import orjson

from fakeapi import errors
from fakeapi.errors import StatusError
from fakeapi.resources import POD_TEMPLATES, PODS, REVISIONS, Obj, Resource

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
        causes += _containers(obj, "spec")
    if resource is POD_TEMPLATES:
        causes += _containers(obj.get("template") or {}, "template.spec")
    if resource is REVISIONS:
        causes += _revision(obj)
    if causes:
        raise errors.invalid(resource, name, *causes)


def check_changed(resource: Resource, new: Obj, old: Obj) -> None:
    """Refuse a change of what must not change.

    Raises:
        StatusError: 422.
    """
    causes = [*_metadata(new["metadata"], old["metadata"])]
    if resource is REVISIONS and _json(new.get("data")) != _json(old.get("data")):
        causes.append(("data", "FieldValueInvalid", f"Invalid value: {_json(new.get('data'))}: {IMMUTABLE}"))
    if causes:
        raise errors.invalid(resource, old["metadata"]["name"], *causes)


def check_patchable(resource: Resource, old: Obj) -> None:
    """Refuse to PATCH a ControllerRevision whose data Go would spell otherwise.

    A PATCH passes the object through Go's JSON encoder, which sorts the keys, leaves no spaces, and writes `&`, `<` and
    `>` as escapes; the data is compared byte for byte, so any PATCH of such a revision fails, even of its labels. A PUT
    with the data as it was written does not. Here only the order of keys is known of what was written.
    """
    if resource is not REVISIONS:
        return
    data = orjson.dumps(old.get("data"))
    if data != orjson.dumps(old.get("data"), option=orjson.OPT_SORT_KEYS):
        words = f"Invalid value: {data.decode()}: {IMMUTABLE}"
        raise errors.invalid(resource, old["metadata"]["name"], ("data", "FieldValueInvalid", words))


def foreign_uid(resource: Resource, name: str, uid: str) -> StatusError:
    """Refuse a PATCH that was meant for another object of that name; not a 409: see ReplicaSet's ReleasePod."""
    words = f'Invalid value: "{uid}": {IMMUTABLE}'
    return errors.invalid(resource, name, ("metadata.uid", "FieldValueInvalid", words))


def _containers(template: Obj, path: str) -> list[Cause]:
    containers = (template.get("spec") or {}).get("containers")
    if not containers:
        return [(f"{path}.containers", *REQUIRED)]
    return [
        (f"{path}.containers[{index}].image", *REQUIRED)
        for index, container in enumerate(containers)
        if not container.get("image")
    ]


def _revision(revision: Obj) -> list[Cause]:
    causes: list[Cause] = []
    data, number = revision.get("data"), revision.get("revision") or 0
    if not isinstance(number, int):
        words = f"json: cannot unmarshal {_json(number)} into Go struct field ControllerRevision.revision of type int64"
        raise errors.bad_request(
            f'ControllerRevision in version "v1" cannot be handled as a ControllerRevision: {words}'
        )
    if not isinstance(data, dict):
        words = "data is mandatory" if data is None else "data must be a valid JSON object"
        causes.append(("data", REQUIRED[0], f"{REQUIRED[1]}: {words}"))
    if number < 0:
        words = f"Invalid value: {number}: must be greater than or equal to 0"
        causes.append(("revision", "FieldValueInvalid", words))
    return causes


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

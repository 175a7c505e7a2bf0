"""The doors of an object: what is seen through each, and what a write through it may change.

The main door takes everything but the status, `status` takes nothing but the status, `scale` shows and takes the
replicas as an autoscaling/v1 Scale, `resize` takes the resources of a pod's containers, `finalize` takes a namespace's
spec.finalizers.
"""

from fakeapi.resources import Obj, Resource

KEPT = ("creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
CONTAINERS = ("containers", "initContainers")
SCALE_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def view(obj: Obj, subresource: str) -> Obj:
    """Give the object as seen through a door."""
    if subresource != "scale":
        return obj
    metadata, status = obj["metadata"], obj.get("status") or {}
    shown = {"replicas": status.get("replicas", 0)}
    if status.get("selector"):
        shown["selector"] = status["selector"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in SCALE_METADATA if key in metadata},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": shown,
    }


def taken(resource: Resource, old: Obj, written: Obj, subresource: str) -> Obj:
    """Give the object after a write through a door, before anything is validated."""
    match subresource:
        case "scale":
            spec = {**old["spec"], "replicas": written["spec"].get("replicas", 0)}
            new = {**old, "spec": spec}
        case "status":
            new = {**old, "metadata": _named(old, written)}
            _carry("status", written, new)
        case "resize":
            new = {**old, "metadata": _named(old, written), "spec": _resized(old["spec"], written["spec"])}
        case "finalize":
            new = {**old, "spec": {**old["spec"], "finalizers": written["spec"].get("finalizers") or []}}
        case _:
            new = {**written, "metadata": _metadata(old, written)}
            if "status" in resource.subresources:
                _carry("status", old, new)
    return _counted(resource, old, new)


def _resized(had: Obj, wanted: Obj) -> Obj:
    """Give a pod's spec with the resources of another."""
    resources = {each["name"]: each.get("resources", {}) for key in CONTAINERS for each in wanted.get(key) or ()}
    return had | {
        key: [{**each, "resources": resources[each["name"]]} for each in had[key]] for key in CONTAINERS if key in had
    }


def _carry(field: str, source: Obj, target: Obj) -> None:
    if field in source:
        target[field] = source[field]
    else:
        target.pop(field, None)


def _named(old: Obj, written: Obj) -> Obj:
    """Give old metadata with the written UID, which is still to be compared."""
    uid = (written.get("metadata") or {}).get("uid")
    return {**old["metadata"], "uid": uid} if uid else old["metadata"]


def _metadata(old: Obj, written: Obj) -> Obj:
    had = old["metadata"]
    metadata = dict(written.get("metadata") or {})
    for field in ("name", "namespace", "uid", "resourceVersion"):
        if field in had:
            metadata[field] = metadata.get(field) or had[field]
    for field in KEPT:
        _carry(field, had, metadata)
    return without_empty(metadata)


def without_empty(metadata: Obj) -> Obj:
    """Give metadata without empty lists and maps, which the server does not keep."""
    return {field: value for field, value in metadata.items() if value not in ([], {}, None, "")}


def _counted(resource: Resource, old: Obj, new: Obj) -> Obj:
    """Raise the generation if more than metadata and status changed."""
    if not resource.has_generation or all(
        new.get(field) == old.get(field) for field in (new.keys() | old.keys()) - {"metadata", "status"}
    ):
        return new
    metadata = new["metadata"]
    return {**new, "metadata": {**metadata, "generation": metadata["generation"] + 1}}

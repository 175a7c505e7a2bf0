"""The rules of DELETE, as functions of an object and DeleteOptions.

They follow apiserver's registry/rest/delete.go (BeforeDelete) and registry/generic/registry/store.go. Two things
that surprise: a pod that goes at once is first written with its deletionTimestamp (watchers see MODIFIED, then
DELETED), and a second DELETE may shorten the grace period, never lengthen it.
"""

from datetime import UTC, datetime, timedelta

from fakeapi import errors
from fakeapi.resources import PODS, Obj, Resource

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
FINALIZER_OF = {"Foreground": FOREGROUND, "Orphan": ORPHAN}


def timestamp(moment: datetime) -> str:
    """Write a time as Kubernetes does: RFC 3339, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_preconditions(resource: Resource, obj: Obj, options: Obj) -> None:
    """Refuse if the options were made for another object, or for another state of it.

    Raises:
        StatusError: 409.
    """
    metadata = obj["metadata"]
    asked = options.get("preconditions") or {}
    for field, words in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if asked.get(field) is not None and asked[field] != metadata[field]:
            raise errors.precondition_failed(resource, metadata["name"], words, asked[field], metadata[field])


def graceful(resource: Resource, obj: Obj, options: Obj, now: datetime) -> Obj | None:
    """Give a pod with its deletion written on it; None if there is nothing (more) to write.

    None means: the resource knows no grace, or the pod is already as deleted as it can be (grace 0), or it is
    being deleted and the request does not shorten that (`pending` tells these apart).
    """
    metadata = obj["metadata"]
    if resource is not PODS or (metadata.get("deletionTimestamp") and not shortens(obj, options)):
        return None
    if metadata.get("deletionTimestamp"):
        seconds = _asked(options) or 0
        began = datetime.fromisoformat(metadata["deletionTimestamp"]) - timedelta(
            seconds=metadata["deletionGracePeriodSeconds"]
        )
        end = began + timedelta(seconds=seconds)
        if end < now:
            end, seconds = now, min(seconds, 1)
        return marked(obj, end, seconds)
    seconds = _grace(obj, options)
    return marked(obj, now + timedelta(seconds=seconds), seconds)


def pending(resource: Resource, obj: Obj, options: Obj) -> bool:
    """Whether the pod is being deleted gracefully already and this request changes nothing."""
    metadata = obj["metadata"]
    waiting = metadata.get("deletionTimestamp") and metadata.get("deletionGracePeriodSeconds")
    return resource is PODS and bool(waiting) and not shortens(obj, options)


def shortens(obj: Obj, options: Obj) -> bool:
    """Whether the request asks for less grace than the running deletion has."""
    asked = _asked(options)
    return asked is not None and asked < (obj["metadata"].get("deletionGracePeriodSeconds") or 0)


def marked(obj: Obj, end: datetime, seconds: int) -> Obj:
    """Give the object with its deletionTimestamp; the first one also raises its generation."""
    metadata = {
        **obj["metadata"],
        "deletionTimestamp": timestamp(end),
        "deletionGracePeriodSeconds": seconds,
    }
    if metadata.get("generation") and not obj["metadata"].get("deletionTimestamp"):
        metadata["generation"] += 1
    return {**obj, "metadata": metadata}


def with_policy(obj: Obj, options: Obj) -> Obj:
    """Give the object with the garbage collector's finalizer that the propagationPolicy asks for."""
    had = obj["metadata"].get("finalizers") or []
    policy = options.get("propagationPolicy")
    own = [name for name in had if name not in (FOREGROUND, ORPHAN)]
    collectors = [name for name in had if name in (FOREGROUND, ORPHAN)]
    if policy:
        collectors = [FINALIZER_OF[policy]] if policy in FINALIZER_OF else []
    return with_finalizers(obj, own + collectors)


def with_finalizers(obj: Obj, finalizers: list[str]) -> Obj:
    """Give the object with these finalizers; the same object if it has them already."""
    if set(finalizers) == set(obj["metadata"].get("finalizers") or ()):
        return obj
    metadata = {key: value for key, value in obj["metadata"].items() if key != "finalizers"}
    if finalizers:
        metadata["finalizers"] = finalizers
    return {**obj, "metadata": metadata}


def is_over(new: Obj, old: Obj) -> bool:
    """Whether an update ends a deletion: no finalizer left, deletion under way, no grace left."""
    metadata = old["metadata"]
    if new["metadata"].get("finalizers") or not metadata.get("deletionTimestamp"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")


def _asked(options: Obj) -> int | None:
    seconds = options.get("gracePeriodSeconds")
    return None if seconds is None else int(seconds) if seconds >= 0 else 1


def _grace(pod: Obj, options: Obj) -> int:
    """Give the seconds that a pod gets: none unless it is bound and not finished (podStrategy)."""
    if not pod["spec"].get("nodeName") or pod["status"].get("phase") in ("Failed", "Succeeded"):
        return 0
    asked = _asked(options)
    default: int = pod["spec"].get("terminationGracePeriodSeconds") or 0
    return default if asked is None else asked

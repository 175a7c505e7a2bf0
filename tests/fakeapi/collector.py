"""A small garbage collector: what kube-controller-manager does with ownerReferences.

Off at first: `step` runs one pass by hand, `start` follows every change. Background: dependents whose owners are
all gone are deleted. Foreground: an owner with the finalizer foregroundDeletion waits until no dependent blocks
it. Orphan: the ownerReferences go first, then the owner. See kubernetes/pkg/controller/garbagecollector.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator

from fakeapi.deletion import FOREGROUND, ORPHAN
from fakeapi.registry import Registry
from fakeapi.resources import Obj, Resource
from fakeapi.store import Change, Key, key_of

Place = tuple[Resource, Key]


class Collector:
    """Deletes what has lost its owner, and lets owners go."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._store.subscribers.append(self._follow)
        self._dependents: dict[str, dict[Place, None]] = defaultdict(dict)  # by the owner's UID
        self._touched: dict[Place, None] = {}
        self._on = False

    def start(self) -> None:
        """Follow every change, after a first pass over everything."""
        self._on = True
        self.step()

    def stop(self) -> None:
        """Leave everything as it is from now on."""
        self._on = False

    def step(self) -> None:
        """Run one pass over all owners and dependents."""
        for resource in self._registry.resources:
            for obj in self._store.objects(resource):
                self._visit((resource, key_of(obj)))

    def _visit(self, place: Place) -> None:
        obj = self._store.get(*place)
        if obj is None:
            return
        waiting = finalizers(obj)
        if ORPHAN in waiting:
            for dependent in list(self._dependents[uid_of(obj)]):
                self._orphan(dependent, uid_of(obj))
            self._let_go(place, obj, ORPHAN)
        elif FOREGROUND in waiting:
            for dependent in list(self._dependents[uid_of(obj)]):
                self._collect(dependent)
            if not any(self._blocking(uid_of(obj))):
                self._let_go(place, obj, FOREGROUND)
        else:
            self._collect(place)

    def _collect(self, place: Place) -> None:
        """Delete an object that had owners and has no living one left."""
        resource, key = place
        obj = self._store.get(resource, key)
        if obj is None or not references(obj) or obj["metadata"].get("deletionTimestamp"):
            return
        owners = [self._owner(reference, key[0]) for reference in references(obj)]
        if not any(owner and FOREGROUND not in finalizers(owner) for owner in owners):
            self._registry.delete(resource, key, {"preconditions": {"uid": uid_of(obj)}})

    def _orphan(self, place: Place, uid: str) -> None:
        obj = self._registry.read(*place)
        kept = [reference for reference in references(obj) if reference["uid"] != uid]
        self._registry.patch(*place, {"metadata": {"ownerReferences": kept}})

    def _blocking(self, uid: str) -> Iterator[Obj]:
        for place in self._dependents[uid]:
            obj = self._registry.read(*place)
            yield from [each for each in references(obj) if each["uid"] == uid and each.get("blockOwnerDeletion")]

    def _let_go(self, place: Place, owner: Obj, finalizer: str) -> None:
        rest = [name for name in finalizers(owner) if name != finalizer]
        self._registry.patch(*place, {"metadata": {"finalizers": rest or None}})

    def _owner(self, reference: Obj, namespace: str) -> Obj | None:
        """Give the owner that a reference means; a namesake with another UID is not it."""
        place = self._place(reference, namespace)
        owner = self._store.get(*place) if place else None
        return owner if owner and uid_of(owner) == reference["uid"] else None

    def _place(self, reference: Obj, namespace: str) -> Place | None:
        for resource in self._registry.resources:
            if (resource.api_version, resource.kind) == (reference["apiVersion"], reference["kind"]):
                return resource, (namespace if resource.namespaced else "", reference["name"])
        return None

    def _follow(self, change: Change) -> None:
        place = (change.resource, key_of(change.object))
        for reference in references(change.previous or {}):
            self._dependents[reference["uid"]].pop(place, None)
        if change.type == "DELETED":
            self._touch(*self._dependents.get(uid_of(change.object), ()))
            owners = [self._place(reference, place[1][0]) for reference in references(change.object)]
            self._touch(*[owner for owner in owners if owner])
            return
        for reference in references(change.object):
            self._dependents[reference["uid"]][place] = None
        self._touch(place)

    def _touch(self, *places: Place) -> None:
        """Note objects to look at in the next turn of the event loop."""
        if not self._on:
            return
        if places and not self._touched:
            asyncio.get_running_loop().call_soon(self._follow_up)
        self._touched.update(dict.fromkeys(places))

    def _follow_up(self) -> None:
        touched, self._touched = self._touched, {}
        for place in touched if self._on else ():
            self._visit(place)


def references(obj: Obj) -> list[Obj]:
    """Give an object's ownerReferences."""
    return obj.get("metadata", {}).get("ownerReferences") or []


def finalizers(obj: Obj) -> list[str]:
    """Give an object's finalizers."""
    return obj["metadata"].get("finalizers") or []


def uid_of(obj: Obj) -> str:
    """Give an object's UID."""
    uid: str = obj["metadata"]["uid"]
    return uid

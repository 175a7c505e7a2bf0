"""The only state of the fake API: the objects, one counter of versions over all of them, and every change.

etcd's model is kept: each write raises the one revision, gives it to the object as its resourceVersion, and is
remembered. So a watch replays, a list can be read as of an older version, and an oracle can go through all that
ever happened. Compaction takes away only the right to ask for older versions; the history stays for the oracles.
"""

import itertools
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import orjson

from fakeapi.resources import Obj, Resource

Key = tuple[str, str]
"""Namespace ("" for a cluster-wide object) and name; sorts as etcd's keys do."""


def key_of(obj: Obj) -> Key:
    """Give an object's place among its kind."""
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def stamped(obj: Obj, version: int) -> Obj:
    """Give the object with another resourceVersion."""
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}


@dataclass(frozen=True)
class Change:
    """One write.

    Attributes:
        version: the resourceVersion that it made.
        type: ADDED, MODIFIED or DELETED.
        object: what it left; of a deleted object its last state, with this version.
        previous: what was there before.
        at: `time.monotonic()` of the write, in seconds.
    """

    version: int
    type: str
    resource: Resource
    object: Obj
    previous: Obj | None
    at: float = field(default_factory=time.monotonic)

    @cached_property
    def encoded(self) -> bytes:
        """Give the object as JSON; made once for all watches."""
        return orjson.dumps(self.object)


Subscriber = Callable[[Change], None]


class Store:
    """Objects, versions and history.

    Attributes:
        version: the newest resourceVersion.
        compacted: a watch or a list may ask for this version and newer ones.
        history: every change since the start.
        subscribers: called with each change, in order, as part of the write; they must not write themselves.
    """

    def __init__(self) -> None:
        self.version = 1
        self.compacted = 1
        self.history: list[Change] = []
        self.subscribers: list[Subscriber] = []
        self._objects: dict[Resource, dict[Key, Obj]] = {}

    def get(self, resource: Resource, key: Key) -> Obj | None:
        """Read one object."""
        return self._table(resource).get(key)

    def objects(self, resource: Resource, namespace: str = "") -> list[Obj]:
        """Read all, or those of one namespace, in the order of their keys."""
        return _in_order(self._table(resource), namespace)

    def objects_at(self, resource: Resource, namespace: str, version: int) -> list[Obj]:
        """Read all as they were at an older version, by taking back what was done since."""
        table = dict(self._table(resource))
        for change in reversed(self.since(version)):
            if change.resource is resource:
                _take_back(change, table)
        return _in_order(table, namespace)

    def since(self, version: int) -> list[Change]:
        """Give the changes after a version, oldest first."""
        return self.history[bisect_right(self.history, version, key=lambda change: change.version) :]

    def put(self, resource: Resource, obj: Obj) -> Obj:
        """Create or replace an object; give it with its new version."""
        key = key_of(obj)
        table = self._table(resource)
        previous = table.get(key)
        self.version += 1
        table[key] = stamped(obj, self.version)
        kind = "ADDED" if previous is None else "MODIFIED"
        self._record(Change(self.version, kind, resource, table[key], previous))
        return table[key]

    def remove(self, resource: Resource, key: Key) -> Obj:
        """Take an object out; give its last state with the version of the removal."""
        previous = self._table(resource).pop(key)
        self.version += 1
        last = stamped(previous, self.version)
        self._record(Change(self.version, "DELETED", resource, last, previous))
        return last

    def compact(self) -> None:
        """Forget, for clients, everything before now."""
        self.compacted = self.version

    def restore(self, version: int, bump: int = 0) -> None:
        """Become what it was at an older version, as from a backup: what was written since has never happened.

        Args:
            version: the backup's.
            bump: goes on as many versions above it and compacts, as `etcdutl snapshot restore --bump-revision
                --mark-compacted` does; 0 is a restore without these.
        """
        undone = self.since(version)
        for change in reversed(undone):
            _take_back(change, self._table(change.resource))
        del self.history[len(self.history) - len(undone) :]
        self.version = version + bump
        if bump:
            self.compact()

    def _table(self, resource: Resource) -> dict[Key, Obj]:
        return self._objects.setdefault(resource, {})

    def _record(self, change: Change) -> None:
        self.history.append(change)
        for subscriber in tuple(self.subscribers):
            subscriber(change)


def _take_back(change: Change, table: dict[Key, Obj]) -> None:
    if change.previous is None:
        del table[key_of(change.object)]
    else:
        table[key_of(change.object)] = change.previous


def _in_order(table: dict[Key, Obj], namespace: str) -> list[Obj]:
    keys = sorted(key for key in table if not namespace or key[0] == namespace)
    return [table[key] for key in keys]


_serial = itertools.count(1)


def new_uid() -> str:
    """Give a UID that no object had before; counted, so that a failing test tells the same story each time."""
    return f"00000000-0000-4000-8000-{next(_serial):012x}"

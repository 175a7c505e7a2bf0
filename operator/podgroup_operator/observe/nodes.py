"""The cache of nodes: since when each of them is lost, and which are under maintenance.

They are many, change seldom and are nobody's in particular: of each a few fields are kept. One that is gone is kept as
such for a while, for its pods are still there.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from podgroup_operator.core.model.node import Node, Storm
from podgroup_operator.core.storm import Brake

KEPT_GONE = 600.0
"""Seconds; by then the garbage collector of pods has taken away all that was on it (podgc, 40 s)."""


class NodeStore:
    """Nodes by name.

    Args:
        clock: gives the time in seconds since the epoch.
        brake: says when it is a storm.
        wake: told of the node that was lost or came back, or whose maintenance begins or ends.

    Attributes:
        lost: the names of those that are lost.
        maintained: the names of those that are drained, or about to be.
        storm: whether too many are.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        brake: Brake | None = None,
        wake: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._brake = brake or Brake()
        self._wake = wake
        self._nodes: dict[str, Node] = {}
        self._names: dict[str, str] = {}  # by UID
        self.lost = set[str]()
        self.maintained = set[str]()
        self.storm = Storm()

    @property
    def known(self) -> Mapping[str, Node]:
        """Give them by name."""
        return self._nodes

    def replace(self, scope: str, records: list[Node], version: int) -> None:  # noqa: ARG002 - as all stores
        """Take a full list; what is not in it is gone."""
        listed = {each.uid for each in records}
        changed = [name for uid in self._names.keys() - listed if (name := self._remove(uid))]
        changed += [name for each in records if (name := self._upsert(each))]
        self._tell(changed)

    def foresee(self, uids: Iterable[str]) -> bool:  # noqa: ARG002 - as all stores
        """Do nothing about what is about to be deleted."""
        return False

    def upsert(self, record: Node, *, born: bool = False) -> None:  # noqa: ARG002 - as all stores
        """Take a node, unless a newer state of it is known."""
        if name := self._upsert(record):
            self._tell([name])

    def remove(self, uid: str) -> None:
        """Note that a node is gone."""
        if name := self._remove(uid):
            self._tell([name])

    def reached(self, scope: str, version: int) -> None:
        """Note that everything up to this resourceVersion has been delivered; nobody waits for that."""

    def clock_set(self, seconds: float) -> None:
        """Note that the clock was set by so many seconds: no node is lost for longer by that, no storm longer over."""
        for name, node in self._nodes.items():
            if node.lost_since is not None:
                self._nodes[name] = replace(node, lost_since=node.lost_since + seconds)
        self.storm = replace(self.storm, until=self.storm.until + seconds)

    def _upsert(self, record: Node) -> str:
        before = self._nodes.get(record.name)
        if before and before.uid == record.uid and before.version >= record.version:
            return ""
        since = None
        if not record.ready or record.out_of_service:
            since = before.lost_since if before and before.lost_since is not None else self._clock()
        self._names[record.uid] = record.name
        return self._put(replace(record, lost_since=since))

    def _remove(self, uid: str) -> str:
        before = self._nodes.get(self._names.pop(uid, ""))
        if before is None or before.uid != uid:  # another one has its name by now
            return ""
        since = self._clock() if before.lost_since is None else before.lost_since
        return self._put(replace(before, ready=False, lost_since=since, gone=True))

    def _put(self, node: Node) -> str:
        """Keep a node; give its name if it is news that it is lost or under maintenance, or is not."""
        before = self._nodes.get(node.name)
        self._nodes[node.name] = node
        (self.lost.discard if node.lost_since is None else self.lost.add)(node.name)
        (self.maintained.add if node.maintained else self.maintained.discard)(node.name)
        return node.name if before is None or standing(before) != standing(node) else ""

    def _tell(self, changed: Iterable[str]) -> None:
        now = self._clock()
        for each in [each for each in self._nodes.values() if each.gone and (each.lost_since or 0.0) < now - KEPT_GONE]:
            del self._nodes[each.name]
            self.lost.discard(each.name)
            self.maintained.discard(each.name)
        self.storm = self._brake.apply(self._nodes.values(), self.storm, now)
        for name in changed:
            self._wake(name)


def standing(node: Node) -> tuple[float | None, bool, bool]:
    """Give what of a node concerns those who have pods there."""
    return node.lost_since, node.is_dead, node.maintained

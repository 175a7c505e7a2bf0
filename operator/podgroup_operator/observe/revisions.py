"""The cache of revisions, by the group that owns them.

One that somebody deletes while we run is remembered: its group writes it again if it is still needed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from podgroup_operator.core.model.revision import Revision

Owner = tuple[str, str]
"""Namespace and UID."""


class RevisionStore:
    """Revisions by owner.

    Args:
        wake: told of the owner of which somebody has deleted a revision; says whether there is such a group.
        complete: told of a scope whose revisions are all known from now on.
    """

    def __init__(
        self, wake: Callable[[Owner], bool] = lambda _: True, complete: Callable[[str], None] = lambda _: None
    ) -> None:
        self._wake = wake
        self._now_complete = complete
        self._revisions: dict[Owner, dict[str, Revision]] = defaultdict(dict)  # by hash
        self._deleted: dict[Owner, dict[str, Revision]] = defaultdict(dict)
        self._known: dict[str, Revision] = {}  # by UID
        self._complete = set[str]()

    def is_complete(self, namespace: str) -> bool:
        """Tell whether all revisions of a namespace are known; without them nothing is rolled out there.

        They stay so where they may not be read any more: nobody but us writes them, and what lost pods are made of
        must not change with our rights.
        """
        return not self._complete.isdisjoint({"", namespace})

    def of(self, owner: Owner) -> Mapping[str, Revision]:
        """Give the revisions of a group, by hash."""
        return self._revisions.get(owner, {})

    def deleted(self, owner: Owner) -> Mapping[str, Revision]:
        """Give those that somebody has deleted while we ran, by hash."""
        return self._deleted.get(owner, {})

    def settle(self, revision: Revision) -> None:
        """Drop one that was deleted, for it is written again or not needed."""
        owner = (revision.namespace, revision.owner)
        deleted = self._deleted.get(owner, {})
        if deleted.get(revision.hash) is revision:
            del deleted[revision.hash]
        if not deleted:
            self.forget(owner)

    def forget(self, owner: Owner) -> None:
        """Drop what was deleted of a group that is gone."""
        self._deleted.pop(owner, None)

    def prune(self, revision: Revision) -> None:
        """Drop one that we have deleted ourselves."""
        self._drop(revision)

    def replace(self, scope: str, records: list[Revision], version: int) -> None:  # noqa: ARG002 - nobody waits for that
        """Take a full list; what is not in it is gone."""
        listed = {each.uid for each in records}
        for known in [each for each in self._known.values() if not scope or each.namespace == scope]:
            if known.uid not in listed:
                self.remove(known.uid)
        for each in records:
            self.upsert(each)
        if scope not in self._complete:
            self._complete.add(scope)
            self._now_complete(scope)

    def foresee(self, uids: Iterable[str]) -> bool:  # noqa: ARG002 - as all stores
        """Do nothing about what is about to be deleted."""
        return False

    def upsert(self, record: Revision, *, born: bool = False) -> None:  # noqa: ARG002 - as all stores
        """Take a revision, unless a newer state of it is known."""
        known = self._known.get(record.uid)
        if known and known.version >= record.version:
            return
        if known:
            self._drop(known)
        owner = (record.namespace, record.owner)
        self._known[record.uid] = self._revisions[owner][record.hash] = record
        self._deleted.get(owner, {}).pop(record.hash, None)

    def remove(self, uid: str) -> None:
        """Forget a revision that is gone; should its group still need it, it writes it again."""
        known = self._known.get(uid)
        if known:
            self._drop(known)
            owner = (known.namespace, known.owner)
            self._deleted[owner][known.hash] = known
            if not self._wake(owner):  # the garbage collector deletes what a group has left that is gone
                self.forget(owner)

    def reached(self, scope: str, version: int) -> None:
        """Note that everything up to this resourceVersion has been delivered; nobody waits for that."""

    def _drop(self, known: Revision) -> None:
        owner = (known.namespace, known.owner)
        self._known.pop(known.uid, None)
        revisions = self._revisions[owner]
        if revisions.get(known.hash) is known:
            del revisions[known.hash]
        if not revisions:
            del self._revisions[owner]

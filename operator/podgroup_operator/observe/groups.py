"""The cache of PodGroups, fed by kopf.

kopf tells of every PodGroup when it lists them and of every change after that, but when it has to list again
(the watch was too old to resume) it never tells of those that vanished meanwhile (measured with kopf 1.45). A
group that nobody has spoken of since the last listing is therefore doubtful: it is read afresh, uncached,
before anything is done for it, so that no pod is made for an owner that is gone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from podgroup_operator.api import oddities
from podgroup_operator.api.fields import Fields
from podgroup_operator.api.restored import not_older
from podgroup_operator.api.wire.desired import read_desired
from podgroup_operator.api.wire.metadata import full_name, version_of
from podgroup_operator.api.wire.revision import template_of
from podgroup_operator.api.wire.status import read_status
from podgroup_operator.core import names
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.revision import Revision
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.selector import Selector
from podgroup_operator.observe.labels import Selecting
from podgroup_operator.workqueue import Key

Json = dict[str, Any]


NEVER = -1
"""The listing of a group that has to be read afresh."""


@dataclass(slots=True)
class Group:
    """One PodGroup as the API has it.

    Attributes:
        body: the object.
        wanted: what it asks for; the revision is that of the template as it is written.
        listing: kopf's listing since which it has been heard of.
        told: what its status alone remembers.
        desired: what it asks for, the revision being the one that its pods shall be of (`aim`).
        revisions: those whose templates are kept, by hash.
    """

    body: Json
    wanted: Desired
    listing: int
    told: Status
    desired: Desired = field(init=False)
    revisions: Mapping[str, Revision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desired = self.wanted

    def aim(self, desired: Desired, revisions: Mapping[str, Revision]) -> None:
        """Note of which revision its pods shall be, and which are kept."""
        self.desired, self.revisions = desired, revisions

    @property
    def key(self) -> Key:
        """Give namespace and name."""
        return self.body["metadata"]["namespace"], self.body["metadata"]["name"]

    @property
    def uid(self) -> str:
        """Give the UID; a group that is deleted and made anew has another."""
        return str(self.body["metadata"]["uid"])

    @property
    def owner(self) -> tuple[str, str]:
        """Give namespace and UID: as what it owns pods."""
        return self.key[0], self.uid

    @property
    def version(self) -> int:
        """Give its resourceVersion."""
        return version_of(self.body)

    def compare(self, body: Json) -> None:
        """Compare with what was answered to a later question.

        Raises:
            Restored: the answer is older.
        """
        if body["metadata"]["uid"] == self.uid:
            not_older("PodGroup {}/{}".format(*self.key), self.version, version_of(body))

    @property
    def status(self) -> Json:
        """Give its status as it is; {} where it has none."""
        return Fields(self.body).map("status").value

    @property
    def template(self) -> Json:
        """Give the pod template as the user wrote it."""
        template: Json = self.body["spec"]["template"]
        return template

    def template_of(self, revision: str) -> Json:
        """Give the template that a revision's pods are made from."""
        kept = self.revisions.get(revision)
        return template_of(kept) if kept and kept.meaning != self.wanted.meaning else self.template


def everywhere(_: str) -> bool:
    """Leave no namespace out."""
    return True


class GroupStore:
    """PodGroups by namespace and name.

    Args:
        pod_annotations: what the pods of each of them get.

    Attributes:
        listing: the number of kopf's last listing.
    """

    def __init__(self, pod_annotations: Mapping[str, str] = MappingProxyType({})) -> None:
        self._pod_annotations = pod_annotations
        self._groups: dict[Key, Group] = {}
        self._keys: dict[str, Key] = {}
        self._selecting: dict[str, Selecting] = defaultdict(Selecting)  # the names of groups, by namespace
        self.listing = 0

    def __len__(self) -> int:
        """Count the groups."""
        return len(self._groups)

    def get(self, key: Key) -> Group | None:
        """Give the group of this name, if there is one."""
        return self._groups.get(key)

    def newest(self, group: Group) -> Group:
        """Give the group as it is known now; as it was if it is gone."""
        known = self._groups.get(group.key)
        return known if known and known.uid == group.uid else group

    def doubtful(self, group: Group) -> bool:
        """Tell whether the group may have vanished in a gap of kopf's watch."""
        return group.listing < self.listing

    def doubt(self, group: Group) -> None:
        """Have a group read afresh before the next look at it."""
        group.listing = NEVER

    def listed(self, within: Callable[[str], bool] = everywhere) -> Iterable[Key]:
        """Note that kopf has listed all PodGroups of some namespaces anew; give those known, which are doubtful now."""
        self.listing += 1
        for group in self._groups.values():
            if not within(group.key[0]) and group.listing == self.listing - 1:
                group.listing = self.listing  # of this one nothing else is known than before
        return tuple(key for key in self._groups if within(key[0]))

    def see(self, body: Json, listing: int | None = None) -> Group:
        """Take a group's state, unless a newer one of this name is known; give the newest.

        Args:
            body: the object.
            listing: kopf's last listing when this was asked for, for an answer may be older than a listing that came
                before it; by default it was not asked for, kopf tells of it now.

        Raises:
            ValueError: nobody can tell which PodGroup it is.
        """
        desired = replace(desired_of(body), pod_annotations=self._pod_annotations)
        body["metadata"].pop("managedFields", None)
        fresh = Group(body, desired, self.listing if listing is None else listing, read_status(body))
        known = self._groups.get(fresh.key)
        if known and known.uid == fresh.uid and known.version <= fresh.version:
            known.listing = fresh.listing = max(known.listing, fresh.listing)
        if known and known.version >= fresh.version:
            return known
        if known:
            self._keys.pop(known.uid, None)
        self._groups[fresh.key] = fresh
        self._keys[fresh.uid] = fresh.key
        namespace, name = fresh.key
        self._selecting[namespace].add(name, fresh.desired.selector)
        return fresh

    def answered(self, group: Group, body: Json, listing: int) -> None:
        """Take what the API server has answered about a group, unless we have heard meanwhile that it is gone.

        Raises:
            Restored: it is older than the group was when it was asked for.
        """
        group.compare(body)
        if self.named(group.uid):
            self.see(body, listing)

    def named(self, uid: str) -> Group | None:
        """Give the group that has this UID."""
        key = self._keys.get(uid)
        return self._groups.get(key) if key else None

    def forget(self, group: Group) -> None:
        """Drop a group that is gone, but not another one of the same name."""
        self._keys.pop(group.uid, None)
        known = self._groups.get(group.key)
        if known and known.uid == group.uid:
            del self._groups[group.key]
            namespace, name = group.key
            self._selecting[namespace].remove(name)
            if not self._selecting[namespace]:
                del self._selecting[namespace]

    def concerned(self, pod: Pod) -> Iterable[Key]:
        """Find whom a pod concerns: its controller, or, of an orphan, every group that would take it."""
        if pod.controller:
            key = self._keys.get(pod.controller)
            return (key,) if key and key[0] == pod.namespace else ()
        selecting = self._selecting.get(pod.namespace)
        keys = [(pod.namespace, name) for name in selecting.candidates(pod.labels)] if selecting else []
        return [key for key in keys if self._groups[key].desired.selector.matches(pod.labels)]


def desired_of(body: Json) -> Desired:
    """Read what a PodGroup asks for; should that raise, it is one that cannot be read, and touches no other.

    Raises:
        ValueError: nobody can tell which PodGroup it is.
    """
    try:
        return read_desired(body)
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever stands in it
        oddities.note(names.KIND, full_name(Fields(body).map("metadata")), error=error)
        shell = {"metadata": body["metadata"], "spec": {"replicas": 0, "template": {}}}
        return replace(read_desired(shell), selector=Selector(), unreadable="spec")

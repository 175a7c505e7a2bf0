"""The cache of pods: slim records of ours and of orphans, by owner.

An owner is in its pods' namespace: a reference to a PodGroup of another one, which anybody could write who may create
pods somewhere, means nothing.

Besides the pods themselves it keeps, per owner, what the stream alone can tell: which pods were lost and when
exactly (to the microsecond, where the API's own times have whole seconds), and the highest epoch seen in each
slot. Both are lost in a restart and can be: a loss is then found by counting, an epoch by looking at names.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from podgroup_operator.api.restored import not_older
from podgroup_operator.core.backoff import failed_early
from podgroup_operator.core.classify import cause_of_loss
from podgroup_operator.core.model import Loss, Pod

Wake = Callable[[Pod], bool]
Owner = tuple[str, str]  # namespace and UID


@dataclass(slots=True)
class Family:
    """The pods of one owner, and what is remembered of those that are gone.

    Attributes:
        pods: by UID.
        epochs: the highest epoch seen, by slot.
        losses: the pods lost and not yet replaced, by slot.
        condemned: UIDs of pods that we delete ourselves; their end is not a loss.
        unanswered: of these, the ones of whose deletion we do not know whether it happened, by UID.
    """

    pods: dict[str, Pod] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    losses: dict[int, Loss] = field(default_factory=dict)
    condemned: set[str] = field(default_factory=set)
    unanswered: dict[str, Pod] = field(default_factory=dict)

    def made_good(self, loss: Loss) -> None:
        """Drop a loss that has its replacement, but not a newer one of the same slot: that may be the replacement."""
        known = self.losses.get(loss.slot)
        if known and known.pod == loss.pod:
            del self.losses[loss.slot]

    def made_good_by(self, pod: Pod) -> None:
        """Drop the loss that a new pod replaces: its create may not have been answered."""
        for slot in [slot for slot, loss in self.losses.items() if loss.pod and loss.pod == pod.replaces]:
            del self.losses[slot]


class PodStore:
    """Pods by owner, orphans by namespace.

    Args:
        wake: told of each pod that came, changed or went, as it was and as it is, to wake whom it concerns; says
            whether that is anybody, for of an owner whom nobody knows nothing is remembered when its last pod goes.
        clock: gives the time in seconds since the epoch.
    """

    def __init__(self, wake: Wake, clock: Callable[[], float]) -> None:
        self._wake = wake
        self._clock = clock
        self._pods: dict[str, Pod] = {}
        self._orphans: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._families: dict[Owner, Family] = defaultdict(Family)
        self._versions: dict[str, int] = {}

    def __len__(self) -> int:
        """Count the pods that are kept."""
        return len(self._pods)

    def family(self, owner: Owner) -> Family:
        """Give the pods of an owner."""
        return self._families[owner]

    def orphans(self, namespace: str) -> Iterable[Pod]:
        """Give the pods of a namespace that nobody controls."""
        return self._orphans.get(namespace, {}).values()

    def version(self, namespace: str) -> int:
        """Tell up to which resourceVersion this namespace's pods are known."""
        return self._versions.get("", self._versions.get(namespace, 0))

    def forget(self, owner: Owner) -> None:
        """Drop what is remembered of an owner that is gone, at once or when its last pod goes."""
        family = self._families.get(owner)
        if family and not family.pods:
            del self._families[owner]

    def absolve(self) -> None:
        """Forget which pods we meant to delete."""
        for family in self._families.values():
            family.condemned.clear()
            family.unanswered.clear()

    def replace(self, scope: str, records: list[Pod], version: int) -> None:
        """Take a full list of one namespace, or of all (`scope` ""); what is not in it is gone.

        Raises:
            Restored: it is newer than all that is known, and has an older state of a pod.
        """
        listed = {pod.uid for pod in records}
        for pod in records:
            if pod.uid in self._pods:
                not_older(f"Pod {pod.namespace}/{pod.name}", self._pods[pod.uid].version, pod.version)
            self.upsert(pod)
        for pod in [pod for pod in self._pods.values() if pod.uid not in listed]:
            if not scope or pod.namespace == scope:
                self.remove(pod.uid)
        self._versions[scope] = version

    def upsert(self, record: Pod) -> None:
        """Take a new or changed pod, unless a newer state of it is known."""
        before = self._pods.get(record.uid)
        if before and before.version >= record.version:
            return
        if before and record.ready_since is not None:
            seen = before.ready_seen if before.ready_since is not None else self._clock()
            record = replace(record, ready_seen=seen)
        if record.finished is not None:  # by the clock of its node, which may be ahead of ours
            seen = self._clock() if before is None or before.finished is None else before.finished
            record = replace(record, finished=min(record.finished, seen))
        self._pods[record.uid] = record
        if before and before.controller != record.controller:
            self._leave(before)
        self._join(record)
        if before:
            self._tell_of(before, record if record.controller == before.controller else None)
        self._wake(record)

    def remove(self, uid: str) -> None:
        """Forget a pod that is gone, or that another controller has taken."""
        before = self._pods.pop(uid, None)
        if before:
            self._leave(before)
            self._tell_of(before, None)

    def reached(self, scope: str, version: int) -> None:
        """Note that everything up to this resourceVersion has been delivered."""
        self._versions[scope] = max(version, self._versions.get(scope, 0))

    def _join(self, pod: Pod) -> None:
        if not pod.controller:
            self._orphans[pod.namespace][pod.uid] = pod
            return
        family = self._families[owner_of(pod)]
        if pod.uid not in family.pods:
            family.made_good_by(pod)
        family.pods[pod.uid] = pod
        if pod.slot is not None:
            family.epochs[pod.slot] = max(pod.epoch, family.epochs.get(pod.slot, 0))

    def _leave(self, pod: Pod) -> None:
        if pod.controller:
            self._families[owner_of(pod)].pods.pop(pod.uid, None)
        else:
            orphans = self._orphans[pod.namespace]
            orphans.pop(pod.uid, None)
            if not orphans:
                del self._orphans[pod.namespace]

    def _tell_of(self, before: Pod, after: Pod | None) -> None:
        self._note_loss(before, after)
        if not self._wake(before):
            self.forget(owner_of(before))

    def _note_loss(self, before: Pod, after: Pod | None) -> None:
        if not before.controller:
            return
        family = self._families[owner_of(before)]
        cause, early = cause_of_loss(before, after), after is not None and failed_early(after)
        if cause and before.slot is not None and before.uid not in family.condemned:
            family.losses[before.slot] = Loss(before.slot, before.name, cause, self._clock(), early)
        if after is None:
            family.condemned.discard(before.uid)


def owner_of(pod: Pod) -> Owner:
    """Give whose a pod is."""
    return pod.namespace, pod.controller

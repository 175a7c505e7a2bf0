"""The cache of pods: slim records of ours and of orphans, by owner.

What the stream alone can tell is noted as it passes, in the memory of the group (`memory.py`): which pods were lost
and when exactly (to the microsecond, where the API's own times have whole seconds), and the highest epoch seen in each
slot.

Times come from the clocks of nodes and API servers, and ours may be set back. None is kept that lies in the future:
what is counted from it would not pass for as long as the clocks differ.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from typing import Any

from podgroup_operator.api.restored import not_older
from podgroup_operator.core.backoff import failed_early
from podgroup_operator.core.classify import is_active
from podgroup_operator.core.marks import kept, marks_of, missing
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.selector import Selector
from podgroup_operator.core.times import finish_of
from podgroup_operator.observe.labels import Labelled
from podgroup_operator.observe.losses import not_later, note_loss, shifted
from podgroup_operator.observe.memory import Memories, Owner
from podgroup_operator.observe.moments import bounded, not_after, once, readiness, sightings
from podgroup_operator.observe.signs import dated, moved

STEP = 1.0
"""Seconds; a clock that goes back by more was set."""

Wake = Callable[[Pod, bool], bool]
"""Told of a pod that came, changed or went, and whether that is urgent; says whether it concerns anybody."""


Foreseen = Callable[[Iterable[Pod]], bool]
"""Told of pods that are about to be lost; says whether that has set anything going."""


class PodStore:
    """Pods by owner, orphans by namespace.

    Args:
        wake: told of each pod that came, changed or went, as it was and as it is, to wake whom it concerns; of an owner
            whom nobody knows nothing is remembered when its last pod goes.
        clock: gives the time in seconds since the epoch.
        memories: where what is seen of each group is kept.
        monotonic: gives seconds by a clock that nobody sets; else `clock` is taken for one.

    Attributes:
        foreseen: told which pods are about to be lost, before that is noted.
        clock_set: told by how many seconds the clock was set, before anything is noted by it.
    """

    def __init__(
        self,
        wake: Wake,
        clock: Callable[[], float],
        memories: Memories | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._wake = wake
        self._clock = clock
        self._monotonic = monotonic or clock
        self._last, self._last_monotonic = clock(), self._monotonic()
        self.foreseen: Foreseen = lambda _: False
        self.clock_set: Callable[[float], None] = lambda _: None
        self.memories = memories or Memories()
        self._pods: dict[str, Pod] = {}
        self._orphans: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._labelled: dict[str, Labelled] = defaultdict(Labelled)  # the UIDs of orphans, by namespace
        self._names: dict[tuple[str, str], str] = {}
        self._versions: dict[str, int] = {}

    def __len__(self) -> int:
        """Count the pods that are kept."""
        return len(self._pods)

    def orphans(self, namespace: str) -> Iterable[Pod]:
        """Give the pods of a namespace that nobody controls."""
        return self._orphans.get(namespace, {}).values()

    def adoptable(self, namespace: str, selector: Selector) -> list[Pod]:
        """Give the pods of a namespace that nobody controls and that a selector matches; others cost nothing."""
        orphans = self._orphans.get(namespace)
        if not orphans:
            return []
        found = self._labelled[namespace].candidates(selector)
        pods = orphans.values() if found is None else (orphans[uid] for uid in found)
        return [pod for pod in pods if selector.matches(pod.labels)]

    def taken(self, namespace: str, met: Container[str]) -> "Taken":
        """Give the names that pods of a namespace are known to have, and those that were met."""
        return Taken(self._names, namespace, met)

    def version(self, namespace: str) -> int:
        """Tell up to which resourceVersion this namespace's pods are known."""
        return self._versions.get("", self._versions.get(namespace, 0))

    def now(self) -> float:
        """Give the time; should the clock have been set back, let what was noted by it not lie in the future."""
        now, monotonic = self._clock(), self._monotonic()
        jump = now - self._last - (monotonic - self._last_monotonic)
        if abs(jump) > STEP:
            self._set(jump)
        if now < self._last - STEP:
            self._set_back(now)
        self._last, self._last_monotonic = now, monotonic
        return now

    def _set(self, seconds: float) -> None:
        """Note that the clock was set: nothing ails for longer by that, and no tenure has begun earlier."""
        self.clock_set(seconds)
        for _, memory in self.memories:
            if memory.began:
                memory.began += seconds
            seen = memory.seen
            seen.losses = {slot: shifted(loss, seconds) for slot, loss in seen.losses.items()}
        for known in self._pods.values():
            if known.signs:
                self._rewrite(moved(known, seconds))

    def replace(self, scope: str, records: list[Pod], version: int) -> None:
        """Take a full list of one namespace, or of all (`scope` ""); what is not in it is gone.

        Raises:
            Restored: it is newer than all that is known, and has an older state of a pod.
        """
        listed = {pod.uid for pod in records}
        for pod in records:
            if pod.uid in self._pods:
                not_older(f"Pod {pod.namespace}/{pod.name}", self._pods[pod.uid].version, pod.version)
            self._take(pod)
        for pod in [pod for pod in self._pods.values() if pod.uid not in listed]:
            if not scope or pod.namespace == scope:
                self.remove(pod.uid)
        self._versions[scope] = version

    def foresee(self, uids: Iterable[str]) -> bool:
        """Tell of controlled pods that were active and are about to be told of as deleted, or as being so."""
        pods = [pod for uid in uids if (pod := self._pods.get(uid)) and pod.controller and is_active(pod)]
        return bool(pods) and self.foreseen(pods)

    def upsert(self, record: Pod, *, born: bool = False) -> None:
        """Take a pod that changes, or comes into being, just now, unless a newer state of it is known."""
        self._take(record, live=True, born=born)

    def _take(self, record: Pod, *, live: bool = False, born: bool = False) -> None:
        before = self._pods.get(record.uid)
        if before and before.version >= record.version:
            return
        record = self._timed(self._marked(record, before), before, live=live, born=born)
        changed = before is None or replace(record, version=before.version) != before
        self._pods[record.uid] = record
        self._names[record.namespace, record.name] = record.uid
        relabelled = before and not before.controller and before.labels != record.labels
        if before and (before.controller != record.controller or relabelled):
            self._leave(before)
        self._join(record)
        urgent = False
        if before:
            same = record.controller == before.controller
            urgent = self._tell_of(before, record if same else None) or not same
        if changed:
            self._wake(record, urgent or not record.controller)

    def remove(self, uid: str) -> None:
        """Forget a pod that is gone, or that another controller has taken."""
        before = self._pods.pop(uid, None)
        if before:
            if self._names.get((before.namespace, before.name)) == uid:
                del self._names[before.namespace, before.name]
            self._leave(before)
            self._tell_of(before, None, gone=True)

    def reached(self, scope: str, version: int) -> None:
        """Note that everything up to this resourceVersion has been delivered."""
        self._versions[scope] = max(version, self._versions.get(scope, 0))

    def _timed(self, record: Pod, before: Pod | None, *, live: bool, born: bool) -> Pod:
        """Let no time of a pod lie in the future, and note when what happens to it just now was seen."""
        now = self.now()
        changes = bounded(record, before, now) | sightings(record, before, now if live else None, born=born)
        if before:
            changes = once(record, before) | changes | readiness(record, before, now)
        if record.signs or (before and (before.signs or before.ready_since is not None)):
            changes["signs"] = dated(record, before, now)
        return replace(record, **changes) if changes else record

    def _marked(self, record: Pod, before: Pod | None) -> Pod:
        """Let a pod keep what others may take off it: the marks that it had, or that we made it with."""
        lost: dict[str, Any] = {}
        if before and before.controller == record.controller:
            lost = kept(record, before)
        elif before is None and record.controller:
            sent = self.memories.of(owner_of(record)).sent_as(record)
            lost = missing(record, marks_of(sent)) if sent else {}
        return replace(record, **lost) if lost else record

    def _rewrite(self, pod: Pod) -> None:
        """Keep other moments of a pod that is known; whose it is stays."""
        self._pods[pod.uid] = pod
        if pod.controller:
            self.memories.of(owner_of(pod)).seen.pods[pod.uid] = pod
        else:
            self._orphans[pod.namespace][pod.uid] = pod

    def _set_back(self, now: float) -> None:
        for known in self._pods.values():
            self._rewrite(not_after(known, now))
        for _, memory in self.memories:
            seen = memory.seen
            seen.losses = {slot: not_later(loss, now) for slot, loss in seen.losses.items()}
            seen.corpse = not_after(seen.corpse, now) if seen.corpse else None

    def _join(self, pod: Pod) -> None:
        if not pod.controller:
            self._orphans[pod.namespace][pod.uid] = pod
            self._labelled[pod.namespace].add(pod.uid, pod.labels)
            return
        memory = self.memories.of(owner_of(pod))
        seen = memory.seen
        if pod.uid not in seen.pods:
            memory.born(pod)
        seen.pods[pod.uid] = pod
        if pod.slot is not None:
            seen.epochs[pod.slot] = max(pod.epoch, seen.epochs.get(pod.slot, 0))
        if failed_early(pod):
            seen.corpse = later(seen.corpse, pod)

    def _leave(self, pod: Pod) -> None:
        if pod.controller:
            self.memories.of(owner_of(pod)).seen.pods.pop(pod.uid, None)
        else:
            orphans = self._orphans[pod.namespace]
            orphans.pop(pod.uid, None)
            self._labelled[pod.namespace].remove(pod.uid, pod.labels)
            if not orphans:
                del self._orphans[pod.namespace]
                del self._labelled[pod.namespace]

    def _tell_of(self, before: Pod, after: Pod | None, *, gone: bool = False) -> bool:
        """Note what became of a pod; tell whether its group should look at once."""
        urgent = gone
        if before.controller:
            memory = self.memories.of(owner_of(before))
            # One that is gone may have made room for one that is missing; else its end was heard of when it began.
            urgent = note_loss(memory, before, after, self.now()) or (gone and memory.missing)
            memory.seen.departed += gone
        if (after is None or urgent) and not self._wake(before, urgent) and before.controller:
            self.memories.end(owner_of(before))
        return urgent


class Taken:
    """The names that are taken in one namespace: by pods that are known, and by those that were met."""

    def __init__(self, names: dict[tuple[str, str], str], namespace: str, met: Container[str]) -> None:
        self._names = names
        self._namespace = namespace
        self._met = met

    def __contains__(self, name: object) -> bool:
        """Tell whether a name is taken."""
        return name in self._met or (self._namespace, name) in self._names


def later(known: Pod | None, pod: Pod) -> Pod:
    """Give the corpse that came last, of the newest revision, and of those the one that knows of the most failures."""
    if known is None or (known.revision != pod.revision and known.created <= pod.created):
        return pod
    order = (finish_of(pod), pod.failures) >= (finish_of(known), known.failures)
    return pod if known.revision == pod.revision and order else known


def owner_of(pod: Pod) -> Owner:
    """Give whose a pod is."""
    return pod.namespace, pod.controller

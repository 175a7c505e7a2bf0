"""The view: everything that decisions need to know of a group at one moment, made in one pass over its pods.

Plan and status read it, and nobody counts again. Which pods are ours is decided by UID and selector, never by name, as
ReplicaSet does it (PodControllerRefManager, k8s.io/kubernetes pkg/controller/controller_ref_manager.go):

- ours and matching: a member;
- ours, but its labels no longer match: released;
- another controller's: none of our business;
- nobody's, matching, and not on its way out: adopted.

Only active pods are adopted or released: a finished or dying pod is left as it is. A group that is being deleted adopts
and releases nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from podgroup_operator.core.backoff import streak_of
from podgroup_operator.core.classify import LAST_ACTIVE, Bucket, classify, is_active, is_finished
from podgroup_operator.core.model import Desired, Lane, Observed, Pod, Streak


class Member(NamedTuple):
    """A pod of the group, and where it stands."""

    pod: Pod
    bucket: Bucket


@dataclass(frozen=True, slots=True)
class Tally:
    """How many members there are, by what can be said of them.

    Attributes:
        replicas: those that count: active ones.
        leaving: those being deleted whose containers have not all ended.
    """

    replicas: int = 0
    ready: int = 0
    available: int = 0
    updated: int = 0
    fully_labeled: int = 0
    terminating: int = 0
    leaving: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A group at one moment.

    Attributes:
        desired: what it asks for.
        observed: what else is known of it.
        now: seconds since the epoch.
        members: its pods.
        active: those of them that count.
        finished: those of them that have come to an end and are not being deleted.
        adoptable: orphans that it takes in.
        released: pods that it lets go.
        captive: how many pods it would let go, but may not: they still are where their replacements would sit.
        seats: the active member that has each slot.
        streak: members of the present template that have failed early in a row.
        tally: how many there are of what.
        next_available: when the next Ready pod will have been so for `minReadySeconds`.
    """

    desired: Desired
    observed: Observed
    now: float
    members: tuple[Member, ...]
    active: tuple[Pod, ...]
    finished: tuple[Pod, ...]
    adoptable: tuple[Pod, ...]
    released: tuple[Pod, ...]
    captive: int
    seats: Mapping[int, Pod]
    streak: Streak
    tally: Tally
    next_available: float | None


def view_of(desired: Desired, observed: Observed, now: float) -> View:
    """Look at a group once.

    Args:
        desired: what the PodGroup asks for.
        observed: what is known of it.
        now: seconds since the epoch.
    """
    found = Pass(desired, now)
    uid, stuck, deleting = desired.uid, observed.stuck, desired.deleting
    claims = observed.held.get(Lane.CLAIM)
    waits = claims is not None and claims.wait > 0
    matches, member = desired.selector.matches, found.member
    adoptable, released, captive = list[Pod](), list[Pod](), 0
    for pod in observed.pods:
        ours = pod.controller == uid
        if ours and matches(pod.labels):
            member(pod)
        elif deleting or (pod.controller and not ours) or not is_active(pod):
            continue
        elif ours and (waits or pod.uid in stuck):
            captive += 1
        elif ours:
            released.append(pod)
        elif not waits and pod.uid not in stuck and matches(pod.labels):
            adoptable.append(pod)
    tally, finished = found.tally(), tuple(found.finished)
    return View(
        desired=desired,
        observed=observed,
        now=now,
        members=tuple(found.members),
        active=tuple(found.active),
        finished=finished,
        adoptable=tuple(adoptable),
        released=tuple(sorted(released, key=attrgetter("uid"))),  # no decision depends on a cache's order
        captive=captive,
        seats=found.seats,
        streak=streak_of(desired, finished, observed.corpse, now, stands=tally.ready > 0),
        tally=tally,
        next_available=found.next_available,
    )


class Pass:
    """What is noted of the members as they go by, each looked at once: a group may have ten thousand."""

    def __init__(self, desired: Desired, now: float) -> None:
        self._desired = desired
        self._now = now
        self._wanted = desired.template_labels.items()
        self._counts = [0] * len(Bucket)
        self._updated = self._labeled = self._leaving = 0
        self.members: list[Member] = []
        self.active: list[Pod] = []
        self.finished: list[Pod] = []
        self.seats: dict[int, Pod] = {}
        self.next_available: float | None = None

    def member(self, pod: Pod) -> None:
        """Note a member."""
        desired = self._desired
        bucket = classify(pod, desired.min_ready_seconds, self._now)
        self.members.append(Member(pod, bucket))
        self._counts[bucket] += 1
        if bucket <= LAST_ACTIVE:
            self.active.append(pod)
            self._updated += pod.revision == desired.revision
            self._labeled += self._wanted <= pod.labels.items()
            if pod.slot is not None:
                self._seat(pod.slot, pod)
            if bucket is Bucket.READY and pod.ready_since is not None:
                due = pod.ready_since + desired.min_ready_seconds
                self.next_available = due if self.next_available is None else min(due, self.next_available)
        elif bucket is Bucket.TERMINATING:
            self._leaving += not is_finished(pod)
        else:
            self.finished.append(pod)

    def _seat(self, slot: int, pod: Pod) -> None:
        """Seat a pod; of two on one slot the older keeps it."""
        there = self.seats.setdefault(slot, pod)
        if there is not pod and (pod.created, pod.uid) < (there.created, there.uid):
            self.seats[slot] = pod

    def tally(self) -> Tally:
        """Sum up."""
        starting, ready, available, terminating, failed, _ = self._counts
        return Tally(
            replicas=starting + ready + available,
            ready=ready + available,
            available=available,
            updated=self._updated,
            fully_labeled=self._labeled,
            terminating=terminating,
            leaving=self._leaving,
            failed=failed,
        )

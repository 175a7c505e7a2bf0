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
from typing import NamedTuple

from podgroup_operator.core.backoff import streak_of
from podgroup_operator.core.classify import ACTIVE, Bucket, classify
from podgroup_operator.core.model import Desired, Observed, Phase, Pod, Streak


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
    members, adoptable, released, captive = claim(desired, observed, now)
    active = tuple(pod for pod, bucket in members if bucket in ACTIVE)
    finished = tuple(pod for pod, bucket in members if bucket is Bucket.FAILED or bucket is Bucket.SUCCEEDED)
    tally = count(desired, members)
    return View(
        desired=desired,
        observed=observed,
        now=now,
        members=members,
        active=active,
        finished=finished,
        adoptable=adoptable,
        released=released,
        captive=captive,
        seats=seats_of(active),
        streak=streak_of(desired, finished, observed.corpse, now, stands=tally.ready > 0),
        tally=tally,
        next_available=next_available(members, desired.min_ready_seconds),
    )


def claim(
    desired: Desired, observed: Observed, now: float
) -> tuple[tuple[Member, ...], tuple[Pod, ...], tuple[Pod, ...], int]:
    """Split the pods into members, adoptable and released ones; every other pod is ignored."""
    members, adoptable, released, captive = list[Member](), list[Pod](), list[Pod](), 0
    uid, least, stuck, deleting = desired.uid, desired.min_ready_seconds, observed.stuck, desired.deleting
    matches = desired.selector.matches
    for pod in observed.pods:
        ours = pod.controller == uid
        if ours and matches(pod.labels):
            members.append(Member(pod, classify(pod, least, now)))
        elif deleting or (pod.controller and not ours) or classify(pod, 0, now) not in ACTIVE:
            continue
        elif ours and pod.uid in stuck:
            captive += 1
        elif ours:
            released.append(pod)
        elif pod.uid not in stuck and matches(pod.labels):
            adoptable.append(pod)
    return tuple(members), tuple(adoptable), tuple(released), captive


def seats_of(pods: tuple[Pod, ...]) -> dict[int, Pod]:
    """Seat each pod that has a slot to itself; of two on one slot the older keeps it."""
    seated: dict[int, Pod] = {}
    for pod in pods:
        if pod.slot is not None:
            there = seated.setdefault(pod.slot, pod)
            if there is not pod and (pod.created, pod.uid) < (there.created, there.uid):
                seated[pod.slot] = pod
    return seated


def count(desired: Desired, members: tuple[Member, ...]) -> Tally:
    """Count the members."""
    buckets = dict.fromkeys(Bucket, 0)
    updated = labeled = leaving = 0
    revision, wanted = desired.revision, desired.template_labels.items()
    for pod, bucket in members:
        buckets[bucket] += 1
        if bucket in ACTIVE:
            updated += pod.revision == revision
            labeled += wanted <= pod.labels.items()
        elif bucket is Bucket.TERMINATING:
            leaving += pod.phase is not Phase.FAILED and pod.phase is not Phase.SUCCEEDED
    ready = buckets[Bucket.READY] + buckets[Bucket.AVAILABLE]
    return Tally(
        replicas=ready + buckets[Bucket.STARTING],
        ready=ready,
        available=buckets[Bucket.AVAILABLE],
        updated=updated,
        fully_labeled=labeled,
        terminating=buckets[Bucket.TERMINATING],
        leaving=leaving,
        failed=buckets[Bucket.FAILED],
    )


def next_available(members: tuple[Member, ...], min_ready_seconds: int) -> float | None:
    """Find the earliest time at which a Ready pod becomes available; None if none is waiting."""
    waiting = (pod.ready_since for pod, bucket in members if bucket is Bucket.READY)
    return min((since + min_ready_seconds for since in waiting if since is not None), default=None)

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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from podgroup_operator.core.backoff import CALM, streaks_of
from podgroup_operator.core.classify import is_active, is_finished
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Streak
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane

FAILED, SUCCEEDED = Phase.FAILED, Phase.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Tally:
    """How many members there are, by what can be said of them.

    Attributes:
        replicas: those that count: active ones.
        updated: those of the revision that the pods shall have.
        updated_available: those of them that are available.
        leaving: those being deleted whose containers have not all ended.
        apart: those of the first that stand for no replica (`apart.py`); known when a plan is done.
    """

    replicas: int = 0
    ready: int = 0
    available: int = 0
    updated: int = 0
    updated_available: int = 0
    fully_labeled: int = 0
    terminating: int = 0
    leaving: int = 0
    failed: int = 0
    apart: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A group at one moment.

    Attributes:
        desired: what it asks for.
        observed: what else is known of it.
        now: seconds since the epoch.
        active: its pods that count.
        finished: those that have come to an end and are not being deleted.
        terminating: those that are being deleted.
        adoptable: orphans that it takes in.
        released: pods that it lets go.
        captive: how many pods it may not let go, or will take in in a moment: they are where others would sit.
        barred: how many orphans it would take in, but may not.
        seats: the active member that has each slot.
        streaks: members of one template that have failed early in a row, by its revision.
        tally: how many there are of what.
        next_available: when the next Ready pod will have been so for `minReadySeconds`.
    """

    desired: Desired
    observed: Observed
    now: float
    active: tuple[Pod, ...]
    finished: tuple[Pod, ...]
    terminating: tuple[Pod, ...]
    adoptable: tuple[Pod, ...]
    released: tuple[Pod, ...]
    captive: int
    barred: int
    seats: Mapping[int, Pod]
    streaks: Mapping[str, Streak]
    tally: Tally
    next_available: float | None

    @property
    def streak(self) -> Streak:
        """Give the streak of the template that the pods shall have."""
        return self.streaks.get(self.desired.revision, CALM)

    @property
    def members(self) -> tuple[Pod, ...]:
        """Give all its pods."""
        return self.active + self.finished + self.terminating


def view_of(desired: Desired, observed: Observed, now: float) -> View:
    """Look at a group once.

    Args:
        desired: what the PodGroup asks for.
        observed: what is known of it.
        now: seconds since the epoch.
    """
    active, finished, terminating, others = list[Pod](), list[Pod](), list[Pod](), list[Pod]()
    uid, matches = desired.uid, desired.selector.matches
    for pod in observed.pods:  # there may be ten thousand: no call in this loop that is not needed
        if pod.controller != uid or not matches(pod.labels):
            others.append(pod)
        elif pod.deleted is not None:
            terminating.append(pod)
        elif pod.phase is FAILED or pod.phase is SUCCEEDED:
            finished.append(pod)
        else:
            active.append(pod)
    adoptable, released, captive, barred = claim(desired, observed, others)
    standing = Standing(desired, active, now)
    failed = sum(pod.phase is FAILED for pod in finished)
    leaving = sum(not is_finished(pod) for pod in terminating)
    return View(
        desired=desired,
        observed=observed,
        now=now,
        active=tuple(active),
        finished=tuple(finished),
        terminating=tuple(terminating),
        adoptable=adoptable,
        released=released,
        captive=captive,
        barred=barred,
        seats=standing.seats,
        streaks=streaks_of(desired, finished, observed.corpse, now, stands=standing.ready > 0),
        tally=standing.tally(len(active), len(terminating), leaving, failed),
        next_available=standing.next_available,
    )


def claim(
    desired: Desired, observed: Observed, others: Iterable[Pod]
) -> tuple[tuple[Pod, ...], tuple[Pod, ...], int, int]:
    """Find which of the pods that are no members are taken in, and which are let go; every other one is ignored."""
    adoptable, released, captive, barred = list[Pod](), list[Pod](), 0, 0
    uid, stuck, waits = desired.uid, observed.stuck, observed.waits(Lane.CLAIM)
    for pod in others if not desired.deleting else ():
        ours, may = pod.controller == uid, not waits and pod.uid not in stuck
        if not is_active(pod) or (pod.controller and not ours):
            continue
        if ours and may:
            released.append(pod)
        elif ours:
            captive += 1
        elif desired.selector.matches(pod.labels):
            if may:
                adoptable.append(pod)
            elif pod.uid in observed.changed:
                captive += 1
            else:
                barred += 1
    by_uid = attrgetter("uid")  # no decision depends on the order of a cache
    return tuple(sorted(adoptable, key=by_uid)), tuple(sorted(released, key=by_uid)), captive, barred


class Standing:
    """How the active members stand.

    Attributes:
        ready: how many are Ready.
        seats: who sits where; of two on one slot the older keeps it.
        next_available: when the next Ready pod will have been so for `minReadySeconds`.
    """

    def __init__(self, desired: Desired, active: Iterable[Pod], now: float) -> None:
        ready, updated, good, labeled, waiting = 0, 0, 0, 0, list[float]()
        seats = self.seats = dict[int, Pod]()
        revision, least = desired.revision, desired.min_ready_seconds
        wanted = tuple(desired.template_labels.items() - set(desired.selector.labels))  # which members have anyway
        for pod in active:  # there may be ten thousand: no call in this loop that is not needed
            since, slot, labels = pod.ready_since, pod.slot, pod.labels
            if since is not None:
                ready += 1
                if least and now < since + least:
                    waiting.append(since + least)
                    since = None  # it is not available yet
            if pod.revision == revision:
                updated += 1
                good += since is not None
            for key, value in wanted:
                if labels.get(key) != value:
                    break
            else:
                labeled += 1
            if slot is not None and seats.setdefault(slot, pod) is not pod:
                self._contend(slot, pod)
        self.ready, self._updated, self._labeled, self._waiting = ready, updated, labeled, waiting
        self._updated_available = good
        self.next_available = min(waiting, default=None)

    def _contend(self, slot: int, pod: Pod) -> None:
        there = self.seats[slot]
        if (pod.created, pod.uid) < (there.created, there.uid):
            self.seats[slot] = pod

    def tally(self, replicas: int, terminating: int, leaving: int, failed: int) -> Tally:
        """Sum up."""
        return Tally(
            replicas=replicas,
            ready=self.ready,
            available=self.ready - len(self._waiting),
            updated=self._updated,
            updated_available=self._updated_available,
            fully_labeled=self._labeled,
            terminating=terminating,
            leaving=leaving,
            failed=failed,
        )

"""Victims: which pods go first when there are too many.

The order is ReplicaSet's, verbatim (ActivePodsWithRanks.Less, k8s.io/kubernetes
pkg/controller/controller_utils.go @v1.37.2): a row of comparisons, the first that tells two pods apart decides. Ages
are compared in powers of two of a nanosecond (KEP-2185), so that pods of about the same age are chosen among by UID,
which is as good as random.

1. unassigned before assigned; 2. Pending, Unknown, Running; 3. not ready before ready; 4. cheap before dear; 5. doubled
up on a node before alone; 6. ready for less time first; 7. more restarts first; 8. newer before older.

Comparisons 1 to 5 are a key, which sorts fast; only among pods that it does not tell apart are pairs compared.
"""

import math
from collections import Counter
from collections.abc import Iterable
from functools import cmp_to_key
from heapq import nsmallest
from operator import attrgetter, itemgetter
from typing import NamedTuple

from podgroup_operator.core.model.pod import Phase, Pod

PHASES = {Phase.PENDING: 0, Phase.UNKNOWN: 1, Phase.RUNNING: 2}

Rank = tuple[bool, int, bool, int, int]
"""What comparisons 1 to 5 look at; the smaller goes first."""


class Age(NamedTuple):
    """What comparisons 6 to 8 look at."""

    pod: Pod
    ready: int
    created: int


def victims(pods: Iterable[Pod], count: int, now: float) -> tuple[Pod, ...]:
    """Choose the `count` active pods that are cheapest to lose."""
    pods = tuple(sorted(pods, key=attrgetter("uid")))  # so that nothing depends on the order of a cache
    if count >= len(pods):
        return pods
    crowd = Counter(pod.node for pod in pods if pod.node)
    ranked = sorted(((rank(pod, crowd), pod) for pod in pods), key=itemgetter(0))
    border = ranked[count - 1][0] if count else ranked[0][0]
    sure = [pod for found, pod in ranked if found < border]
    alike = [Age(pod, age(pod.ready_since, now), age(pod.created, now)) for found, pod in ranked if found == border]
    return (*sure, *(each.pod for each in nsmallest(count - len(sure), alike, key=cmp_to_key(compare))))


def rank(pod: Pod, crowd: Counter[str]) -> Rank:
    """Give what comparisons 1 to 5 look at.

    Args:
        pod: the pod.
        crowd: how many active pods of the group are on each node.
    """
    ready = pod.ready_since is not None
    return bool(pod.node), PHASES.get(pod.phase, 0), ready, pod.deletion_cost, -crowd[pod.node]


def age(since: float | None, now: float) -> int:
    """Floor the base-2 logarithm of an age in nanoseconds; -1 for a time that has not come, or that nobody knows."""
    return int(math.log2((now - since) * 1e9)) if since is not None and now > since else -1


def compare(a: Age, b: Age) -> int:
    """Compare by 6 to 8; negative: the first pod goes first."""
    return (
        newer(a.pod, b.pod, a.pod.ready_since, b.pod.ready_since, a.ready - b.ready)
        or (b.pod.restarts > a.pod.restarts) - (a.pod.restarts > b.pod.restarts)
        or newer(a.pod, b.pod, a.pod.created, b.pod.created, a.created - b.created)
    )


def newer(a: Pod, b: Pod, since_a: float | None, since_b: float | None, difference: int) -> int:
    """Put the pod with the clearly later time first; of about equal times the smaller UID.

    A time that was never set (0) is the latest of all.
    """
    if since_a is None or since_b is None or since_a == since_b:
        return 0
    if not (since_a and since_b):
        return bool(since_a) - bool(since_b)
    return difference or (-1 if a.uid < b.uid else 1)

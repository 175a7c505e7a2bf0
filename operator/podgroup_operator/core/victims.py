"""Victims: which pods go first when there are too many.

The order is ReplicaSet's, verbatim (ActivePodsWithRanks.Less, k8s.io/kubernetes
pkg/controller/controller_utils.go @v1.37.2): a list of comparisons, the first that tells two pods apart
decides. Ages are compared in powers of two of a nanosecond (KEP-2185), so that pods of about the same age
are chosen among by UID, which is as good as random.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cmp_to_key

from podgroup_operator.core.model import Phase, Pod

PHASES = {Phase.PENDING: 0, Phase.UNKNOWN: 1, Phase.RUNNING: 2}

# Negative: the first pod goes first. Zero: no opinion.
Comparison = Callable[[Pod, Pod], int]


def victims(pods: Iterable[Pod], count: int, now: float) -> tuple[Pod, ...]:
    """Choose the `count` active pods that are cheapest to lose."""
    pods = tuple(pods)
    if count >= len(pods):
        return pods
    crowd = Counter(pod.node for pod in pods if pod.node)

    def first_difference(a: Pod, b: Pod) -> int:
        return next((order for compare in order_of(crowd, now) if (order := compare(a, b))), 0)

    return tuple(sorted(pods, key=cmp_to_key(first_difference))[:count])


def order_of(crowd: Counter[str], now: float) -> tuple[Comparison, ...]:
    """List the comparisons, the weightiest first.

    Args:
        crowd: how many active pods of the group are on each node.
        now: seconds since the epoch.
    """
    return (
        lambda a, b: bool(a.node) - bool(b.node),  # 1. unassigned before assigned
        lambda a, b: PHASES.get(a.phase, 0) - PHASES.get(b.phase, 0),  # 2. Pending, Unknown, Running
        lambda a, b: (a.ready_since is not None) - (b.ready_since is not None),  # 3. not ready before ready
        lambda a, b: a.deletion_cost - b.deletion_cost,  # 4. cheap before dear
        lambda a, b: crowd[b.node] - crowd[a.node],  # 5. doubled up before alone
        lambda a, b: newer(a, b, a.ready_since, b.ready_since, now),  # 6. ready for less time first
        lambda a, b: (b.restarts > a.restarts) - (a.restarts > b.restarts),  # 7. more restarts first
        lambda a, b: newer(a, b, a.created, b.created, now),  # 8. newer before older
    )


def newer(a: Pod, b: Pod, since_a: float | None, since_b: float | None, now: float) -> int:
    """Put the pod with the clearly later time first; of about equal times the smaller UID.

    A time that was never set (0) is the latest of all.
    """
    if since_a is None or since_b is None or since_a == since_b:
        return 0
    if not (since_a and since_b):
        return bool(since_a) - bool(since_b)
    difference = magnitude(now - since_a) - magnitude(now - since_b)
    if difference:
        return difference
    return -1 if a.uid < b.uid else 1


def magnitude(seconds: float) -> int:
    """Floor the base-2 logarithm of a duration in nanoseconds; -1 for a time that has not come."""
    return int(math.log2(seconds * 1e9)) if seconds > 0 else -1

"""Victims against a transcription of ReplicaSet's own comparison.

`less` follows ActivePodsWithRanks.Less (k8s.io/kubernetes pkg/controller/controller_utils.go @v1.37.2) line by line,
in Go's terms: whole nanoseconds, truncated logarithms, a zero time (0 here) that is after every other.
"""

import math
from collections.abc import Sequence
from functools import cmp_to_key
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

import strategies
from builders import NOW
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.victims import victims

ORDINAL = {Phase.PENDING: 0, Phase.UNKNOWN: 1, Phase.RUNNING: 2}
BILLION = 1_000_000_000


def after_or_zero(first: float, second: float) -> bool:
    """Transcribe afterOrZero."""
    if first == 0 or second == 0:
        return first == 0
    return first > second


def rank_difference(first: float, second: float, now: float) -> int:
    """Transcribe logarithmicRankDiff."""
    ages = [round(now * BILLION) - round(time * BILLION) for time in (first, second)]
    ranks = [int(math.log2(age)) if age > 0 else -1 for age in ages]
    return ranks[0] - ranks[1]


def younger(first: tuple[float, str], second: tuple[float, str], now: float) -> bool:
    """Transcribe the comparison of two times that differ, each with its pod's UID."""
    if first[0] == 0 or second[0] == 0:
        return after_or_zero(first[0], second[0])
    difference = rank_difference(first[0], second[0], now)
    return first[1] < second[1] if difference == 0 else difference < 0


def less(a: Pod, b: Pod, ranks: dict[str, int], now: float) -> bool:  # noqa: C901, PLR0911 (eight rules)
    """Transcribe ActivePodsWithRanks.Less."""
    if a.node != b.node and (not a.node or not b.node):
        return not a.node
    if ORDINAL[a.phase] != ORDINAL[b.phase]:
        return ORDINAL[a.phase] < ORDINAL[b.phase]
    if (a.ready_since is None) != (b.ready_since is None):
        return a.ready_since is None
    if a.deletion_cost != b.deletion_cost:
        return a.deletion_cost < b.deletion_cost
    if ranks[a.uid] != ranks[b.uid]:
        return ranks[a.uid] > ranks[b.uid]
    if a.ready_since is not None and b.ready_since is not None and a.ready_since != b.ready_since:
        return younger((a.ready_since, a.uid), (b.ready_since, b.uid), now)
    if a.restarts != b.restarts:
        return a.restarts > b.restarts
    if a.created != b.created:
        return younger((a.created, a.uid), (b.created, b.uid), now)
    return False


def ranked(pods: Sequence[Pod]) -> dict[str, int]:
    """Transcribe getPodsRankedByRelatedPodsOnSameNode; the ranks are by UID."""
    return {pod.uid: sum(other.node == pod.node for other in pods) for pod in pods}


@given(pods=strategies.crowds(), number=st.integers(0, 10), since=st.integers(-5, 5).map(lambda eighth: eighth / 8))
def test_victims_are_the_first_of_replica_set_s_order(pods: tuple[Pod, ...], number: int, since: float) -> None:
    """However many go, they are those that ReplicaSet's comparison puts first; of equal ones the smaller UIDs.

    Where it goes in a circle (`core/test_victims.py`) the first is whichever the sort happens to put there.
    """
    ranks, now = ranked(pods), NOW + since

    def compare(a: Pod, b: Pod) -> int:
        return less(b, a, ranks, now) - less(a, b, ranks, now) or (a.uid > b.uid) - (a.uid < b.uid)

    chosen = victims(pods, number, now)

    uids = {each.uid for each in chosen}
    assert len(chosen) == len(uids) == min(number, len(pods))
    assert uids <= {each.uid for each in pods}
    straight = all(compare(a, c) < 0 for a, b, c in permutations(pods, 3) if compare(a, b) < 0 and compare(b, c) < 0)
    if straight and number < len(pods):
        assert uids == {each.uid for each in sorted(pods, key=cmp_to_key(compare))[:number]}

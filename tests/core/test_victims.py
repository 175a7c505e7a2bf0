"""Victims: ReplicaSet's order of scale-down, rule by rule.

The facts are those of ActivePodsWithRanks.Less (k8s.io/kubernetes pkg/controller/controller_utils.go @v1.37.2) and
of its test; the cases are our own. `properties/test_victims.py` compares whole groups with a transcription of Less.
"""

from itertools import permutations

import pytest

from builders import HOUR, NOW, pod
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.victims import victims

DAY = 24 * HOUR
NEVER_SET = 0.0  # what the API's zero time is read as
PENDING = {"phase": Phase.PENDING, "ready_since": None}

# Of two pods the first goes first; everything that is not named is equal, or speaks for the second.
PAIRS = {
    "1. unassigned goes before assigned": (pod("a", node="", **PENDING), pod("b", **PENDING)),
    "1. unassigned goes before assigned, whatever it costs": (
        pod("a", node="", deletion_cost=9, **PENDING),
        pod("b", deletion_cost=-9, **PENDING),
    ),
    "2. Pending goes before Unknown": (pod("a", **PENDING), pod("b", phase=Phase.UNKNOWN, ready_since=None)),
    "2. Unknown goes before Running": (pod("a", phase=Phase.UNKNOWN), pod("b", ready_since=None)),
    "2. Pending goes before Running, whatever it costs": (
        pod("a", deletion_cost=9, **PENDING),
        pod("b", ready_since=None, deletion_cost=-9),
    ),
    "3. not Ready goes before Ready": (pod("a", ready_since=None), pod("b")),
    "3. not Ready goes before Ready, whatever it costs": (
        pod("a", ready_since=None, deletion_cost=9),
        pod("b", deletion_cost=-9),
    ),
    "4. cheap goes before dear": (pod("a", deletion_cost=10), pod("b", deletion_cost=100)),
    "4. a cost below zero goes before none": (pod("a", deletion_cost=-1), pod("b")),
    "4. cheap goes before dear, though it has been Ready for longer": (
        pod("a", deletion_cost=1, ready_since=NOW - DAY),
        pod("b", deletion_cost=2, ready_since=NOW - 1),
    ),
    "6. Ready for an hour goes before Ready for a day": (
        pod("a", ready_since=NOW - HOUR),
        pod("b", ready_since=NOW - DAY),
    ),
    "6. Ready since a time that was never set goes before Ready just now": (
        pod("a", ready_since=NEVER_SET),
        pod("b", ready_since=NOW),
    ),
    "6. Ready since a time to come goes before Ready for a second": (
        pod("a", ready_since=NOW + 60),
        pod("b", ready_since=NOW - 1),
    ),
    "6. of two Ready for about as long the smaller UID goes first: 5 hours, 8 hours": (
        pod("a", ready_since=NOW - 8 * HOUR),
        pod("b", ready_since=NOW - 5 * HOUR),
    ),
    "6. ages are told apart at powers of two of a nanosecond, here 8796.09 s": (
        pod("b", ready_since=NOW - 8796),
        pod("a", ready_since=NOW - 8797),
    ),
    "6. of two Ready since a time to come the smaller UID goes first": (
        pod("a", ready_since=NOW + 1),
        pod("b", ready_since=NOW + 60),
    ),
    "6. Ready for longer goes last, however often it restarted": (
        pod("a", ready_since=NOW - HOUR),
        pod("b", ready_since=NOW - DAY, restarts=(9, 9)),
    ),
    "7. more restarts go first": (pod("a", restarts=(2, 0)), pod("b", restarts=(1, 9))),
    "7. with equal restarts more restarts of a sidecar go first": (
        pod("a", restarts=(2, 1)),
        pod("b", restarts=(2, 0)),
    ),
    "7. more restarts go first, though the pod is older": (
        pod("a", restarts=(1, 0), created=NOW - 90 * DAY),
        pod("b", created=NOW - 2 * HOUR),
    ),
    "8. newer goes before older": (pod("a", created=NOW - 2 * HOUR), pod("b", created=NOW - 30 * DAY)),
    "8. a time of creation that was never set goes first": (pod("a", created=NEVER_SET), pod("b", created=NOW)),
    "8. of two about as old the smaller UID goes first": (
        pod("a", created=NOW - 8 * HOUR),
        pod("b", created=NOW - 5 * HOUR),
    ),
    "8. among pods that are not Ready age decides too": (
        pod("a", ready_since=None, created=NOW - HOUR),
        pod("b", ready_since=None, created=NOW - DAY),
    ),
}


@pytest.mark.parametrize(("first", "second"), PAIRS.values(), ids=PAIRS.keys())
def test_of_two_pods_one_goes_first(first: Pod, second: Pod) -> None:
    """The first rule that tells two pods apart decides, however they are listed."""
    assert (first,) == victims([first, second], 1, NOW)
    assert (first,) == victims([second, first], 1, NOW)


def test_5_doubled_up_goes_before_alone() -> None:
    """Three pods of one node go before two of another, and these before a lone one."""
    lonely = pod("a", node="quiet")
    pair = [pod("b", node="busy"), pod("c", node="busy")]
    crowd = [pod("d", node="full"), pod("e", node="full"), pod("f", node="full")]

    assert (*crowd, *pair) == victims([lonely, *pair, *crowd], 5, NOW)


def test_5_doubled_up_goes_first_though_it_has_been_ready_for_longer() -> None:
    """Spread over nodes weighs more than the time of being Ready."""
    pair = [pod("b", node="busy", ready_since=NOW - DAY), pod("c", node="busy", ready_since=NOW - DAY)]

    assert (pair[0],) == victims([pod("a", ready_since=NOW - 1), *pair], 1, NOW)


def test_5_pods_without_a_node_are_not_a_crowd() -> None:
    """Unassigned pods are not doubled up with each other: their age decides."""
    old = [pod(name, node="", created=NOW - DAY, **PENDING) for name in "bc"]
    young = pod("d", node="", created=NOW - HOUR, **PENDING)

    assert (young,) == victims([*old, young], 1, NOW)


# In the order in which they go; every rule decides at least one step.
LADDER = (
    pod("unassigned", node="", **PENDING),
    pod("pending", **PENDING),
    pod("unknown", phase=Phase.UNKNOWN, ready_since=None),
    pod("unready", ready_since=None),
    pod("cheap", deletion_cost=-5),
    pod("just-ready", ready_since=NOW - 60),
    pod("restarted", restarts=(3, 0)),
    pod("sidecar-restarted", restarts=(0, 1)),
    pod("old", created=NOW - DAY),
)


def test_the_rules_are_asked_in_their_order() -> None:
    """A group in which every rule decides a step goes in one order, however it is listed."""
    listings = [LADDER[turn:] + LADDER[:turn] for turn in range(len(LADDER))] + [LADDER[::-1]]

    assert [LADDER[:-1]] * len(listings) == [victims(listing, len(LADDER) - 1, NOW) for listing in listings]


@pytest.mark.parametrize("number", range(len(LADDER)))
def test_fewer_victims_are_the_first_of_more(number: int) -> None:
    """Deleting one at a time or all at once takes the same pods."""
    assert LADDER[:number] == victims(LADDER, number, NOW)


def test_when_all_go_nobody_is_chosen() -> None:
    """All pods, and no more, go when as many or more are to go."""
    pods = (pod("b"), pod("a"))

    assert [pods[::-1]] * 2 == [victims(pods, 2, NOW), victims(pods, 3, NOW)]


def test_the_order_can_go_in_a_circle() -> None:
    """Rule 6 skips pods that became Ready in the same second: a goes before b, b before c, and c before a."""
    a, b, c = pod("a"), pod("b", ready_since=NOW - HOUR - 1), pod("c", restarts=(1, 0))

    assert [(a,), (b,), (c,)] == [victims([a, b], 1, NOW), victims([b, c], 1, NOW), victims([c, a], 1, NOW)]


def test_pods_that_no_rule_tells_apart_go_in_the_order_of_their_uids() -> None:
    """Without an opinion the UIDs decide, not the order in which a cache happens to hold the pods."""
    twins = [pod(name) for name in "abc"]

    assert [tuple(twins[:2])] * 6 == [victims(each, 2, NOW) for each in permutations(twins)]


def test_no_pod_has_to_be_chosen() -> None:
    """Where nobody is to go nobody goes, and of no pods none."""
    assert victims([pod("a"), pod("b")], 0, NOW) == victims([], 0, NOW) == victims([], 3, NOW) == ()

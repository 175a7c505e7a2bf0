"""Every order of events in a small world: two pods, one or two operators, a few faults, requests on their way.

The world is in the files beside this one (`scope.py` says what may happen, `operators.py` asks the real plan). In every
state no more pods live than were wanted, nobody else's pod is deleted, and without further faults the group
comes to rest with exactly as many pods as it wants. A pod that is deleted and gone in the next moment is among the
orders of DELETE; KILL is the same with fewer states. The template may change once, at any moment. Where what must be
cannot be, the shortest way there is told.
"""

import gc
from collections.abc import Iterator

import pytest

from modelcheck.checker import Report, check
from modelcheck.scope import Fault, Naming, Scope

DELETE, KILL, FAIL, STEAL, ROLL, SCALE, CRASH, UNANSWERED, FENCED = Fault
PEOPLE = frozenset({DELETE, KILL, FAIL})
OPERATORS = frozenset({CRASH, UNANSWERED})


@pytest.fixture(autouse=True)
def without_garbage_collection() -> Iterator[None]:
    """Save its time: there are many tuples, and none refers to itself."""
    gc.disable()
    yield
    gc.enable()


def proved(*faults: Fault, **scope: object) -> Report:
    """Check a scope, and tell the way to what is wrong in it, if anything is."""
    report = check(Scope(frozenset(faults), **scope))  # type: ignore[arg-type]  # fields by name
    assert not report.verdict, f"\n{report}"
    return report


def refuted(*faults: Fault, **scope: object) -> str:
    """Check a scope in which something must be wrong; give the way there."""
    report = check(Scope(frozenset(faults), **scope))  # type: ignore[arg-type]  # fields by name
    assert report.verdict, f"nothing is wrong in {report.states} states"
    return str(report)


@pytest.mark.parametrize(
    ("faults", "most", "least"),
    [
        ({DELETE} | OPERATORS, 3, 5_000),
        ({FAIL} | OPERATORS, 3, 3_000),
        ({STEAL, SCALE} | OPERATORS, 3, 2_000),
        ({SCALE} | OPERATORS, 3, 500),
    ],
    ids=["pods are deleted", "pods fail", "pods are taken away and replicas changes", "replicas changes"],
)
def test_one_operator_is_safe_and_comes_to_rest(faults: set[Fault], most: int, least: int) -> None:
    """Crashes, lost answers and an old cache do no harm to one operator that asks what it was not told."""
    assert proved(*faults, most=most).states > least


@pytest.mark.parametrize(
    ("faults", "most", "least"),
    [
        ({KILL} | OPERATORS, 3, 6_000),
        (PEOPLE | OPERATORS, 2, 6_000),
        ({SCALE} | OPERATORS, 3, 1_000),
        ({STEAL, SCALE, KILL}, 2, 1_000),
        ({SCALE, KILL, FENCED}, 3, 3_000),
    ],
    ids=["three faults", "faults of all kinds", "replicas changes", "pods are taken away", "the fence falls"],
)
def test_two_operators_with_an_election_are_safe(faults: set[Fault], most: int, least: int) -> None:
    """The Lease moves when nothing is on its way, and each tenure begins with a new list: so two are as good as one."""
    assert proved(*faults, most=most, operators=2, elected=True).states > least


@pytest.mark.parametrize(
    ("faults", "most", "least"),
    [
        ({DELETE} | OPERATORS, 3, 20_000),
        (PEOPLE | OPERATORS, 2, 9_000),
        ({STEAL, SCALE, KILL}, 2, 4_000),
    ],
    ids=["three faults", "faults of all kinds", "pods are taken away"],
)
def test_two_operators_without_a_lease_need_to_claim_each_name(faults: set[Fault], most: int, least: int) -> None:
    """Epochs in the status, raised by an uncached list and written before every create, make two operators safe."""
    assert proved(*faults, most=most, operators=2, naming=Naming.CLAIMED).states > least


@pytest.mark.parametrize(
    ("faults", "most", "least"),
    [
        ({KILL} | OPERATORS, 3, 20_000),
        ({DELETE, FAIL} | OPERATORS, 2, 9_000),
        ({SCALE} | OPERATORS, 2, 1_000),
        ({STEAL, SCALE, KILL}, 2, 9_000),
    ],
    ids=["three faults", "faults of all kinds", "replicas changes", "pods are taken away"],
)
def test_two_operators_with_a_lease_for_each_group_are_safe(faults: set[Fault], most: int, least: int) -> None:
    """Without an election a group's own lease does it, though who takes it remembers its old writes."""
    assert proved(*faults, most=most, operators=2, elected=True, forgets=False).states > least


@pytest.mark.parametrize("rule", ["lists", "waits"])
def test_a_lease_for_each_group_needs_both_its_rules(rule: str) -> None:
    """Who takes it must list the pods then, and not before what others have sent has arrived or never will."""
    assert "3 pods live" in refuted(KILL, CRASH, most=2, operators=2, elected=True, forgets=False, **{rule: False})


def test_to_claim_each_name_is_safe_even_while_a_dead_operator_s_requests_arrive() -> None:
    """With claimed names an operator need not wait after a crash until what it had sent has arrived."""
    proved(KILL, *OPERATORS, most=2, operators=2, naming=Naming.CLAIMED, settled=False)


@pytest.mark.parametrize(
    ("naming", "fault"),
    [
        (Naming.REMEMBERED, KILL),
        (Naming.FRESH, DELETE),
        (Naming.FRESH_REMEMBERED, KILL),
        (Naming.RECORDED, DELETE),
        (Naming.LOCKED, DELETE),
        (Naming.CLAIMED_BLINDLY, DELETE),
    ],
    ids=lambda part: part.name.lower(),
)
def test_two_operators_without_a_lease_need_no_less(naming: Naming, fault: Fault) -> None:
    """By every weaker rule one single deleted pod can end in one pod too many."""
    assert "3 pods live" in refuted(fault, most=1, operators=2, naming=naming)


def test_two_operators_without_a_lease_are_safe_while_they_know_the_same() -> None:
    """As long as neither restarts, and both have heard everything when they look, they choose the same names."""
    proved(KILL, most=2, operators=2, lagging=False)


def test_a_restart_breaks_what_two_operators_have_in_common() -> None:
    """The one that has restarted asks for the name of a pod that came and went, the other one for the next."""
    story = refuted(KILL, CRASH, most=2, operators=2, lagging=False)

    assert "starts again and lists the pods" in story
    assert story.splitlines()[-1].startswith("     3 pods live, and never more than 2 were wanted")


def test_an_old_cache_breaks_what_two_operators_have_in_common() -> None:
    """The one whose cache lags by a pod's whole life asks for its name again, the other one for the next."""
    story = refuted(KILL, most=1, operators=2)

    assert "pod 0.0 is deleted by somebody, without grace, and is gone" in story
    assert "request to create pod 0.0 arrives" in story
    assert "request to create pod 0.1 arrives" in story


@pytest.mark.parametrize("naming", [Naming.REMEMBERED, Naming.CLAIMED], ids=lambda naming: naming.name.lower())
def test_no_name_helps_against_a_create_that_outlives_the_pod_of_its_name(naming: Naming) -> None:
    """A create may be so late that the pod it asked for was made by another, has ended and was replaced."""
    story = refuted(DELETE, most=1, operators=2, naming=naming, outlived=True)

    assert "3 pods live" in story


def test_a_dead_operator_s_request_must_have_arrived_before_it_starts_again() -> None:
    """One that starts too soon does not see the pod that it asked for, nor remember its epoch."""
    assert "3 pods live" in refuted(KILL, CRASH, most=2, settled=False)


def test_after_a_lost_answer_an_operator_has_to_ask_how_far_its_cache_must_be() -> None:
    """Two creates are done and not answered, and the first one's pod dies: an old cache shows only that one's life."""
    assert "3 pods live" in refuted(KILL, UNANSWERED, asks=False)
    proved(KILL, UNANSWERED)


def test_names_that_are_not_computed_are_caught() -> None:
    """With a new name for each create a lost answer is one pod too many."""
    assert "3 pods live" in refuted(UNANSWERED, most=1, naming=Naming.RANDOM, asks=False)


def test_operators_that_do_not_wait_for_their_own_writes_are_caught() -> None:
    """From a cache that lags behind its own writes an operator makes a pod too many, or deletes one too many."""
    assert "3 pods live" in refuted(KILL, most=1, reads_own_writes=False)
    assert "was not one too many" in refuted(SCALE, most=1, reads_own_writes=False)


def test_a_pod_that_stays_condemned_when_the_fence_spared_it_is_caught() -> None:
    """A delete that was never sent must be taken back: no news ever comes of it, and the group waits for ever."""
    story = refuted(SCALE, FENCED, most=2, elected=True, spares=False)

    assert "is not sent: the Lease ran out, and is renewed" in story
    assert "at rest with 2 live pods, and 1 are wanted" in story
    proved(SCALE, FENCED, UNANSWERED, most=3, elected=True)


def test_deletes_without_preconditions_are_caught() -> None:
    """A pod that another controller has taken would be deleted by who still believes that it is ours."""
    assert "is not the group's" in refuted(STEAL, SCALE, most=2, preconditions=False)


@pytest.mark.parametrize("surge", [0, 1], ids=["no surge", "surge"])
@pytest.mark.parametrize(
    ("faults", "most", "scope", "least"),
    [
        ({ROLL} | OPERATORS, 4, {}, 1_000),
        ({ROLL, SCALE}, 3, {}, 500),
        ({ROLL, KILL, CRASH}, 3, {}, 1_000),
        ({ROLL, KILL, CRASH}, 2, {"operators": 2, "elected": True}, 1_000),
    ],
    ids=["operators fail", "replicas changes", "pods are deleted", "two operators"],
)
def test_a_rollout_keeps_its_bounds_and_comes_to_its_end(
    faults: set[Fault], most: int, scope: dict[str, object], least: int, surge: int
) -> None:
    """The template changes at any moment: never more pods than the surge lets, nor fewer, and all are new at rest."""
    assert proved(*faults, most=most, surge=surge, **scope).states > least


def test_a_rollout_by_operators_that_do_not_wait_for_their_own_writes_is_caught() -> None:
    """From a cache that lags behind its own writes an operator makes a pod beyond the surge."""
    assert "4 pods live" in refuted(ROLL, most=1, surge=1, reads_own_writes=False)

"""Leader election: who may take the Lease, and when."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podgroup_operator.core.lease import (
    DEADLINE,
    DURATION,
    LEFT_OUT,
    POLL,
    RECENT,
    RENEWAL,
    SHARED,
    Lease,
    Sighting,
    Step,
    is_covered,
    is_left,
    next_step,
    of_our_kind,
    see,
)

NOW = 1000.0


def lease(holder: str = "other", version: int = 1) -> Lease:
    """A Lease."""
    return Lease(holder, DURATION, 0, version)


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        pytest.param(None, Step.CREATE, id="there is none: it is created"),
        pytest.param(Sighting(lease("me"), 0.0), Step.RENEW, id="ours is renewed, however late"),
        pytest.param(Sighting(lease(""), NOW), Step.TAKE, id="a released one is taken at once"),
        pytest.param(Sighting(lease(SHARED), NOW), Step.TAKE, id="from those of single namespaces it is taken at once"),
        pytest.param(Sighting(lease(), NOW), Step.WAIT, id="another's that was just renewed is left alone"),
        pytest.param(Sighting(lease(), NOW - DURATION), Step.WAIT, id="at the very end of its time it is another's"),
        pytest.param(Sighting(lease(), NOW - DURATION - 0.1), Step.TAKE, id="after that it is taken"),
    ],
)
def test_the_step_follows_from_what_is_seen(seen: Sighting | None, step: Step) -> None:
    """Created when missing, renewed when ours, taken when nobody's or not renewed for its duration, else waited for."""
    assert next_step(seen, "me", NOW) is step


def test_a_renewal_starts_the_wait_anew() -> None:
    """Each change of the Lease is a sign of life; to read it unchanged is none."""
    first = see(None, lease(version=1), 0.0)
    assert see(first, lease(version=1), 5.0) == first
    assert see(first, lease(version=2), 5.0) == Sighting(lease(version=2), 5.0)


HELD, NEW = Lease("other", DURATION, 0, 1, uid="first"), Lease("third", DURATION, 0, 9, uid="second")
NOBODYS, OURS = Lease("", DURATION, 0, 9, uid="second"), Lease("me", DURATION, 0, 9, uid="second")
OF_THEM_ALL = Lease(SHARED, DURATION, 0, 9, uid="second")


@pytest.mark.parametrize(
    ("lease", "then", "later"),
    [
        pytest.param(None, Step.WAIT, Step.CREATE, id="none is there"),
        pytest.param(NOBODYS, Step.WAIT, Step.TAKE, id="nobody has another one"),
        pytest.param(OF_THEM_ALL, Step.WAIT, Step.TAKE, id="those of single namespaces have another one"),
        pytest.param(NEW, Step.WAIT, Step.TAKE, id="another one has another one"),
        pytest.param(OURS, Step.RENEW, Step.RENEW, id="we have another one"),
    ],
)
def test_the_holder_of_a_lease_that_was_deleted_is_waited_for(lease: Lease | None, then: Step, later: Step) -> None:
    """It may have renewed it right before, and does not know yet; after its time whatever is there decides."""
    seen = see(Sighting(HELD, NOW - 100), lease, NOW, "me")
    assert next_step(seen, "me", NOW + DURATION) is then
    assert see(seen, lease, NOW + 50, "me") is seen
    assert next_step(seen, "me", NOW + DURATION + 0.1) is later
    assert not is_covered(see(Sighting(replace(HELD, settled=True), NOW), None, NOW, "me"), NOW, NOW)


@pytest.mark.parametrize("holder", ["me", "", SHARED])
def test_nobody_is_waited_for_whose_lease_was_deleted_and_was_nobodys(holder: str) -> None:
    """Nor do we wait for ourselves."""
    assert see(Sighting(replace(HELD, holder=holder), NOW), None, NOW, "me") is None


@pytest.mark.parametrize(("holder", "step"), [("host/1", Step.CREATE), ("host-1", Step.WAIT)])
def test_those_of_single_namespaces_wait_only_for_version_0_1_0(holder: str, step: Step) -> None:
    """Any other holder of the Lease of all namespaces is not in their way, nor are they in that one's."""
    seen = see(Sighting(replace(HELD, holder=holder), NOW), None, NOW, SHARED)
    assert next_step(seen, SHARED, NOW) is step


@given(st.lists(st.floats(0, 5), min_size=1), st.floats(0, 1), st.floats(0.9, 1.1))
def test_two_never_act_at_once(gaps: list[float], reading: float, rate: float) -> None:
    """Whenever the holder renewed last, and though the clocks differ by a tenth, its time is up before it is taken.

    The holder acts until DEADLINE after the start of a renewal; the other one sees that renewal at its effect or later.
    """
    renewed = sum(gaps)  # by the holder's clock
    sighting = Sighting(lease(), (renewed + reading) * rate)  # by the other's
    end = (renewed + DEADLINE) * rate
    assert next_step(sighting, "me", end) is Step.WAIT


def test_a_dead_leader_is_followed_within_fifteen_seconds() -> None:
    """The last renewal is seen one poll later at most, and the end of its time another poll later."""
    assert POLL + DURATION + POLL < 15
    assert RENEWAL < DEADLINE / 2, "one lost renewal must not cost the lease"


@pytest.mark.parametrize(
    ("settled", "age", "covered"),
    [(True, 0.0, True), (True, RECENT, True), (True, RECENT + 0.1, False), (False, 0.0, False)],
)
def test_who_takes_a_namespace_over_acts_at_once_only_if_nobody_can_have_thought_it_free(
    settled: bool,  # noqa: FBT001 - one of the cases
    age: float,
    covered: bool,  # noqa: FBT001 - what follows
) -> None:
    """The one before had waited itself, and the Lease was changed a moment ago; one that is new was nobody's."""
    seen = Sighting(Lease("", DURATION, 0, 1, settled), NOW)
    assert is_covered(seen, NOW - age, NOW) is covered
    assert not is_covered(None, NOW, NOW)


@given(st.floats(0, 60), st.floats(0.9, 1.1))
def test_no_namespace_is_left_to_who_serves_all_before_another_of_its_own_may_act_at_once(
    age: float, rate: float
) -> None:
    """By clocks that differ by a tenth: while the one may take it without waiting, the other has not begun."""
    changed = Sighting(Lease("", DURATION, 0, 1, settled=True), NOW)  # seen by who serves all at once, or later
    if is_covered(changed, NOW, NOW + age):
        assert not is_left(changed, NOW + age * rate)
    assert RECENT * 1.1 < LEFT_OUT


def test_version_0_1_0_is_known_by_its_name() -> None:
    """A host, a process and a number, without a slash."""
    assert not of_our_kind("podgroup-operator-7d9f-abcde-1-0a1b2c3d")
    assert of_our_kind("podgroup-operator-7d9f-abcde/8a6fd0c2-0b1e-4b6e-9e70-3f2f6b7c5d11")
    assert of_our_kind(SHARED)

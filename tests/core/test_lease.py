"""Leader election: who may take the Lease, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podgroup_operator.core.lease import DEADLINE, DURATION, POLL, RENEWAL, Lease, Sighting, Step, next_step, see

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
    assert see(first, None, 5.0) is None


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

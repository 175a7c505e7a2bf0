"""Lanes: how long each kind of write waits after a refusal, and that none waits for another's."""

import pytest

from podgroup_operator.api.refusals import Refused, Unreachable
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.observe import lanes as module
from podgroup_operator.observe.lanes import LONGEST_ASKED, LaneMemory, Trouble, new_lanes

FORBIDDEN, UNSUPPORTED, BUSY, BROKEN, SILENT = (
    Refused(403, {"message": "no"}),
    Refused(501, {"message": "never"}),
    Refused(429, {"message": "later"}),
    Refused(500, {"message": "oops"}),
    Unreachable("gone"),
)


@pytest.fixture(autouse=True)
def no_jitter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pauses exact, but where their spread is the fact."""
    if "spread" not in request.node.name:
        monkeypatch.setattr(module, "JITTER", (1.0, 1.0))


def pauses(trouble: Trouble, times: int = 7) -> list[float]:
    """Give the pauses after so many looks in which a lane was refused all that it asked for."""
    lane, found = LaneMemory(), []
    for _ in range(times):
        lane.refused(trouble, "no", 100.0, mostly=True)
        found.append(lane.until - 100.0)
    return found


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (FORBIDDEN, [1, 2, 4, 8, 16, 20, 20]),
        (UNSUPPORTED, [1, 2, 4, 8, 16, 20, 20]),
        (BROKEN, [0.5, 1, 2, 4, 8, 10, 10]),
        (SILENT, [0.5, 1, 2, 4, 8, 10, 10]),
        (BUSY, [0.5, 1, 2, 4, 4, 4, 4]),
    ],
    ids=["a no", "a no of a kind", "an error of the server", "no answer", "too many requests"],
)
def test_each_refusal_in_a_row_doubles_the_pause_up_to_a_bound(trouble: Trouble, expected: list[float]) -> None:
    """No hot loop, and no long wait when the cause has ended: the sooner that may be, the shorter."""
    assert pauses(trouble) == expected


def test_pauses_are_spread() -> None:
    """Groups that were refused together come back at different times, none of them more than a fifth sooner."""
    drawn = {pauses(FORBIDDEN, 1)[0] for _ in range(100)}
    assert len(drawn) > 1
    assert min(drawn) >= 0.8
    assert max(drawn) <= 1


def test_a_group_may_be_refused_for_days() -> None:
    """The pause stays what it is after more refusals than a float can count in powers of two."""
    lane = LaneMemory(tries=100_000)
    lane.refused(FORBIDDEN, "no", 0.0, mostly=True)
    assert lane.until == 20


@pytest.mark.parametrize(("asked", "pause"), [(None, 1), (0.5, 1), (7, 7), (60, LONGEST_ASKED), (3600, LONGEST_ASKED)])
def test_the_server_may_ask_for_more_patience(asked: float | None, pause: float) -> None:
    """Retry-After counts if it is longer than our own pause, within reason: it may be a webhook that asks."""
    lane = LaneMemory()
    lane.refused(Refused(403, {}, asked), "no", 0.0, mostly=True)
    assert lane.until == pause


def test_progress_doubles_nothing() -> None:
    """A look in which most was accepted is followed by the next one soon, and the next refusal is the first again."""
    lane = LaneMemory()
    for _ in range(5):
        lane.refused(FORBIDDEN, "no", 0.0, mostly=True)
    lane.refused(FORBIDDEN, "no", 0.0, mostly=False)
    assert lane.until == pytest.approx(0.1)
    lane.refused(FORBIDDEN, "no", 0.0, mostly=True)
    assert lane.until == 1


def test_an_acceptance_ends_the_patience() -> None:
    """Nothing is held back any more, and the next refusal is the first again."""
    lane = LaneMemory()
    lane.refused(FORBIDDEN, "exceeded quota", 0.0, mostly=True)
    assert lane.held(0.25, 0) == Refusal("exceeded quota", 0.75, forbidden=True)
    lane.accepted()
    assert (lane.held(0.25, 0), lane.tries) == (None, 0)


def test_a_pod_that_is_gone_may_have_made_room() -> None:
    """What was forbidden is tried at once, and soon again: a quota counts on a moment later."""
    lane = LaneMemory()
    for _ in range(5):
        lane.refused(FORBIDDEN, "exceeded quota", 0.0, mostly=True, departed=3)
    assert lane.held(1.0, 3) == Refusal("exceeded quota", 15.0, forbidden=True)
    assert lane.held(1.0, 4) == Refusal("exceeded quota", 0.0, forbidden=True)
    waits = []
    for _ in range(4):
        lane.refused(FORBIDDEN, "exceeded quota", 1.0, mostly=True, departed=4)
        waits.append(lane.until - 1.0)
    assert waits == [0.25, 0.5, 1, 2]


def test_a_pod_that_may_not_be_changed_waits_by_itself() -> None:
    """Ever longer, and the lane with its other pods does not."""
    lane, waits = LaneMemory(), []
    for now in (0.0, 10.0, 20.0):
        lane.stick("a", FORBIDDEN, now)
        waits.append(lane.stuck["a"].until - now)
    assert waits == [1, 2, 4]
    lane.stick("b", Refused(429, {}, 20.0), 20.0)
    assert lane.stuck.pop("b").until == 40.0
    assert (lane.stuck_at(23.9), lane.stuck_at(24.0)) == (frozenset({"a"}), frozenset())
    assert lane.held(20.0, 0) is None


def test_what_one_lane_is_refused_holds_no_other() -> None:
    """And success in one ends no other's pause."""
    lanes = new_lanes()
    lanes[Lane.CREATE].refused(FORBIDDEN, "exceeded quota", 0.0, mostly=True)
    lanes[Lane.REMOVE].accepted()
    held = {lane for lane, memory in lanes.items() if memory.held(0.5, 0)}
    assert held == {Lane.CREATE}

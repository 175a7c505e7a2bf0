"""Taking groups over: from when on pods that live are healed, and how an upgrade begins with a few groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from builders import HOUR, NOW, desired, observed, planned, pod, seated, summarized
from podgroup_operator.core.model.actions import Why
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.signs import Loop, Signs
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.takeover import FIRST_MINUTE, TURNS, turn

LOOP = Loop("app", restarts=5, ran=1, ended=NOW - 10, waits=True, since=NOW - 2 * HOUR)
SICK = pod("web-0", slot=0, ready_since=None, signs=Signs(loop=LOOP))
PODS = (SICK, *seated(1, 2))
OLD = Status(observed_generation=1)
GROUP = desired()
TURN = FIRST_MINUTE * turn(GROUP.uid)


def moves(now: float, **seen: object) -> bool:
    """Tell whether the sick pod is taken away at some time."""
    return any(each.why is Why.SICK for each in planned(GROUP, observed(*PODS, **seen), now).removes)


def test_a_group_that_is_older_waits_for_its_turn() -> None:
    """A group whose status says nothing of healing is healed from its turn on, says so, and needs no news then."""
    assert TURN > FIRST_MINUTE
    plan = planned(GROUP, observed(*PODS, status=OLD, began=NOW))
    assert (plan.removes, plan.look_again) == ((), NOW + TURN)
    assert "older than the healing of pods that live" in plan.suppressed
    assert not moves(NOW + TURN - 1, status=OLD, began=NOW)
    assert moves(NOW + TURN, status=OLD, began=NOW)


def test_a_restart_forgets_nothing() -> None:
    """Its status remembers when its turn is, so that another operator begins nothing anew."""
    told = summarized(GROUP, observed(*PODS, status=OLD, began=NOW), Outcome())
    assert told.healing_start == NOW + TURN
    later = NOW + TURN - 30
    again = summarized(GROUP, observed(*PODS, status=told, began=later), Outcome(), later)
    assert again.healing_start == told.healing_start
    assert moves(later + FIRST_MINUTE, status=told, began=later)


def test_a_new_group_is_healed_at_once() -> None:
    """A group that nobody has looked at before has no turn to wait for."""
    told = summarized(GROUP, observed(*PODS, status=Status()), Outcome())
    assert told.healing_start == NOW
    assert moves(NOW, status=told)


def test_nobody_waits_for_longer_than_the_last_turn() -> None:
    """A status that was written by a clock which was ahead puts nothing off for ever."""
    told = replace(OLD, healing_start=NOW + 1000 * HOUR)
    assert summarized(GROUP, observed(*PODS, status=told), Outcome()).healing_start == NOW + FIRST_MINUTE * TURNS


def test_one_in_a_hundred_a_minute() -> None:
    """The turns of many groups are spread evenly over a hundred minutes."""
    turns = Counter(turn(f"0a1b2c3d-{number}") for number in range(10_000))
    assert len(turns) == TURNS
    assert max(turns.values()) < 200

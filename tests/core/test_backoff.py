"""Back-off: what makes a streak of failures, how long it holds what back, and what ends it."""

from dataclasses import replace
from typing import Any

import pytest

from builders import HOUR, NOW, desired, loss, observed, pod, seated
from podgroup_operator.core.backoff import CALM, failed_early, jitter, next_try, restrain, streak
from podgroup_operator.core.model import Cause, Create, Loss, Phase, Pod, Streak
from podgroup_operator.core.plan import plan


def corpse(name: str = "web-0", age: float = 0.0, **changes: Any) -> Pod:
    """Build a pod that was rejected at birth, so many seconds ago."""
    end = NOW - age
    plain: dict[str, Any] = {"phase": Phase.FAILED, "created": end, "finished": end, "ready_since": None}
    return pod(name, **(plain | changes))


def failed(slot: int) -> Loss:
    """Build the loss of a pod that failed early."""
    return loss(slot, cause=Cause.FAILED, early=True)


EARLY = {
    "failed at once": ({}, True),
    "failed after nine minutes": ({"created": NOW - 599}, True),
    "failed after ten minutes": ({"created": NOW - 600}, False),
    "succeeded after nine seconds": ({"phase": Phase.SUCCEEDED, "created": NOW - 9}, True),
    "succeeded after ten seconds": ({"phase": Phase.SUCCEEDED, "created": NOW - 10}, False),
    "runs": ({"phase": Phase.RUNNING}, False),
    "is being deleted": ({"deleted": NOW}, False),
    "has ended nobody knows when": ({"finished": None}, False),
}


@pytest.mark.parametrize(("changes", "expected"), EARLY.values(), ids=EARLY.keys())
def test_a_pod_fails_early_if_the_next_may_well_do_the_same(changes: dict[str, Any], *, expected: bool) -> None:
    """Ten minutes of life are proof enough that it is not the template; ten seconds, that something was done."""
    assert failed_early(corpse(**changes)) is expected


def pauses(**changes: Any) -> list[float]:
    """Give the pauses after 1, 2, 3 and more failures, without their jitter."""
    group = desired(**changes)
    found = []
    for failures in range(12):
        last = corpse(failures=failures, started=changes.get("min_ready_seconds") == 1)
        found.append(round((streak(group, [last], NOW).until - NOW) / jitter(last.uid), 6))
    return found


def test_the_pause_doubles_up_to_a_bound() -> None:
    """The first failure is made good at once, the second after a second, each next one after twice as long."""
    started = pauses(min_ready_seconds=1)
    assert started == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert pauses(min_ready_seconds=1, backoff_initial_seconds=5, backoff_max_seconds=60)[:6] == [0, 5, 10, 20, 40, 60]


def test_what_never_started_is_tried_again_sooner() -> None:
    """A pod that its node rejects costs little: 20 s at most, so recovery takes less than 30."""
    assert pauses() == [0, 1, 2, 4, 8, 16, 20, 20, 20, 20, 20, 20]
    assert max(pauses(backoff_max_seconds=10)) == 10


def test_the_pauses_of_two_pods_differ() -> None:
    """The jitter depends on the pod alone, so that it is the same after a restart."""
    assert 0.8 <= jitter("a") <= 1
    assert jitter("a") != jitter("b")
    assert jitter("a") == jitter("a")


def test_a_forged_number_of_failures_is_bounded() -> None:
    """An annotation with the largest integer does not make the operator count in powers of two for ever."""
    assert streak(desired(), [corpse(failures=2**62)], NOW).failures == 31


FORGIVEN = {
    "of another template": corpse(revision="r0", failures=5),
    "long ago": corpse(age=901, failures=5),
    "after a long life": corpse(created=NOW - HOUR, failures=5),
}


@pytest.mark.parametrize("one", FORGIVEN.values(), ids=FORGIVEN.keys())
def test_some_failures_make_no_streak(one: Pod) -> None:
    """A new template, time and a long life forgive."""
    assert streak(desired(), [one], NOW) == CALM


def test_the_last_failure_sets_the_time_and_the_highest_count_the_pause() -> None:
    """Pods that fail together make one more of the same streak."""
    pods = [corpse("a", age=5, failures=3), corpse("b", age=1, failures=0), corpse("c", age=1000, failures=9)]
    found = streak(desired(), pods, NOW)
    assert (found.failures, found.last) == (4, pods[1])


def made(*creates: Create) -> list[int]:
    """Give the slots of creates."""
    return [create.slot for create in creates]


def wanted(*losses: Loss | None) -> list[Create]:
    """Build creates, the slots counted from 0, that replace these losses."""
    return [Create(f"new-{slot}", slot, 0, each) for slot, each in enumerate(losses)]


CLOSED, OPEN = Streak(3, corpse(), NOW + 5, 8.0), Streak(3, corpse(), NOW - 1, 8.0)
PROBE = pod("probe", failures=3, ready_since=None, created=NOW - 1)
RESTRAINED = {
    "without a streak everything is made": (CALM, (failed(0), None), (), [0, 1]),
    "during the pause nothing that failed": (CLOSED, (failed(0), failed(1)), seated(5), []),
    "what was deleted is replaced all the same": (CLOSED, (failed(0), loss(1)), (), [1]),
    "what was never there waits if nothing is Ready": (CLOSED, (None, None), (), []),
    "what was never there is made if something is Ready": (CLOSED, (None, failed(1)), seated(5), [0]),
    "after the pause one is tried": (OPEN, (failed(0), failed(1)), (), [0]),
    "after the pause as many as are Ready": (OPEN, (failed(0), failed(1), failed(2)), seated(5, 6), [0, 1]),
    "one that is on trial counts": (OPEN, (failed(0), failed(1)), (PROBE,), []),
    "one that is Ready is proof": (OPEN, (failed(0),), (pod("probe", failures=3),), [0]),
    "one that is Ready has yet to outlive the last one": (
        replace(OPEN, last=corpse(created=NOW - 9, finished=NOW - 4)),
        (failed(0), failed(1), None),
        (pod("probe", failures=3, created=NOW - 4),),
        [],
    ),
    "one that is Ready and has outlived the last one is proof": (
        replace(OPEN, last=corpse(created=NOW - 9, finished=NOW - 4)),
        (failed(0), failed(1), None),
        (pod("probe", failures=3, created=NOW - 5),),
        [0, 2],
    ),
    "one that takes long is not waited for": (
        OPEN,
        (failed(0), failed(1)),
        (pod("probe", failures=3, ready_since=None, created=NOW - 8),),
        [0],
    ),
}


@pytest.mark.parametrize(("found", "losses", "active", "expected"), RESTRAINED.values(), ids=RESTRAINED.keys())
def test_a_streak_holds_back_what_would_only_go_on_with_it(
    found: Streak, losses: tuple[Loss | None, ...], active: tuple[Pod, ...], expected: list[int]
) -> None:
    """Nothing that failed during the pause, a few after it; what somebody deleted at once."""
    creates = restrain(wanted(*losses), found, active, NOW)
    assert made(*creates) == expected
    assert {create.failures for create in creates} <= {found.failures}


def test_the_next_look_is_when_something_may_be_tried() -> None:
    """At the end of the pause, or when a pod on trial has had its time."""
    assert next_try(CLOSED, (), NOW) == NOW + 5
    assert next_try(OPEN, (PROBE,), NOW) == NOW + 7
    assert next_try(OPEN, (), NOW) is None


def test_a_plan_tells_what_it_holds_back_and_until_when() -> None:
    """Of three that failed in a row for the third time none is made, and the plan says when it will be."""
    last = corpse("web-0", slot=0, failures=2)
    decision = plan(desired(3), observed(last, losses={slot: failed(slot) for slot in range(3)}), NOW)
    assert (decision.creates, decision.held, decision.streak.failures) == ((), 3, 3)
    assert decision.look_again == decision.streak.until > NOW


@pytest.mark.parametrize(("ready", "deleted"), [(2, []), (3, ["web-0"])])
def test_the_last_corpse_stays_until_all_are_ready(ready: int, deleted: list[str]) -> None:
    """Even where none is to be kept: it says when the next pod may be tried."""
    pods = (corpse("web-0", failures=2), *seated(*range(1, 1 + ready)))
    decision = plan(desired(3, failed_pods_history_limit=0), observed(*pods), NOW)
    assert [each.pod.name for each in decision.deletes] == deleted

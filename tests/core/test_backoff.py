"""Back-off: what makes a streak of failures, how long it holds what back, and what ends it."""

from dataclasses import replace
from typing import Any

import pytest

from builders import HOUR, NOW, OTHER_UID, desired, loss, observed, planned, pod, seated
from podgroup_operator.core.backoff import CALM, failed_early, jitter, next_try, restrain
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Cause, Loss, Streak
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.times import life_until_finish
from podgroup_operator.core.view import view_of


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
    "was evicted at once: by an eviction, a preemption, its node's shutdown": ({"evicted": True}, False),
    "was evicted, and its containers ended well": ({"evicted": True, "phase": Phase.SUCCEEDED}, False),
}


@pytest.mark.parametrize(("changes", "expected"), EARLY.values(), ids=EARLY.keys())
def test_a_pod_fails_early_if_the_next_may_well_do_the_same(changes: dict[str, Any], *, expected: bool) -> None:
    """Ten minutes of life are proof enough that it is not the template; ten seconds, that something was done."""
    assert failed_early(corpse(**changes)) is expected


SEEN: dict[str, Any] = {"created_seen": NOW - 9, "finished_seen": NOW - 4}
LIVES = {
    "by what is said": (corpse(created=NOW - 7), 7),
    "by what was seen, if that is shorter": (corpse(created=NOW - HOUR, **SEEN), 5),
    "by what is said, if that is shorter": (corpse(**SEEN), 0),
    "by what is said, if only its end was seen": (corpse(created=NOW - 7, finished_seen=NOW - 4), 7),
    "nobody knows when it ended": (corpse(finished=None), 0),
}


@pytest.mark.parametrize(("one", "expected"), LIVES.values(), ids=LIVES.keys())
def test_a_life_is_the_shorter_of_what_is_said_and_what_was_seen(one: Pod, expected: float) -> None:
    """A node whose clock is ahead makes no pod that failed at birth one that had lived."""
    assert life_until_finish(one) == expected


@pytest.mark.parametrize("said", [NOW - HOUR, NOW - 30, NOW], ids=["an hour behind", "30 s behind", "in step"])
def test_a_pause_counts_from_what_was_seen(said: float) -> None:
    """A clock of ours that is ahead of a node's or an API server's ends no pause, and forgives nothing."""
    seen = streak(
        desired(), corpse(created=said, finished=said, created_seen=NOW - 2, finished_seen=NOW - 1, failures=3)
    )

    assert seen == replace(streak(desired(), corpse(age=1, failures=3)), last=seen.last)


def test_a_trial_counts_from_when_its_pod_was_seen_to_come() -> None:
    """A pod that came a second ago has its time before it, whatever the API server's clock says."""
    found = replace(OPEN, last=corpse(created=NOW - 9, finished=NOW - 4))
    ahead = pod("probe", failures=3, created=NOW - HOUR, created_seen=NOW - 1)

    assert next_try(found, (ahead,), NOW) == NOW + 4
    assert next_try(found, (replace(ahead, ready_since=None),), NOW) == NOW + 7


def streak(group: Desired, *pods: Pod, **changes: Any) -> Streak:
    """Find the streak of a group."""
    return view_of(group, observed(*pods, **changes), NOW).streak


def pauses(*others: Pod, started: bool = False, replicas: int = 1, **changes: Any) -> list[float]:
    """Give the pauses after 1, 2, 3 and more failures, without their jitter."""
    found = []
    for failures in range(12):
        last = corpse(failures=failures, started=started)
        until = streak(desired(replicas, **changes), last, *others).until
        found.append(round((until - NOW) / jitter(last.uid), 6))
    return found


def test_the_pause_doubles_up_to_a_bound() -> None:
    """The first failure is made good at once, the second after a second, each next one after twice as long."""
    assert pauses(started=True) == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    slow = pauses(started=True, backoff_initial_seconds=5, backoff_max_seconds=60)
    assert slow == [0, 5, 10, 20, 40, 60, 60, 60, 60, 60, 60, 60]


def test_what_never_started_is_tried_again_seldom_from_the_start_and_soon_in_the_end() -> None:
    """A pod that its node rejects waits four times as long each time, but 20 s at most: recovery takes less than 30."""
    assert pauses() == [0, 1, 4, 16, 20, 20, 20, 20, 20, 20, 20, 20]
    assert pauses(backoff_initial_seconds=2) == [0, 2, 8, 20, 20, 20, 20, 20, 20, 20, 20, 20]
    assert max(pauses(backoff_max_seconds=10)) == 10


def test_where_several_are_wanted_and_none_stands_the_first_waits_too() -> None:
    """A cause that takes all of them at birth is hardly one pod's own: 4, 16, 20 s."""
    assert pauses(replicas=3) == [4, 16, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20]
    assert pauses(seated(1, ready_since=None)[0], replicas=3)[0] == 4
    assert pauses(*seated(1), replicas=3)[:4] == [0, 1, 4, 16]
    assert pauses(started=True, replicas=3)[:4] == [0, 1, 2, 4]


def test_the_pauses_of_two_pods_differ() -> None:
    """The jitter depends on the pod alone, so that it is the same after a restart."""
    assert 0.8 <= jitter("a") <= 1
    assert jitter("a") != jitter("b")
    assert jitter("a") == jitter("a")


def test_a_forged_number_of_failures_is_bounded() -> None:
    """An annotation with the largest integer does not make the operator count in powers of two for ever."""
    assert streak(desired(), corpse(failures=2**62)).failures == 31


FORGIVEN = {
    "of another template": corpse(revision="r0", failures=5),
    "long ago": corpse(age=901, failures=5),
    "after a long life": corpse(created=NOW - HOUR, failures=5),
    "by an eviction": corpse(evicted=True, failures=5),
    "another controller's": corpse(controller=OTHER_UID, failures=5),
}


@pytest.mark.parametrize("one", FORGIVEN.values(), ids=FORGIVEN.keys())
def test_some_failures_make_no_streak(one: Pod) -> None:
    """A new template, time, a long life and a planned end forgive."""
    assert streak(desired(), one) == CALM


@pytest.mark.parametrize("one", [FORGIVEN["of another template"], FORGIVEN["long ago"]], ids=["template", "age"])
def test_a_remembered_failure_is_forgiven_like_one_that_is_there(one: Pod) -> None:
    """A new template and time end the streak also of a corpse that somebody took away."""
    assert streak(desired(), corpse=one) == CALM


def test_a_corpse_that_somebody_takes_away_is_remembered() -> None:
    """A cleaner of failed pods makes no hot loop: the streak is the same with the corpse and without it."""
    last = corpse(failures=4)

    assert streak(desired(), corpse=last) == streak(desired(), last) == streak(desired(), last, corpse=last)
    assert streak(desired(), corpse=last).failures == 5


def test_a_corpse_that_is_being_taken_away_is_remembered() -> None:
    """While it is on its way out the memory of it counts, as it was when it failed."""
    last = corpse(failures=4)

    assert streak(desired(), replace(last, deleted=NOW), corpse=last) == streak(desired(), last)


def test_a_remembered_corpse_does_not_outlive_a_newer_one() -> None:
    """The last failure is the latest of all that are known; the count is the highest."""
    old, new = corpse("a", age=9, failures=4), corpse("b", age=1)
    found = streak(desired(), new, corpse=old)

    assert (found.failures, found.last) == (5, new)


def test_a_group_whose_corpses_are_taken_away_waits_all_the_same() -> None:
    """Nothing is left to be seen, and still the next one is tried only after its pause, and it says so."""
    decision = planned(desired(1), observed(corpse=corpse(failures=4), losses={0: failed(0)}))

    assert (decision.creates, decision.held) == ((), 1)
    assert decision.look_again is not None
    assert NOW + 16 <= decision.look_again <= NOW + 20


def test_the_last_failure_sets_the_time_and_the_highest_count_the_pause() -> None:
    """Pods that fail together make one more of the same streak."""
    pods = [corpse("a", age=5, failures=3), corpse("b", age=1, failures=0), corpse("c", age=1000, failures=9)]
    found = streak(desired(), *pods)
    assert (found.failures, found.last) == (4, pods[1])


def made(*creates: Create) -> list[int]:
    """Give the slots of creates."""
    return [create.slot for create in creates]


def wanted(*losses: Loss | None) -> list[Create]:
    """Build creates, the slots counted from 0, that replace these losses."""
    return [Create(f"new-{slot}", slot, 0, "r1", each) for slot, each in enumerate(losses)]


CLOSED, OPEN = Streak(3, corpse(), NOW + 5, 8.0), Streak(3, corpse(), NOW - 1, 8.0)
PROBE = pod("probe", failures=3, ready_since=None, created=NOW - 1)
GOOD = pod("good", failures=3)
RESTRAINED = {
    "without a streak everything is made": (CALM, (failed(0), None), (), [0, 1]),
    "during the pause nothing that failed": (CLOSED, (failed(0), failed(1)), seated(5), []),
    "what was deleted is replaced all the same": (CLOSED, (failed(0), loss(1)), (), [1]),
    "what was never there waits if nothing is Ready": (CLOSED, (None, None), (), []),
    "what was never there is made if something is Ready": (CLOSED, (None, failed(1)), seated(5), [0]),
    "after the pause one is tried": (OPEN, (failed(0), failed(1)), (), [0]),
    "after the pause as many as are Ready": (OPEN, (failed(0), failed(1), failed(2)), seated(5, 6), [0, 1]),
    "one that is on trial counts": (OPEN, (failed(0), failed(1)), (PROBE,), []),
    "one that is Ready is proof: it frees all the others": (
        OPEN,
        (failed(0), failed(1), failed(2), None),
        (pod("probe", failures=3),),
        [0, 1, 2, 3],
    ),
    "one that proved good frees the others in a pause too": (CLOSED, (failed(0), failed(1)), (GOOD,), [0, 1]),
    "one that was good before the last failure frees nobody": (
        CLOSED,
        (failed(0), failed(1)),
        (replace(GOOD, failures=2),),
        [],
    ),
    "one that was made before the streak frees nobody": (OPEN, (failed(0), failed(1)), seated(5), [0]),
    "one that proved good frees the others though another is on trial": (
        OPEN,
        (failed(0), failed(1)),
        (GOOD, PROBE),
        [0, 1],
    ),
    "what was evicted is replaced all the same": (CLOSED, (failed(0), loss(1, cause=Cause.EVICTED)), (), [1]),
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
        [0, 1, 2],
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
    """Of three that failed in a row for the third time none is made, and the plan says why and when it will be."""
    last = corpse("web-0", slot=0, failures=2, complaint="OutOfcpu: no cpu.")
    seen = observed(last, losses={slot: failed(slot) for slot in range(3)})
    decision, found = planned(desired(3), seen), view_of(desired(3), seen, NOW).streak

    assert (decision.creates, decision.held, found.failures) == ((), 3, 3)
    assert decision.look_again == found.until > NOW
    assert decision.why_held.startswith(
        "3 pods have failed in a row; the last one is web-0: OutOfcpu: no cpu. The next one is tried after 2023-11-14T"
    )


def test_a_plan_that_holds_nothing_back_says_nothing() -> None:
    """The first failure of one pod among others is made good at once, and no Event tells of it."""
    seen = observed(corpse("web-0", slot=0), *seated(1, 2), losses={0: failed(0)})

    assert (planned(desired(3), seen).held, planned(desired(3), seen).why_held) == (0, "")


def test_a_streak_is_forgotten_at_a_time_of_its_own() -> None:
    """Where all pods are there and nothing is held back, the status still changes when the streak is over."""
    seen = observed(corpse(age=10), *seated(1))

    assert planned(desired(1), seen).look_again == NOW - 10 + 900


@pytest.mark.parametrize(("ready", "deleted"), [(2, []), (3, ["web-0"])])
def test_the_last_corpse_stays_until_all_are_ready(ready: int, deleted: list[str]) -> None:
    """Even where none is to be kept: it says when the next pod may be tried."""
    pods = (corpse("web-0", failures=2), *seated(*range(1, 1 + ready)))
    decision = planned(desired(3, failed_pods_history_limit=0), observed(*pods))
    assert [each.pod.name for each in decision.removes] == deleted


def test_a_newer_corpse_that_is_remembered_does_not_keep_an_older_one() -> None:
    """Only the last of the streak is needed; should that be gone, none is."""
    older, last = corpse("older", age=9), corpse("last", age=1)
    seen = observed(older, corpse=last)

    assert [each.pod for each in planned(desired(3, failed_pods_history_limit=0), seen).removes] == [older]

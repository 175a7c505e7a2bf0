"""Healing of pods that live: who is moved, how many at once, and when it is not tried any more."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from builders import HOUR, NOW, desired, loss, observed, planned, pod, summarized
from core.ailing import LOOP, crashing, moved, well
from podgroup_operator.core.avoidance import AVOIDED, MOST_NODES, avoided, elsewhere
from podgroup_operator.core.crash_loop import LONG_RUN, STEADY, crash_loop
from podgroup_operator.core.model.actions import How, Why
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.healing import Wishes
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.signs import Signs
from podgroup_operator.core.model.strategy import Share
from podgroup_operator.core.takeover import FIRST_MINUTE
from podgroup_operator.core.view import View, view_of
from podgroup_operator.core.ward import ward_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def seen_by(**wishes: Any) -> View:
    """Build the view of a group with such wishes."""
    return view_of(desired(healing=Wishes(**wishes)), observed(), NOW)


@pytest.mark.parametrize(
    ("loop", "wishes", "due"),
    [
        ({}, {}, NOW - 100),
        ({"restarts": 4}, {}, NOW + 200),
        ({"restarts": 9, "before": 5}, {}, NOW + 200),
        ({"restarts": 10, "before": 5}, {}, NOW - 100),
        ({"restarts": 4}, {"crash_loop_seconds": 0}, math.inf),
        ({"restarts": 99}, {"crash_loop_restarts": 0}, NOW + 200),
        ({"waits": False, "up": NOW - 1}, {}, math.inf),
        ({"well": STEADY, "well_before": 5, "well_since": NOW - 50}, {}, NOW + 250),
        ({"well": STEADY - 1, "well_before": 5, "well_since": NOW - 50}, {}, NOW - 100),
    ],
    ids=[
        "five restarts",
        "four, so the time decides",
        "restarts of an earlier loop do not count",
        "five of this one",
        "four, and no time is set",
        "no number is set",
        "it runs at the moment",
        "it was Ready for a minute: the count begins anew",
        "a little less is not enough",
    ],
)
def test_a_crash_loop_is_due(loop: dict[str, Any], wishes: dict[str, Any], due: float) -> None:
    """A pod counts as sick by the number of restarts or by the time of its present loop, whichever comes first."""
    ailment = crash_loop(seen_by(**wishes), crashing(0, loop=loop))
    assert ailment is not None
    assert (ailment.cause, ailment.due) == (Cause.CRASH_LOOP, due)


def test_the_first_of_several_loops_counts() -> None:
    """A pod in which several containers crash is sick as soon as one of them makes it so, wherever it stands."""
    early = replace(LOOP, container="side", since=NOW - 200)
    signs = Signs(loop=replace(LOOP, waits=False, up=NOW - 1), others=(early,))
    ailment = crash_loop(view_of(desired(), observed(), NOW), pod(signs=signs, ready_since=None))
    assert ailment is not None
    assert (ailment.due, "side" in ailment.seen) == (NOW - 200, True)


@pytest.mark.parametrize(
    ("sick", "wishes"),
    [
        (crashing(0, loop={"since": None, "waits": False}), {}),
        (crashing(0, loop={"waits": False, "up": NOW - LONG_RUN}), {}),
        (crashing(0, loop={"waits": False, "up": NOW - STEADY}, ready_since=NOW - STEADY), {}),
        (crashing(0), {"crash_loop_restarts": 0, "crash_loop_seconds": 0}),
        (pod(), {}),
    ],
    ids=["never waited", "ran for ten minutes", "Ready for a minute", "switched off", "well"],
)
def test_no_crash_loop(sick: Pod, wishes: dict[str, Any]) -> None:
    """What has got well, never waited for its kubelet, or shall not be healed is in no crash loop."""
    assert crash_loop(seen_by(**wishes), sick) is None


def test_it_is_evicted_and_its_cause_is_known() -> None:
    """A pod that ails is evicted, never deleted, and its replacement will say of what it suffered, and where."""
    (remove,) = planned(desired(), observed(crashing(0), *well(1, 2))).removes
    assert (remove.pod.name, remove.why, remove.how) == ("web-0", Why.SICK, How.EVICT)
    assert remove.loss
    assert (remove.loss.cause, remove.loss.attempt) == (Cause.CRASH_LOOP, 1)
    assert remove.loss.avoids == (("node-of-web-0", NOW + AVOIDED),)


@pytest.mark.parametrize(
    ("cause", "signs", "wishes"),
    [
        (Cause.UNREADY, Signs(unready=NOW - 31), {"unready_seconds": 30}),
        (Cause.START_TIMEOUT, Signs(unstarted=NOW - 31), {"start_seconds": 30}),
    ],
)
def test_other_ailments(cause: Cause, signs: Signs, wishes: dict[str, Any]) -> None:
    """What has ceased to be Ready, or does not start, is moved after so many seconds, and never where none are set."""
    ails = pod("web-0", slot=0, ready_since=None, signs=signs)
    (remove,) = planned(desired(healing=Wishes(**wishes)), observed(ails, *well(1, 2))).removes
    assert remove.loss
    assert remove.loss.cause is cause
    assert moved(ails, *well(1, 2), group=desired(healing=Wishes(**wishes)), now=NOW - 2) == []
    assert moved(ails, *well(1, 2), now=NOW + HOUR) == []


def test_time_wakes_it() -> None:
    """A look is planned for the moment at which a pod will count as sick."""
    plan = planned(desired(), observed(crashing(0, loop={"restarts": 1}), *well(1, 2)))
    assert plan.removes == ()
    assert plan.look_again == NOW + 200


def test_time_alone_may_change_nothing() -> None:
    """For a pod that runs between two crashes no look is planned."""
    running = crashing(0, loop={"restarts": 1, "waits": False, "up": NOW - 1})
    assert planned(desired(), observed(running, *well(1, 2))).look_again is None


@pytest.mark.parametrize(
    "seen",
    [{"kept": True}, {"deleted": NOW - 1}, {"phase": Phase.FAILED, "finished": NOW}],
    ids=["kept", "going", "finished"],
)
def test_these_are_not_moved(seen: dict[str, Any]) -> None:
    """What must be kept, is on its way out or has come to an end is not evicted."""
    assert moved(crashing(0, **seen), *well(1, 2)) == []


def test_a_pause_of_healing() -> None:
    """While healing is paused nothing that lives is moved, and what is lost is replaced all the same."""
    group = desired(healing=Wishes(paused=True))
    plan = planned(group, observed(crashing(0), *well(1)))
    assert (len(plan.creates), plan.removes) == (1, ())


def test_the_first_minute_decides_nothing() -> None:
    """A new leader waits for a minute before it moves anything, and then needs no news."""
    plan = planned(desired(), observed(crashing(0), *well(1, 2), began=NOW - 1))
    assert (plan.removes, plan.look_again) == ((), NOW - 1 + FIRST_MINUTE)
    assert moved(crashing(0), *well(1, 2), began=NOW - 1, now=NOW + FIRST_MINUTE) == ["web-0"]


@pytest.mark.parametrize(
    ("most", "names"),
    [(Share(1), ["web-1"]), (Share(2), ["web-1", "web-0"]), (Share(50, percent=True), ["web-1", "web-0"])],
)
def test_so_many_at_once(most: Share, names: list[str]) -> None:
    """As many as healing.maxUnavailable are moved at once, the one that has been sick longest first."""
    sick = [crashing(0), crashing(1, loop={"since": NOW - 200}), crashing(2, loop={"since": NOW - 50})]
    group = desired(5, healing=Wishes(max_unavailable=most))
    assert moved(*sick, *well(3, 4), group=group) == names


@pytest.mark.parametrize(
    ("heir", "losses", "names"),
    [
        (pod("web-1", slot=1, cause="CrashLoop", ready_since=None, attempt=1), {}, []),
        (pod("web-1", slot=1, cause="CrashLoop", attempt=1), {}, ["web-0"]),
        (pod("web-1", slot=1, cause="Deleted", ready_since=None), {}, ["web-0"]),
        (pod("web-3", slot=3), {1: loss(1, cause=Cause.CRASH_LOOP)}, []),
        (crashing(1, cause="CrashLoop", attempt=1, loop={"since": NOW - 400}), {}, ["web-1"]),
    ],
    ids=["on its way", "available", "replaces one that was deleted", "not made yet", "sick in its turn"],
)
def test_it_waits_for_the_one_before(heir: Pod, losses: dict[int, Any], names: list[str]) -> None:
    """While the replacement of a sick pod is on its way no other is moved; one that is sick in its turn counts not."""
    assert moved(crashing(0), heir, *well(2), losses=losses, group=desired(3 + (heir.slot == 3))) == names


def test_what_is_moved_first_proves_that_it_helps() -> None:
    """Where no other pod stands the first replacement has to stay Ready for a minute before the next pod is moved.

    What crashes a few seconds after each start is Ready until then: all would be moved before anybody knew.
    """
    heir = pod("web-0-b", slot=0, cause="CrashLoop", attempt=1, ready_since=NOW - 1)
    seen = observed(heir, crashing(1), crashing(2))
    plan = planned(desired(), seen)
    assert (plan.removes, plan.look_again) == ((), NOW - 1 + STEADY)
    assert [each.pod.name for each in planned(desired(), seen, NOW - 1 + STEADY).removes] == ["web-1"]
    assert moved(heir, crashing(1), *well(2)) == ["web-1"], "another one stands"


def test_one_that_ails_from_birth_waits_longer_each_time() -> None:
    """A replacement that ails from its birth on is moved after a pause that doubles from initialSeconds on."""
    for attempt, seconds in ((1, 1), (4, 8), (9, 256)):
        sick = crashing(0, attempt=attempt, cause="CrashLoop", loop={"since": NOW})
        plan = planned(desired(), observed(sick, *well(1, 2)))
        assert (plan.removes, plan.look_again) == ((), NOW + seconds)
        (remove,) = planned(desired(), observed(sick, *well(1, 2)), NOW + seconds).removes
        assert remove.loss
        assert remove.loss.attempt == attempt + 1


@pytest.mark.parametrize(
    ("was_ready", "least", "attempt"),
    [(LONG_RUN, 0, 1), (LONG_RUN - 1, 0, 9), (LONG_RUN, 900, 9), (900 + STEADY, 900, 1), (math.inf, 900, 1)],
)
def test_one_that_was_well_begins_anew(was_ready: float, least: int, attempt: int) -> None:
    """What comes over a replacement that was Ready for ten minutes, and for minReadySeconds, is another matter."""
    sick = crashing(0, attempt=8, signs=Signs(well=was_ready, loop=replace(LOOP, since=NOW - 900)))
    (remove,) = planned(desired(min_ready_seconds=least), observed(sick, *well(1, 2))).removes
    assert remove.loss
    assert remove.loss.attempt == attempt


def test_it_is_not_moved_without_end() -> None:
    """One that was moved ten times in a row, and came up well for a minute each time, is moved no more, and says so."""
    sick = crashing(0, attempt=10, signs=Signs(well=STEADY, loop=replace(LOOP, since=NOW - HOUR)))
    assert moved(sick, *well(1, 2)) == []
    status = summarized(desired(), observed(sick, *well(1, 2)), Outcome())
    (failure,) = [each for each in status.conditions if each.type == "ReplicaFailure"]
    assert (failure.reason, failure.message.startswith("1 pod suffers")) == ("PodsKeepFailing", True)
    assert moved(replace(sick, attempt=9), *well(1, 2)) == ["web-0"]


def test_another_template_is_tried_anew() -> None:
    """What was moved in vain of another template is not counted, but the nodes where it ailed are avoided."""
    lost = loss(0, cause=Cause.CRASH_LOOP, revision="r0", attempt=2, avoids=(("bad", NOW + HOUR),))
    (heir,) = planned(desired(), observed(*well(1, 2), losses={0: lost})).creates
    assert heir.loss
    assert (heir.revision, heir.loss.attempt, heir.loss.avoids) == ("r1", 0, lost.avoids)


def test_the_template_is_at_fault() -> None:
    """Where all suffer from the same and one was moved in vain none is moved, and one that gets well frees them."""
    group = desired(backoff_max_seconds=1)
    first, second, third = (crashing(slot, loop={"since": NOW - 900}) for slot in range(3))
    assert moved(first, second, third, group=group) == ["web-0"], "one is tried elsewhere"
    heir = replace(first, name="web-0-b", attempt=1, cause="CrashLoop")
    assert moved(heir, second, third, group=group) == []
    running = crashing(0, attempt=1, cause="CrashLoop", loop={"waits": False, "up": NOW - 1}, ready_since=NOW - 1)
    assert moved(running, second, third, group=group) == [], "it runs between two crashes"
    assert moved(replace(heir, signs=None, ready_since=NOW - HOUR), second, third, group=group) == ["web-1"]
    assert moved(heir, *(replace(each, revision="r0") for each in (second, third)), group=replace(group, held=True))


def test_one_that_is_kept_is_judged_with_the_others() -> None:
    """A template is no better for a pod that nobody may take away: where that one suffers too none is moved."""
    group = desired(backoff_max_seconds=1)
    kept, *others = (crashing(slot, loop={"since": NOW - 900}, attempt=1, kept=slot == 0) for slot in range(3))
    assert moved(kept, *others, group=group) == []
    assert moved(replace(kept, signs=None, ready_since=NOW - HOUR), *others, group=group) == ["web-1"]


def test_all_that_ail_are_judged_at_once() -> None:
    """However many ail, the pods of the group are gone through a few times, not once for each."""
    gone_through = 0

    class Counted(tuple[Pod, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[Pod]:
            nonlocal gone_through
            gone_through += 1
            return super().__iter__()

    view = view_of(desired(200), observed(*(crashing(slot) for slot in range(200))), NOW)
    assert len(ward_of(replace(view, active=Counted(view.active))).sick) == 200
    assert gone_through < 5


def test_it_is_said_that_moving_does_not_help() -> None:
    """A group whose pods are at fault says so, and needs a person after a minute."""
    pods = [crashing(slot, attempt=1, cause="CrashLoop") for slot in range(3)]
    status = summarized(desired(), observed(*pods), Outcome())
    told = {each.type: each for each in status.conditions}
    assert told["ReplicaFailure"].reason == "PodsKeepFailing"
    assert "moving did not cure" in told["ReplicaFailure"].message
    assert told["Stalled"].status == "False"
    later = summarized(desired(), observed(*pods, status=status), Outcome(), NOW + 61)
    stalled = {each.type: each for each in later.conditions}["Stalled"]
    assert stalled.status == "True"
    assert stalled.message.endswith("none is moved before one gets well or spec.template changes.")


def test_what_does_not_start_is_moved_once() -> None:
    """A pod that was moved since it did not start, and does not start either, stays; any other cause does not count."""
    signs, group = Signs(unstarted=NOW - 99), desired(healing=Wishes(start_seconds=30))
    first = pod("web-0", slot=0, ready_since=None, signs=signs)
    assert moved(first, *well(1, 2), group=group) == ["web-0"]
    assert moved(replace(first, attempt=1, cause="StartTimeout"), *well(1, 2), group=group) == []
    assert moved(replace(first, attempt=1, cause="CrashLoop"), *well(1, 2), group=group) == ["web-0"]


@pytest.mark.parametrize(
    "seen",
    [
        {"held": {Lane.EVICT: Refusal("no", wait=5)}},
        {"stuck": frozenset({"uid-web-0"})},
        {"protected": frozenset({"uid-web-0"})},
        {"template_refusal": Refusal("no", wait=5)},
    ],
    ids=["evictions are refused", "nor may this be deleted", "nor evicted", "the template is refused"],
)
def test_it_waits_after_a_refusal(seen: dict[str, Any]) -> None:
    """Nothing is moved while evictions are refused, or while no other could be made in its place."""
    assert moved(crashing(0), *well(1, 2), **seen) == []


def test_a_rollout_goes_first() -> None:
    """What a rollout takes away in any case is not moved besides."""
    old = [crashing(0, revision="r0"), *(replace(each, revision="r0") for each in well(1, 2))]
    plan = planned(desired(), observed(*old, templates={"r0", "r1"}))
    assert [(each.pod.name, each.why) for each in plan.removes] == [("web-0", Why.OUTDATED)]


def test_with_termination_complete_it_waits_for_the_end() -> None:
    """The replacement of a pod that was evicted obeys podReplacementPolicy as any other."""
    group = desired(pod_replacement=PodReplacement.TERMINATION_COMPLETE)
    going = crashing(0, deleted=NOW - 1)
    plan = planned(group, observed(going, *well(1, 2), losses={0: loss(0, cause=Cause.CRASH_LOOP)}))
    assert plan.creates == ()


def test_nodes_are_avoided_for_a_while() -> None:
    """A replacement avoids the nodes of its forerunners, the last ten, each for half an hour."""
    nodes = tuple((f"node-{number}", NOW + number) for number in range(MOST_NODES + 3))
    found = avoided(pod(node="node-5", avoids=nodes), NOW + 2)
    assert len(found) == MOST_NODES
    assert found[-1] == ("node-5", NOW + 2 + AVOIDED)
    assert all(until > NOW + 2 for _, until in found)


def test_the_wish_to_be_elsewhere_is_added() -> None:
    """The wish stands beside the template's own affinity, which is left as it is."""
    own: dict[str, Any] = {
        "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]},
        "podAffinity": {"a": 1},
    }
    spec: dict[str, Any] = {"containers": [], "affinity": own}
    found = elsewhere(spec, (("bad", NOW),))
    first, wish = found["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert first == {"weight": 1}
    assert wish["preference"]["matchFields"] == [{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}]
    assert found["affinity"]["podAffinity"] == {"a": 1}
    assert len(own["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]) == 1


@pytest.mark.parametrize(("age", "told"), [(59, False), (61, True)])
def test_what_a_sick_pod_waits_for_is_told(age: float, told: bool) -> None:  # noqa: FBT001 - a fact, not a switch
    """A sick pod that waits for the replacement of another says so once that has taken a minute, by name."""
    heir = pod("web-1", slot=1, cause="CrashLoop", ready_since=None, attempt=1, created=NOW - age)
    plan = planned(desired(), observed(crashing(0), heir, *well(2)))
    assert plan.removes == ()
    assert told or plan.look_again == NOW + 1
    assert ("1 pod that ails waits until web-1 is available" in plan.suppressed) is told

"""The status: every count, and the record of replacements. Conditions have a file of their own."""

from dataclasses import replace

import pytest

from builders import GROUP_UID, NOW, OTHER_UID, desired, gone, loss, observed, orphan, pod, seated, summarized
from podgroup_operator.core.model.actions import Create, Remove, Why
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.status import Healing, Status
from podgroup_operator.core.selector import Selector

NOTHING = Outcome()
FIELDS = (
    "replicas",
    "ready",
    "available",
    "updated",
    "unavailable",
    "fully_labeled",
    "terminating",
    "failed",
)


def counts(status: Status) -> dict[str, int]:
    """Give the counts of a status that are not 0."""
    return {name: getattr(status, name) for name in FIELDS if getattr(status, name)}


FULL = {"app": "web", "tier": "front"}
STRICT = desired(0, min_ready_seconds=10, template_labels=FULL)
ALL_WELL = {"replicas": 1, "ready": 1, "available": 1, "updated": 1, "fully_labeled": 1}

# What one pod adds to the status of a group that wants none.
COUNTS = {
    "a Ready pod": (pod(labels=FULL), ALL_WELL),
    "a pod that is not Ready": (pod(labels=FULL, ready_since=None), {"replicas": 1, "updated": 1, "fully_labeled": 1}),
    "a pod Ready for less than minReadySeconds": (
        pod(labels=FULL, ready_since=NOW - 5),
        {"replicas": 1, "ready": 1, "updated": 1, "fully_labeled": 1},
    ),
    "a pod of an older template": (
        pod(labels=FULL, revision="r0"),
        {"replicas": 1, "ready": 1, "available": 1, "fully_labeled": 1},
    ),
    "a pod that lacks a label of the template": (
        pod(),
        {"replicas": 1, "ready": 1, "available": 1, "updated": 1},
    ),
    "a pod whose label has another value than the template's": (
        pod(labels={"app": "web", "tier": "back"}),
        {"replicas": 1, "ready": 1, "available": 1, "updated": 1},
    ),
    "a pod with more labels than the template": (pod(labels=FULL | {"more": "1"}), ALL_WELL),
    "a pod on its way out": (gone("web-0"), {"terminating": 1}),
    "a failed pod": (pod(phase=Phase.FAILED, ready_since=None), {"failed": 1}),
    "a failed pod on its way out": (gone("web-0", phase=Phase.FAILED), {"terminating": 1}),
    "a pod that succeeded": (pod(phase=Phase.SUCCEEDED, ready_since=None), {}),
    "an orphan that is not adopted yet": (orphan(), {}),
    "another controller's pod": (pod(labels=FULL, controller=OTHER_UID), {}),
    "a pod that is being released": (pod(labels={"app": "else"}), {}),
}


@pytest.mark.parametrize(("one", "expected"), COUNTS.values(), ids=COUNTS.keys())
def test_each_pod_counts_as_what_it_is(one: Pod, expected: dict[str, int]) -> None:
    """ReplicaSet's and Deployment's counts: only active pods are replicas; the others are named by their state."""
    assert expected == counts(summarized(STRICT, observed(one), NOTHING, NOW))


UNAVAILABLE = {
    "nothing is unavailable when all are available": (3, seated(0, 1, 2), 0),
    "what is missing is unavailable": (3, seated(0), 2),
    "what is not Ready is unavailable": (3, (*seated(0, 1), pod("web-2", ready_since=None)), 1),
    "more available pods than wanted are not unavailable": (1, seated(0, 1, 2), 0),
    "a group of none has none unavailable": (0, (), 0),
}


@pytest.mark.parametrize(("replicas", "pods", "unavailable"), UNAVAILABLE.values(), ids=UNAVAILABLE.keys())
def test_unavailable_is_what_is_wanted_and_not_available(
    replicas: int, pods: tuple[Pod, ...], unavailable: int
) -> None:
    """As in Deployment: the wanted replicas less the available ones, never below 0."""
    assert unavailable == summarized(desired(replicas), observed(*pods), NOTHING, NOW).unavailable


def test_a_pod_made_a_moment_ago_counts_as_made() -> None:
    """What the API server has just confirmed is a replica of the newest template, not yet Ready."""
    outcome = Outcome(created=(Create("web-1-new", 1, 0, "r1"), Create("web-2-new", 2, 0, "r1")))

    assert counts(summarized(desired(3), observed(*seated(0)), outcome, NOW)) == {
        "replicas": 3,
        "ready": 1,
        "available": 1,
        "updated": 3,
        "unavailable": 2,
        "fully_labeled": 3,
    }


def test_a_pod_deleted_a_moment_ago_counts_as_terminating() -> None:
    """What the API server has just agreed to delete is a replica no more."""
    pods = seated(0, 1)
    outcome = Outcome(removed=(Remove(pods[1], Why.SURPLUS),))

    assert counts(summarized(desired(1), observed(*pods), outcome, NOW)) == ALL_WELL | {"terminating": 1}


def test_a_pod_deleted_twice_keeps_its_first_time() -> None:
    """A pod that was on its way out before is counted once."""
    dying = gone("web-1")
    outcome = Outcome(removed=(Remove(dying, Why.HISTORY),))

    assert counts(summarized(desired(1), observed(*seated(0), dying), outcome, NOW)) == ALL_WELL | {"terminating": 1}


def test_the_status_says_which_generation_and_which_selector_it_is_about() -> None:
    """The observed generation follows the spec; the selector is the string that an HPA lists pods by."""
    group = desired(generation=7, selector=Selector((("app", "web"), ("tier", "front"))))
    status = summarized(group, observed(), NOTHING, NOW)

    assert (status.observed_generation, status.selector) == (7, "app=web,tier=front")


WORLDS = {
    "all is well": (desired(3), observed(*seated(0, 1, 2))),
    "it is empty and wants none": (desired(0), observed()),
    "pods are missing": (desired(3), observed(*seated(0))),
    "pods are too many, dying and failed": (
        desired(1),
        observed(*seated(0, 1), gone("d"), pod("f", phase=Phase.FAILED)),
    ),
    "a pod was replaced and is Ready": (
        desired(1),
        observed(
            pod("new", lost_at=NOW - 9, ready_since=NOW - 1),
            status=Status(healing=Healing(total=1, last_replacement="new")),
        ),
    ),
}


@pytest.mark.parametrize(("group", "seen"), WORLDS.values(), ids=WORLDS.keys())
def test_an_unchanged_world_has_an_unchanged_status(group: Desired, seen: Observed) -> None:
    """What was told last and is still so is told in the same words, with the same times: nothing is to be written."""
    group = replace(group, progress_deadline_seconds=None)
    first = summarized(group, seen, NOTHING, NOW)

    assert first == summarized(group, replace(seen, status=first), NOTHING, NOW + 1000)


LOST = loss(0, "web-0-old", cause=Cause.EVICTED)
RECORD = Healing(
    total=4,
    last_time=NOW - 100,
    last_cause="Deleted",
    last_pod="web-1-old",
    last_replacement="web-1-new",
    last_recovery_seconds=1.5,
)


def record(outcome: Outcome, before: Healing, *pods: Pod) -> Healing:
    """Give the record of replacements after an outcome, but for what is in test_record.py."""
    healing = summarized(desired(), observed(*pods, status=Status(healing=before)), outcome, NOW).healing
    return replace(healing, by_cause=(), recent=())


def test_a_replacement_is_recorded() -> None:
    """A create that makes up for a loss counts, and the record says what was replaced by what, why and when."""
    assert Healing(
        total=5, last_time=NOW, last_cause="Evicted", last_pod="web-0-old", last_replacement="web-0-new"
    ) == record(Outcome(created=(Create("web-0-new", 0, 1, "r1", LOST),)), RECORD)


def test_several_replacements_at_once_all_count_and_the_last_is_told() -> None:
    """Three pods lost together are three replacements."""
    lost = (LOST, loss(1), loss(2, "web-2-old"))
    created = tuple(Create(f"web-{slot}-new", slot, 1, "r1", each) for slot, each in enumerate(lost))

    assert Healing(
        total=3, last_time=NOW, last_cause="Deleted", last_pod="web-2-old", last_replacement="web-2-new"
    ) == record(Outcome(created=created), Healing())


def test_a_new_pod_that_replaces_nobody_is_no_replacement() -> None:
    """Scaling up heals nothing."""
    assert record(Outcome(created=(Create("web-3-new", 3, 0, "r1"),)), RECORD) == RECORD


def test_replacements_and_new_pods_together_count_only_the_replacements() -> None:
    """The last create may be for a new slot: the record tells of the last that replaced a pod."""
    created = (Create("web-0-new", 0, 1, "r1", LOST), Create("web-3-new", 3, 0, "r1"))
    healing = record(Outcome(created=created), Healing())

    assert (healing.total, healing.last_replacement) == (1, "web-0-new")


PENDING = replace(RECORD, last_recovery_seconds=None)
RECOVERIES = {
    "nothing was ever replaced": (Healing(), seated(0), None),
    "the replacement is not there": (PENDING, seated(0), None),
    "the replacement is not Ready": (PENDING, (pod("web-1-new", lost_at=NOW - 9, ready_since=None),), None),
    "the replacement is Ready": (PENDING, (pod("web-1-new", lost_at=NOW - 9, ready_since=NOW - 6.7504),), 2.25),
    "the replacement was seen to become Ready: its node tells whole seconds only": (
        PENDING,
        (pod("web-1-new", lost_at=NOW - 9, ready_since=NOW - 7, ready_seen=NOW - 6.75),),
        2.25,
    ),
    "the replacement was Ready before its loss was noticed, by its node's clock": (
        PENDING,
        (pod("web-1-new", lost_at=NOW - 9, ready_since=NOW - 9.5),),
        0.0,
    ),
    "only an earlier replacement is Ready": (
        PENDING,
        (pod("web-2-new", lost_at=NOW - 90, ready_since=NOW - 80),),
        None,
    ),
    "a pod of the same name replaces nobody": (PENDING, (pod("web-1-new"),), None),
    "it was measured before, and the replacement became Ready anew": (
        RECORD,
        (pod("web-1-new", lost_at=NOW - 9000, ready_since=NOW - 1),),
        1.5,
    ),
    "it was measured before, and the replacement is gone": (RECORD, (), 1.5),
}


@pytest.mark.parametrize(("before", "pods", "seconds"), RECOVERIES.values(), ids=RECOVERIES.keys())
def test_a_recovery_is_measured_once(before: Healing, pods: tuple[Pod, ...], seconds: float | None) -> None:
    """The seconds from the last loss until its replacement is first seen Ready, in milliseconds' precision."""
    assert seconds == record(NOTHING, before, *pods).last_recovery_seconds


def test_the_status_is_about_our_own_pods() -> None:
    """Two groups with one selector count their own pods each."""
    mine, theirs = seated(0), seated(1, controller=OTHER_UID)

    assert [
        summarized(desired(1, uid=uid), observed(*mine, *theirs), NOTHING, NOW).replicas
        for uid in (GROUP_UID, OTHER_UID)
    ] == [1, 1]

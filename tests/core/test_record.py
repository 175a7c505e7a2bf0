"""The record of replacements: totals by cause, the last heals in short with their stages, and their numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, create, desired, loss, observed, planned, pod, seated, summarized, told
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model.actions import Evidence
from podgroup_operator.core.model.loss import Cause, Loss, Wait
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.status import Heal, Healing
from podgroup_operator.core.record import KEPT, evidence, measured
from podgroup_operator.core.view import view_of
from podgroup_operator.core.waits import BACKOFF

AILED = (NOW - 200, NOW - 50)
"""Since when it ailed, and from when on that counted as a loss."""

LOST = loss(
    0,
    "web-0-old",
    cause=Cause.CRASH_LOOP,
    at=NOW - 2,
    node="node-7",
    seen="container app: exit code 1",
    ailed=AILED,
    wait=Wait(BACKOFF, NOW - 40),
)
EVIDENCE = Evidence(7, noticed=150.0, decided=50.0, waited=40.0, waited_for=BACKOFF)
HEAL = Heal(
    number=7,
    cause="CrashLoop",
    pod="web-0-old",
    node="node-7",
    seen="container app: exit code 1",
    replacement=create(0, 1).name,
    lost=NOW - 2,
    began=NOW - 200,
    created=0.25,
    noticed=150.0,
    decided=50.0,
    waited=40.0,
    waited_for=BACKOFF,
)


def heals(slot: int, number: int, lost: Loss | None = None) -> Any:
    """Build a create that is a heal, and was answered after a quarter of a second."""
    return create(slot, 1, lost or loss(slot), evidence=replace(EVIDENCE, number=number), took=0.25)


def record(before: Healing, *pods: Any, created: tuple[Any, ...] = ()) -> Healing:
    """Give the record after what was created."""
    return summarized(desired(), observed(*pods, status=told(3, healing=before)), Outcome(created=created)).healing


def test_what_is_known_of_a_heal_when_it_is_decided() -> None:
    """How long the pod ailed before it counted as lost, and how long it was held back since then, and by what."""
    assert evidence(view_of(desired(), observed(), NOW), LOST, 7) == EVIDENCE


def test_one_that_was_deleted_was_noticed_at_once() -> None:
    """There was no sign before its end, and nothing was waited for."""
    assert evidence(view_of(desired(), observed(), NOW), loss(0, at=NOW - 0.5), 1) == Evidence(1, decided=0.5)


def test_a_heal_is_kept_in_short() -> None:
    """What was lost, where, what was seen of it, what replaced it and how soon is kept, and counted by its cause."""
    healing = record(Healing(total=6, by_cause=(("Deleted", 6),)), created=(heals(0, 7, LOST),))
    assert healing.recent == (HEAL,)
    assert healing.by_cause == (("CrashLoop", 1), ("Deleted", 6))


def test_the_newest_come_first_and_only_ten_stay() -> None:
    """Of three that are made together the last one comes first; older ones go."""
    before = Healing(recent=tuple(replace(HEAL, number=number, ready=1.0) for number in range(KEPT, 0, -1)))
    created = tuple(heals(slot, 11 + slot) for slot in range(3))
    assert [each.number for each in record(before, created=created).recent] == [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]


@pytest.mark.parametrize(
    ("changes", "scheduled", "ready", "approximate"),
    [
        ({"scheduled_seen": NOW + 0.5, "ready_seen": NOW + 2.0}, 0.25, 1.5, False),
        ({"scheduled": NOW + 0.5}, 0.25, 2.5, True),
        ({}, 0.0, 2.75, True),
        ({"scheduled_seen": NOW + 9.0, "ready_seen": NOW + 2.0}, 1.75, 0.0, False),
        ({"scheduled_seen": NOW - 9.0, "ready_seen": NOW - 8.0}, 0.0, 0.0, False),
    ],
    ids=["seen", "by the API's words", "nobody knows the node's time", "in the wrong order", "a clock was set"],
)
def test_the_stages_of_a_heal(changes: dict[str, float], scheduled: float, ready: float, approximate: bool) -> None:  # noqa: FBT001 - a fact
    """From the create until there was a node, and from then until it was Ready; none is ever negative."""
    heir = pod(HEAL.replacement, slot=0, lost_at=NOW - 2, ready_since=NOW + 3, node="node-8", **changes)
    done = measured(HEAL, {heir.name: heir})
    assert (done.scheduled, done.ready, done.approximate, done.replacement_node) == (
        scheduled,
        ready,
        approximate,
        "node-8",
    )


SECONDS = st.floats(0, 1e5).map(lambda seconds: round(seconds, 3))


@given(st.tuples(SECONDS, SECONDS, SECONDS, SECONDS, SECONDS))
def test_the_stages_add_up_to_the_whole(stages: tuple[float, ...]) -> None:
    """The five stages are the time from the first sign until the replacement was Ready, to the millisecond."""
    noticed, decided, created, scheduled, ready = stages
    heal = replace(HEAL, began=NOW, noticed=noticed, decided=decided, created=created)
    bound = NOW + noticed + decided + created + scheduled
    heir = pod(HEAL.replacement, ready_since=NOW, scheduled_seen=bound, ready_seen=bound + ready)
    done = measured(heal, {heir.name: heir})
    assert done.recovery == pytest.approx(sum(stages), abs=0.002)
    assert min(done.noticed, done.decided, done.created, done.scheduled or 0.0, done.ready or 0.0) >= 0


def test_the_stages_are_noted_once() -> None:
    """How long it took until a replacement was Ready is noted once, whichever of the last ones it is."""
    heir = pod(HEAL.replacement, slot=0, lost_at=NOW - 2, ready_since=NOW, ready_seen=NOW + 1)
    healing = record(Healing(recent=(replace(HEAL, number=8, replacement="gone"), HEAL)), heir)
    assert [each.recovery for each in healing.recent] == [None, 201.0]
    assert record(healing, replace(heir, ready_since=NOW + 5, ready_seen=NOW + 5)).recent == healing.recent


@pytest.mark.parametrize(
    ("seconds", "earlier", "times"),
    [(8.0, (2.0, 1.0, 3.0), 4.0), (7.9, (2.0, 1.0, 3.0), None), (8.0, (2.0, 1.0), None), (0.9, (0.1,) * 3, None)],
    ids=["four times the median", "hardly", "too few to tell", "all in less than a second"],
)
def test_an_unusual_heal_says_so(seconds: float, earlier: tuple[float, ...], times: float | None) -> None:
    """One that takes four times as long as the median of those before it is told apart."""
    before = tuple(
        replace(HEAL, number=6, noticed=0.0, decided=0.0, created=0.0, scheduled=0.0, ready=each) for each in earlier
    )
    heal = replace(HEAL, began=NOW, noticed=0.0, decided=0.0, created=0.0)
    heir = pod(HEAL.replacement, slot=0, ready_since=NOW, ready_seen=NOW + seconds)
    assert record(Healing(recent=(heal, *before)), heir).recent[0].unusual == times


@pytest.mark.parametrize(
    ("healing", "numbers", "first"),
    [
        (Healing(), (0, 0), 1),
        (Healing(total=4), (0, 0), 5),
        (Healing(total=4, recent=(replace(HEAL, number=9),)), (0, 0), 10),
        (Healing(total=4), (0, 12), 13),
        (Healing(total=4), (7, 2**63 - 1), 8),
    ],
    ids=["the first", "by the total", "by the last one", "by a pod, where the status was lost", "forged"],
)
def test_heals_are_numbered(healing: Healing, numbers: tuple[int, int], first: int) -> None:
    """Each heal has a number above all that are known; what is made for no loss has none."""
    pods = [replace(each, heal=number) for each, number in zip(seated(0, 1), numbers, strict=True)]
    seen = observed(*pods, losses={2: loss(2), 3: loss(3)}, status=told(4, healing=healing))
    found = {each.slot: each.evidence and each.evidence.number for each in planned(desired(5), seen).creates}
    assert found == {2: first, 3: first + 1, 4: None}


def test_a_pod_bears_the_evidence() -> None:
    """The replacement bears the number of its heal, so that logs can be cut by it, and what was known of the loss."""
    annotations = pod_manifest(desired(), {}, heals(0, 7, LOST))["metadata"]["annotations"]
    assert annotations["selfheal.dev/heal"] == "7"
    assert annotations["selfheal.dev/evidence"] == (
        '{"node":"node-7","seen":"container app: exit code 1","noticedSeconds":150.0,"decidedSeconds":50.0,'
        '"waitedSeconds":40.0,"waitedFor":"Backoff"}'
    )
    at_once = create(0, 1, loss(0, "web-0-old"), evidence=Evidence(8))
    annotations = pod_manifest(desired(), {}, at_once)["metadata"]["annotations"]
    assert annotations["selfheal.dev/evidence"] == '{"noticedSeconds":0.0,"decidedSeconds":0.0}'
    plain = pod_manifest(desired(), {}, create(0))["metadata"]["annotations"]
    assert not {"selfheal.dev/heal", "selfheal.dev/evidence"} & plain.keys()

"""The record of replacements: totals by cause, the last heals in short, and their numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, create, desired, loss, observed, planned, pod, seated, summarized, told
from podgroup_operator.core.manifest import pod_manifest
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.status import Heal, Healing
from podgroup_operator.core.record import KEPT

LOST = loss(0, "web-0-old", cause=Cause.CRASH_LOOP, at=NOW - 2, node="node-7", seen="container app: exit code 1")
HEAL = Heal(7, "CrashLoop", "web-0-old", "node-7", "container app: exit code 1", create(0, 1).name, NOW - 2, 2.0)


def record(before: Healing, *pods: Any, created: tuple[Any, ...] = ()) -> Healing:
    """Give the record after what was created."""
    return summarized(desired(), observed(*pods, status=told(3, healing=before)), Outcome(created=created)).healing


def test_a_heal_is_kept_in_short() -> None:
    """What was lost, where, what was seen of it, what replaced it and how soon is kept, and counted by its cause."""
    healing = record(Healing(total=6, by_cause=(("Deleted", 6),)), created=(create(0, 1, LOST, number=7),))
    assert healing.recent == (HEAL,)
    assert healing.by_cause == (("CrashLoop", 1), ("Deleted", 6))


def test_the_newest_come_first_and_only_ten_stay() -> None:
    """Of three that are made together the last one comes first; older ones go."""
    before = Healing(recent=tuple(replace(HEAL, number=number, ready=1.0) for number in range(KEPT, 0, -1)))
    created = tuple(create(slot, 1, loss(slot), number=11 + slot) for slot in range(3))
    assert [each.number for each in record(before, created=created).recent] == [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]


@pytest.mark.parametrize(("ready", "seconds"), [(None, None), (NOW - 0.5, 1.5)])
def test_it_is_noted_when_the_replacement_is_ready(ready: float | None, seconds: float | None) -> None:
    """How long it took until a replacement was Ready is noted once, whichever of the last ones it is."""
    heir = pod(HEAL.replacement, slot=0, lost_at=NOW - 2, ready_since=ready)
    healing = record(Healing(recent=(replace(HEAL, number=8, replacement="gone"), HEAL)), heir)
    assert [each.ready for each in healing.recent] == [None, seconds]
    again = record(healing, replace(heir, ready_since=NOW))
    assert seconds is None or again.recent == healing.recent


@pytest.mark.parametrize(
    ("healing", "numbers", "first"),
    [
        (Healing(), (0, 0), 1),
        (Healing(total=4), (0, 0), 5),
        (Healing(total=4, recent=(replace(HEAL, number=9),)), (0, 0), 10),
        (Healing(total=4), (0, 12), 13),
    ],
    ids=["the first", "by the total", "by the last one", "by a pod, where the status was lost"],
)
def test_heals_are_numbered(healing: Healing, numbers: tuple[int, int], first: int) -> None:
    """Each heal has a number above all that are known; what is made for no loss has none."""
    pods = [replace(each, heal=number) for each, number in zip(seated(0, 1), numbers, strict=True)]
    seen = observed(*pods, losses={2: loss(2), 3: loss(3)}, status=told(4, healing=healing))
    found = {each.slot: each.number for each in planned(desired(5), seen).creates}
    assert found == {2: first, 3: first + 1, 4: 0}


def test_a_pod_bears_its_number() -> None:
    """The replacement bears the number of its heal, so that logs can be cut by it."""
    made = pod_manifest(desired(), {}, create(0, 1, LOST, number=7))
    assert made["metadata"]["annotations"]["selfheal.dev/heal"] == "7"
    assert "selfheal.dev/heal" not in pod_manifest(desired(), {}, create(0))["metadata"]["annotations"]

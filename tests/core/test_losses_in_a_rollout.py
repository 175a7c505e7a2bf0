"""What was lost while nobody watched a rollout is made good, and is no heal: we may have deleted it ourselves."""

from dataclasses import replace

import pytest

from builders import NOW, desired, gone, observed, planned, pod, told
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType

OLD, NEW = "old", "new"
GROUP = replace(desired(3), revision=NEW, update_revision=NEW, former=OLD)
TOLD = told(3, updated=1, update_revision=NEW, observed_generation=GROUP.generation)


def heals(seen: Observed, strategy: Strategy | None = None) -> set[bool]:
    """Tell whether the pods that are made at a first look heal."""
    group = replace(GROUP, strategy=strategy or GROUP.strategy)
    creates = planned(group, replace(seen, first_look=True, templates=frozenset({OLD, NEW}))).creates
    return {create.heals is not None for create in creates}


def old_on_its_way(slot: int) -> Pod:
    """Build an old pod that is being deleted."""
    return replace(gone(f"web-{slot}", slot=slot, deleted=NOW - 1), revision=OLD)


def seated(revision: str, *slots: int) -> tuple[Pod, ...]:
    """Build Ready pods of a revision."""
    return tuple(replace(pod(f"web-{slot}", slot=slot), revision=revision) for slot in slots)


@pytest.mark.parametrize(
    "seen",
    [
        observed(*seated(OLD, 0), *seated(NEW, 1), old_on_its_way(2), status=TOLD),
        observed(*seated(NEW, 0, 1), old_on_its_way(2), status=TOLD),
        observed(*seated(NEW, 0, 1), status=TOLD),
        observed(*seated(NEW, 0, 1), old_on_its_way(2), status=replace(TOLD, updated=3, observed_generation=0)),
    ],
    ids=[
        "an old pod on its way out",
        "the last old pod on its way out",
        "a pod that is gone without a trace",
        "of the rollout nothing was told yet",
    ],
)
def test_what_a_rollout_may_have_deleted_is_no_heal(seen: Observed) -> None:
    """An operator that was killed right after its delete does not take its own deed for a loss."""
    assert heals(seen) == {False}


def test_recreate_deletes_and_heals_nothing() -> None:
    """Nor does it with Recreate, where all go before one comes."""
    ended = [replace(old_on_its_way(slot), phase=Phase.SUCCEEDED, finished=NOW) for slot in range(3)]
    seen = observed(*ended, status=replace(TOLD, updated=0))
    assert heals(seen, Strategy(type=StrategyType.RECREATE)) == {False}


def test_a_pod_that_was_asked_for_is_no_heal() -> None:
    """What somebody had asked us to replace is none, though no rollout is under way."""
    asked = replace(gone("web-2", slot=2, deleted=NOW - 1), revision=NEW, asked=True)
    assert heals(observed(*seated(NEW, 0, 1), asked, status=replace(TOLD, updated=3))) == {False}


def test_without_a_rollout_it_is_a_heal() -> None:
    """What went unseen while nothing was to be rolled was taken by others."""
    assert heals(observed(*seated(NEW, 0, 1), status=replace(TOLD, updated=3))) == {True}


def test_what_was_seen_in_a_rollout_is_a_heal() -> None:
    """A loss that was seen to happen is known not to be ours."""
    loss = Loss(2, "web-2", Cause.DELETED, NOW - 1, revision=OLD)
    assert heals(observed(*seated(NEW, 0, 1), losses={2: loss}, status=TOLD)) == {True}


@pytest.mark.parametrize(
    ("available", "unavailable", "made"),
    [(4, 0, [OLD, OLD]), (4, 1, [OLD]), (4, 2, [OLD]), (2, 0, [NEW])],
    ids=["none may be unavailable", "one may", "two may", "those that were gone were not available"],
)
def test_a_new_pod_stands_for_none_that_we_cannot_have_taken(available: int, unavailable: int, made: list[str]) -> None:
    """Of four old pods two are gone without a trace beside one that is new and never was available."""
    group = replace(GROUP, replicas=4, strategy=Strategy(max_surge=Share(1), max_unavailable=Share(unavailable)))
    status = replace(TOLD, replicas=5, updated=1, available=available)
    new = replace(pod("web-3", slot=3, ready_since=None), revision=NEW)
    seen = replace(observed(*seated(OLD, 2, 3), new, status=status), first_look=True, templates=frozenset({OLD, NEW}))
    assert [each.revision for each in planned(group, seen).creates if each.lane is Lane.CREATE] == made

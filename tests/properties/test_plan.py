"""What holds for every plan, whatever is wanted and whatever is seen."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import strategies
from builders import GROUP_UID, NOW, alive, planned, pod, wanted
from podgroup_operator.core.haste import PILE_UP
from podgroup_operator.core.model.actions import Why
from podgroup_operator.core.model.desired import Desired, PodReplacement
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.times import finish_of
from podgroup_operator.core.view import view_of

anybody = given(group=strategies.groups, seen=strategies.views())
unrefused = given(group=strategies.groups, seen=strategies.views(refused=False))


def members(seen: Observed) -> list[Pod]:
    """Give the live pods that the group has."""
    return [one for one in seen.pods if one.controller == GROUP_UID and wanted(one) and alive(one)]


def spared(seen: Observed, decision: Plan) -> int:
    """Count the live pods of the group that a plan leaves."""
    return len(members(seen)) - sum(alive(delete.pod) for delete in decision.removes)


def captive(seen: Observed) -> int:
    """Count the live pods that the group would let go, but may not: their replacements wait."""
    ours = [one for one in seen.pods if one.controller == GROUP_UID and alive(one) and not wanted(one)]
    return sum(one.uid in seen.stuck for one in ours)


def waits(seen: Observed, lane: Lane) -> bool:
    """Tell whether a kind of write has to wait after a refusal."""
    return lane in seen.held and seen.held[lane].wait > 0


def waited_for(group: Desired, seen: Observed) -> int:
    """Count the pods that have to go before others take their places."""
    dying = [one for one in seen.pods if one.controller == GROUP_UID and wanted(one) and one.deleted is not None]
    if group.pod_replacement is PodReplacement.TERMINATION_STARTED:
        return captive(seen)
    return captive(seen) + sum(one.phase not in {Phase.FAILED, Phase.SUCCEEDED} for one in dying)


@anybody
def test_a_plan_makes_or_deletes_up_to_what_is_wanted_and_no_further(group: Desired, seen: Observed) -> None:
    """There is never a surplus by our making, nor a lack by our deleting; no plan does both."""
    decision = planned(group, seen, NOW)
    size = len(members(seen)) + len(decision.adopts)

    assert decision.missing == group.replicas - size
    surplus = len(members(seen)) - spared(seen, decision)
    assert not decision.creates or size + len(decision.creates) + waited_for(group, seen) <= group.replicas
    assert not surplus or size - surplus >= group.replicas
    assert not (decision.creates and surplus)


@unrefused
def test_a_plan_goes_all_the_way(group: Desired, seen: Observed) -> None:
    """What is missing is made, unless creates are refused or held back; what is too much goes once all are adopted."""
    decision = planned(group, seen, NOW)

    surplus = len(members(seen)) - spared(seen, decision)
    assert len(decision.creates) + decision.held == max(decision.missing - waited_for(group, seen), 0)
    assert surplus == (0 if decision.adopts else max(-decision.missing, 0))


@anybody
def test_finished_pods_are_kept_up_to_the_limit(group: Desired, seen: Observed) -> None:
    """As many of the finished pods stay as may, the newest; besides them the last one of a streak of failures may."""
    decision = planned(group, seen, NOW)
    finished = {one.uid: one for one in seen.pods if one.controller == GROUP_UID and wanted(one) and corpse(one)}
    gone = {delete.pod.uid for delete in decision.removes} & finished.keys()
    streak = view_of(group, seen, NOW).streak
    last = {streak.last.uid} & finished.keys() if streak.last else set()
    kept = finished.keys() - gone - last
    stuck = kept & seen.stuck

    most = min(len(finished), group.failed_pods_history_limit)
    assert {each.pod.uid for each in decision.removes if each.why is Why.HISTORY} == gone
    assert not gone & seen.stuck
    assert not gone or not waits(seen, Lane.REMOVE)
    assert most - len(last) <= len(kept)
    assert len(kept) <= most + len(stuck) or waits(seen, Lane.REMOVE)
    assert all(finish_of(finished[one]) <= finish_of(finished[other]) for one in gone for other in kept - stuck)


def corpse(one: Pod) -> bool:
    """Tell whether a pod has finished and nobody has asked for its deletion."""
    return one.deleted is None and not alive(one)


@anybody
def test_new_pods_have_names_that_are_free(group: Desired, seen: Observed) -> None:
    """No two pods of a plan have one name; none has a name that is known to be taken; no epoch comes again."""
    creates = planned(group, seen, NOW).creates
    made = {create.name for create in creates}

    assert len(made) == len(creates)
    assert not made & {one.name for one in seen.pods}
    assert not any(name in seen.names for name in made)
    assert all(create.epoch > seen.epochs.get(create.slot, -1) for create in creates)


@anybody
def test_new_pods_have_slots_that_are_empty(group: Desired, seen: Observed) -> None:
    """No two pods that a plan makes or adopts have one slot, and none that a live pod of the group has."""
    decision = planned(group, seen, NOW)
    given_out = [adopt.slot for adopt in decision.adopts] + [create.slot for create in decision.creates]

    assert len(set(given_out)) == len(given_out)
    assert not set(given_out) & {one.slot for one in members(seen)}


@anybody
def test_only_our_own_pods_are_deleted(group: Desired, seen: Observed) -> None:
    """A plan deletes no foreign pod, none that it is about to adopt or to release, and none that is going anyway."""
    ours = {one.uid for one in seen.pods if one.controller == GROUP_UID and wanted(one) and one.deleted is None}

    assert {delete.pod.uid for delete in planned(group, seen, NOW).removes} <= ours


@anybody
def test_live_pods_are_released_and_adopted_exactly_by_their_labels(group: Desired, seen: Observed) -> None:
    """Our live pods that do not match are released, nobody's that do are adopted: all that can be, if not all wait."""
    decision, held = planned(group, seen, NOW), seen.held.get(Lane.CLAIM)
    if held and held.wait > 0:
        assert (decision.adopts, decision.releases) == ((), ())
        return
    strays = {one.uid for one in seen.pods if one.controller == GROUP_UID and alive(one) and not wanted(one)}
    orphans = {one.uid for one in seen.pods if not one.controller and alive(one) and wanted(one)}

    assert {release.pod.uid for release in decision.releases} == strays - seen.stuck
    assert {adopt.pod.uid for adopt in decision.adopts} == orphans - seen.stuck


@anybody
def test_each_loss_is_made_up_for_once(group: Desired, seen: Observed) -> None:
    """No two new pods replace the same lost pod, and one that replaces nobody is made only if no loss is left.

    What is held back is left for later. At the first look no more deleted ones are made up for than are missing.
    """
    decision = planned(group, seen, NOW)
    creates = decision.creates
    replaced = [create.loss for create in creates if create.loss]
    owed = {loss for loss in seen.losses.values() if not (decision.held and loss.early)}
    told = min(seen.status.replicas, group.replicas) - len(members(seen))

    assert len(set(replaced)) == len(replaced)
    if seen.first_look:
        assert len([loss for loss in replaced if loss.cause is Cause.DELETED]) <= max(told, 0)
    else:
        assert len(replaced) == len(creates) or owed <= set(replaced) or PILE_UP in decision.why_held
        assert all(create.loss == seen.losses[create.slot] for create in creates if create.slot in seen.losses)


@anybody
def test_what_is_refused_holds_up_its_own_lane_only(group: Desired, seen: Observed) -> None:
    """A plan differs from the one without refusals by what waits, and by nothing else.

    Where all claims wait, so does what depends on them: what is not adopted is not counted, and what is not released
    still has its seat.
    """
    decision, free = planned(group, seen, NOW), planned(group, replace(seen, held={}, template_refusal=None), NOW)
    template = seen.template_refusal is not None and seen.template_refusal.wait > 0

    if waits(seen, Lane.CLAIM):
        assert (decision.adopts, decision.releases) == ((), ())
        return
    assert decision.creates == (() if template or waits(seen, Lane.CREATE) else free.creates)
    assert decision.removes == (() if waits(seen, Lane.REMOVE) else free.removes)
    assert (decision.adopts, decision.releases) == (free.adopts, free.releases)


@anybody
def test_no_pod_is_given_away_twice(group: Desired, seen: Observed) -> None:
    """Each pod is removed, adopted or released once, and only in one of these ways; none that is stuck is."""
    decision = planned(group, seen, NOW)
    given = [each.pod.uid for each in decision.removes]
    given += [each.pod.uid for each in decision.adopts] + [each.pod.uid for each in decision.releases]

    assert len(set(given)) == len(given)
    assert not set(given) & seen.stuck


@anybody
def test_a_group_that_is_being_deleted_is_left_alone(group: Desired, seen: Observed) -> None:
    """Nothing is made, deleted, adopted, released or waited for: owner references do the rest."""
    assert planned(replace(group, deleting=True), seen, NOW) == Plan()


@given(group=strategies.groups, seen=strategies.views(), data=st.data())
def test_the_order_of_the_cache_does_not_matter(group: Desired, seen: Observed, data: st.DataObject) -> None:
    """The same pods in another order give the same plan, to the last action."""
    shuffled = replace(seen, pods=tuple(data.draw(st.permutations(seen.pods))))

    assert planned(group, shuffled, NOW) == planned(group, seen, NOW)


@unrefused
def test_a_group_that_has_what_it_wants_is_left_alone(group: Desired, seen: Observed) -> None:
    """With exactly the pods that are wanted, nobody to take in and nobody to let go, nothing is done."""
    pods = tuple(one for one in seen.pods if not alive(one) or (one.controller == GROUP_UID) is wanted(one))
    settled = replace(seen, pods=pods)

    decision = planned(replace(group, replicas=len(members(settled))), settled, NOW)

    assert not (decision.adopts)
    assert not (decision.releases)
    assert not (decision.creates)
    assert spared(settled, decision) == len(members(settled))


@anybody
def test_a_plan_is_made_again_neither_too_soon_nor_never(group: Desired, seen: Observed) -> None:
    """The next look lies ahead, or it would be a hot loop; there is one if nothing but time brings what is missing."""
    decision = planned(group, seen, NOW)

    assert decision.look_again is None or decision.look_again > NOW
    assert decision.missing <= waited_for(group, seen) or decision.creates or decision.look_again is not None


@given(
    group=strategies.groups,
    seen=strategies.views(refused=False),
    status=strategies.statuses,
    losses=strategies.losses,
    first_look=st.booleans(),
    later=st.floats(0, 1e6),
)
def test_names_do_not_depend_on_time_or_on_what_may_be_forgotten(
    group: Desired,
    seen: Observed,
    status: Status,
    losses: dict[int, Loss],
    first_look: bool,  # noqa: FBT001 (drawn)
    later: float,
) -> None:
    """A create is repeated under its name though time has passed, losses are cleared and the status has changed.

    Whether it is made or held back may depend on them (`backoff.py`), but not how a slot's pod is called.
    """
    other = replace(seen, status=status, losses=losses, first_look=first_look)
    before, after = planned(group, seen, NOW), planned(group, other, NOW + later)
    named = {create.slot: create.name for create in before.creates}

    assert all(named.get(create.slot, create.name) == create.name for create in after.creates)
    assert before.held or after.held or named.keys() == {create.slot for create in after.creates}


@unrefused
def test_a_plan_that_is_carried_out_leaves_nothing_to_do(group: Desired, seen: Observed) -> None:
    """Adopt, release, make (what is held back when the plan says), then delete: the group has what it wants."""
    now = NOW
    for _ in range(8):
        decision = planned(group, seen, now)
        seen = replace(seen, pods=carried_out(seen, decision))
        now = (decision.look_again or now) if decision.held else now

    assert planned(group, seen, now).empty
    assert len(members(seen)) == group.replicas


def carried_out(seen: Observed, decision: Plan) -> tuple[Pod, ...]:
    """Give the pods that there are when a plan has been carried out and those that were dying are gone."""
    changes: dict[str, dict[str, Any]] = {}
    changes |= {adopt.pod.uid: {"controller": GROUP_UID, "slot": adopt.slot} for adopt in decision.adopts}
    changes |= {release.pod.uid: {"controller": ""} for release in decision.releases}
    deleted = {delete.pod.uid for delete in decision.removes} | {
        one.uid for one in seen.pods if one.deleted is not None
    }
    made = (pod(create.name, slot=create.slot, failures=create.failures) for create in decision.creates)
    left = (replace(one, **changes.get(one.uid, {})) for one in seen.pods if one.uid not in deleted)
    return (*left, *made)

"""What holds for every status, whatever is wanted and whatever is seen."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

import strategies
from builders import GROUP_UID, NOW, alive, planned, summarized, wanted
from podgroup_operator.core.conditions import changes_at
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.pod import Phase
from podgroup_operator.core.view import view_of

NOTHING = Outcome()


@given(group=strategies.groups, seen=strategies.views())
def test_the_counts_add_up(group: Desired, seen: Observed) -> None:
    """Every pod of the group is a replica, or terminating, or failed, or has succeeded."""
    status = summarized(group, seen, NOTHING, NOW)
    ours = [one for one in seen.pods if one.controller == GROUP_UID and wanted(one)]
    succeeded = [one for one in ours if one.phase is Phase.SUCCEEDED and one.deleted is None]

    assert status.replicas == sum(alive(one) for one in ours)
    assert status.replicas + status.terminating + status.failed + len(succeeded) == len(ours)
    assert 0 <= status.available <= status.ready <= status.replicas
    assert max(status.updated, status.fully_labeled) <= status.replicas
    assert status.unavailable == max(group.replicas - status.available, 0)


@given(group=strategies.groups, seen=strategies.views(), share=st.floats(0, 0.999))
def test_time_alone_changes_nothing_before_the_next_look(group: Desired, seen: Observed, share: float) -> None:
    """Until the plan or a condition wants another look, the status stays as it is: an idle group is not written."""
    told = replace(seen, status=summarized(group, seen, NOTHING, NOW))
    times = planned(group, told, NOW).look_again, changes_at(view_of(group, told, NOW), told.status, NOW)
    again = min((time for time in times if time is not None), default=NOW + 1e6)

    assert summarized(group, told, NOTHING, NOW + share * (again - NOW)) == told.status


@given(group=strategies.groups, seen=strategies.views(refused=False))
def test_the_status_of_a_plan_is_that_of_the_world_that_it_makes(group: Desired, seen: Observed) -> None:
    """What was just made and deleted counts as it will when it is seen, so the status need not be written again."""
    decision = planned(group, seen, NOW)
    outcome = Outcome(created=decision.creates, removed=decision.removes)
    gone = {delete.pod.uid for delete in decision.removes}
    later = replace(seen, pods=tuple(replace(one, deleted=NOW) if one.uid in gone else one for one in seen.pods))
    told, seen_later = summarized(group, seen, outcome, NOW), summarized(group, later, NOTHING, NOW)

    assert told.replicas == seen_later.replicas + len(decision.creates)
    assert (told.ready, told.available, told.terminating) == (
        seen_later.ready,
        seen_later.available,
        seen_later.terminating,
    )
    assert told.healing.total == seen.status.healing.total + sum(create.loss is not None for create in decision.creates)

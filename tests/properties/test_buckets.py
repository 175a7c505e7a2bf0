"""What holds for the view of a group: it counts its pods by their buckets, and a status counts on from there.

The view sorts and counts in one pass without asking for the bucket of each pod, for there may be ten thousand.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import strategies
from builders import GROUP_UID, LABELS, NOW, OTHER_UID, create, desired, observed, pod, wanted
from podgroup_operator.core.classify import LAST_ACTIVE, Bucket, classify, is_finished
from podgroup_operator.core.model.actions import Remove, Why
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.status import after
from podgroup_operator.core.view import Tally, view_of

MORE_LABELS = LABELS | {"tier": "front"}

groups = st.builds(
    desired, min_ready_seconds=st.sampled_from([0, 10]), template_labels=st.sampled_from([LABELS, MORE_LABELS])
)
revisions = st.sampled_from(["r1", "r0"])
# All that a bucket or a count depends on, with the edge of minReadySeconds; our own pods that live are the rule.
PODS: dict[str, st.SearchStrategy[Any]] = {
    "controller": st.sampled_from([GROUP_UID] * 5 + ["", OTHER_UID]),
    "labels": st.sampled_from([LABELS, LABELS, MORE_LABELS, MORE_LABELS, {"app": "else"}]),
    "revision": revisions,
    "phase": st.sampled_from([Phase.RUNNING] * 3 + list(Phase)),
    "ready_since": st.sampled_from([None, NOW - 11, NOW - 10, NOW - 10, NOW - 9.999, NOW + 5]),
    "deleted": st.sampled_from([None, None, None, NOW - 1]),
}
views = st.lists(st.fixed_dictionaries(PODS), min_size=1, max_size=strategies.MOST_PODS).map(
    lambda drawn: observed(*(pod(f"web-{slot}", slot=slot, **fields) for slot, fields in enumerate(drawn)))
)


def members(seen: Observed) -> list[Pod]:
    """Give the pods that the group has, in whatever state."""
    return [one for one in seen.pods if one.controller == GROUP_UID and wanted(one)]


@given(group=groups, seen=views)
def test_the_view_counts_each_pod_by_its_bucket(group: Desired, seen: Observed) -> None:
    """As many are active, Ready, available, failed and on their way out as `classify` says, one pod at a time."""
    view, ours = view_of(group, seen, NOW), members(seen)
    least = group.min_ready_seconds
    buckets = [(classify(one, least, NOW), one) for one in ours]
    count = Counter(bucket for bucket, _ in buckets)
    active = [one for bucket, one in buckets if bucket <= LAST_ACTIVE]

    assert list(view.active) == active
    assert list(view.finished) == [one for bucket, one in buckets if bucket in {Bucket.FAILED, Bucket.SUCCEEDED}]
    assert list(view.terminating) == [one for bucket, one in buckets if bucket is Bucket.TERMINATING]
    assert view.tally == Tally(
        replicas=len(active),
        ready=count[Bucket.READY] + count[Bucket.AVAILABLE],
        available=count[Bucket.AVAILABLE],
        updated=sum(one.revision == group.revision for one in active),
        updated_available=sum(bucket is Bucket.AVAILABLE and one.revision == group.revision for bucket, one in buckets),
        fully_labeled=sum(group.template_labels.items() <= one.labels.items() for one in active),
        terminating=count[Bucket.TERMINATING],
        leaving=sum(not is_finished(one) for bucket, one in buckets if bucket is Bucket.TERMINATING),
        failed=count[Bucket.FAILED],
    )
    waiting = [one.ready_since for bucket, one in buckets if bucket is Bucket.READY]
    assert view.next_available == min((since + least for since in waiting if since is not None), default=None)


@given(group=groups, seen=views, made=st.lists(revisions, max_size=3), data=st.data())
def test_a_status_counts_on_as_the_next_view_will(
    group: Desired, seen: Observed, made: list[str], data: st.DataObject
) -> None:
    """What was removed and made counts at once as it will when it is seen, whatever was removed, made of whatever."""
    view = view_of(group, seen, NOW)
    doomed = data.draw(st.lists(st.sampled_from(view.members), unique_by=lambda one: one.uid)) if view.members else []
    outcome = Outcome(
        created=tuple(create(slot, revision=revision) for slot, revision in enumerate(made, start=100)),
        removed=tuple(Remove(one, Why.SURPLUS) for one in doomed),
    )
    left = [replace(one, deleted=NOW) if one in doomed and one.deleted is None else one for one in seen.pods]
    new = [
        pod(each.name, labels=group.template_labels, revision=each.revision, slot=each.slot, ready_since=None)
        for each in outcome.created
    ]

    assert after(view, outcome) == view_of(group, replace(seen, pods=(*left, *new)), NOW).tally

"""The plan: what is done for a group, as literals."""

import pytest

from builders import HOUR, NOW, OTHER_UID, create, desired, gone, loss, observed, orphan, planned, pod, seated, told
from podgroup_operator.core.budget import BURST
from podgroup_operator.core.model.actions import Adopt, Release, Remove, Why
from podgroup_operator.core.model.desired import Desired, PodReplacement
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Phase
from podgroup_operator.core.model.refusal import Lane, Refusal

SOON, PAST = Refusal("quota", 5.0), Refusal("quota", -1.0)
STRAY = orphan()
CHEAP = pod("web-1", slot=1, deletion_cost=-1)
RELABELLED = pod("web-1", slot=1, labels={"app": "else"})

OLDEST_CORPSE, OLD_CORPSE, NEW_CORPSE = (
    pod(f"corpse-{age}", phase=phase, created=NOW - age, ready_since=None)
    for age, phase in ((30, Phase.FAILED), (20, Phase.SUCCEEDED), (10, Phase.FAILED))
)

PLANS: dict[str, tuple[Desired, Observed, Plan]] = {
    "beside a pod that must be kept and is not available no other is too many": (
        desired(1),
        observed(*seated(0), pod("kept", slot=1, kept=True, ready_since=None)),
        Plan(missing=-1),
    ),
    "a cheap pod is not too many before a dear one is available": (
        desired(1, min_ready_seconds=30),
        observed(CHEAP, pod("dear", slot=0, ready_since=NOW - 5)),
        Plan(missing=-1, look_again=NOW + 25),
    ),
    "a corpse that must be kept is no history": (
        desired(1, failed_pods_history_limit=0),
        observed(*seated(0), pod("kept", phase=Phase.FAILED, ready_since=None, kept=True)),
        Plan(),
    ),
    "a new group gets its pods": (
        desired(2),
        observed(),
        Plan(missing=2, creates=(create(0), create(1))),
    ),
    "a group that has what it wants is left alone": (desired(3), observed(*seated(0, 1, 2)), Plan()),
    "a group of none is left alone": (desired(0), observed(), Plan()),
    "pods that have yet to start count": (
        desired(1),
        observed(pod(phase=Phase.PENDING, node="", ready_since=None, slot=0)),
        Plan(),
    ),
    "a lost pod is replaced in its slot, by name": (
        desired(3),
        observed(*seated(0, 2), losses={1: loss(1)}, epochs={1: 0}),
        Plan(missing=1, creates=(create(1, 1, loss(1)),)),
    ),
    "a dying pod is replaced at once": (
        desired(2),
        observed(*seated(0), gone("web-1", slot=1), losses={1: loss(1)}, epochs={1: 0}),
        Plan(missing=1, creates=(create(1, 1, loss(1)),)),
    ),
    "with TerminationComplete a dying pod keeps its place until it is gone": (
        desired(2, pod_replacement=PodReplacement.TERMINATION_COMPLETE),
        observed(*seated(0), gone("web-1", slot=1), losses={1: loss(1)}, epochs={1: 0}),
        Plan(missing=1),
    ),
    "with TerminationComplete a dying pod that has finished keeps nobody waiting": (
        desired(2, pod_replacement=PodReplacement.TERMINATION_COMPLETE),
        observed(*seated(0), gone("web-1", slot=1, phase=Phase.FAILED), losses={1: loss(1)}, epochs={1: 0}),
        Plan(missing=1, creates=(create(1, 1, loss(1)),)),
    ),
    "with TerminationComplete another controller's dying pod keeps nobody waiting": (
        desired(1, pod_replacement=PodReplacement.TERMINATION_COMPLETE),
        observed(gone("other", controller=OTHER_UID)),
        Plan(missing=1, creates=(create(0),)),
    ),
    "finished pods beyond the limit go, the oldest first": (
        desired(1),
        observed(*seated(0), NEW_CORPSE, OLD_CORPSE, OLDEST_CORPSE),
        Plan(removes=(Remove(OLDEST_CORPSE, Why.HISTORY), Remove(OLD_CORPSE, Why.HISTORY))),
    ),
    "with a limit of none all finished pods go": (
        desired(1, failed_pods_history_limit=0),
        observed(*seated(0), NEW_CORPSE),
        Plan(removes=(Remove(NEW_CORPSE, Why.HISTORY),)),
    ),
    "a finished pod that is being deleted already is left alone": (
        desired(1, failed_pods_history_limit=0),
        observed(*seated(0), gone("web-1", phase=Phase.FAILED)),
        Plan(),
    ),
    "another controller's finished pods are not ours to delete": (
        desired(1, failed_pods_history_limit=0),
        observed(*seated(0), pod("other", controller=OTHER_UID, phase=Phase.FAILED), orphan(phase=Phase.FAILED)),
        Plan(),
    ),
    "a failed pod is replaced and left for a look": (
        desired(2),
        observed(*seated(0), pod("web-1", slot=1, phase=Phase.FAILED), epochs={1: 3}),
        Plan(missing=1, creates=(create(1, 4),)),
    ),
    "a pod whose label was changed is released and replaced": (
        desired(2),
        observed(*seated(0), RELABELLED, epochs={1: 0}),
        Plan(
            missing=1,
            releases=(Release(RELABELLED),),
            creates=(create(1, 1, loss(1, at=NOW, revision="r1", ready_since=RELABELLED.ready_since)),),
        ),
    ),
    "an orphan is adopted instead of making a pod": (
        desired(2),
        observed(*seated(0), STRAY),
        Plan(adopts=(Adopt(STRAY, 1),)),
    ),
    "an orphan is adopted and what is still missing is made": (
        desired(3),
        observed(*seated(0), STRAY),
        Plan(missing=1, adopts=(Adopt(STRAY, 1),), creates=(create(2),)),
    ),
    "an orphan too many is adopted first; which pod goes is decided when it is ours": (
        desired(1),
        observed(*seated(0), STRAY),
        Plan(missing=-1, adopts=(Adopt(STRAY, 1),)),
    ),
    "a surplus pod goes, the cheapest first": (
        desired(1),
        observed(*seated(0), pod("web-1", slot=1, ready_since=None)),
        Plan(missing=-1, removes=(Remove(pod("web-1", slot=1, ready_since=None), Why.SURPLUS),)),
    ),
    "scaled to none, all go": (
        desired(0),
        observed(*seated(0, 1)),
        Plan(missing=-2, removes=tuple(Remove(each, Why.SURPLUS) for each in seated(0, 1))),
    ),
    "another controller's pods are nobody's surplus": (
        desired(0),
        observed(pod(controller=OTHER_UID), orphan(labels={})),
        Plan(),
    ),
    "a dying pod is not deleted again": (desired(0), observed(gone("web-0")), Plan()),
    "a group that is being deleted gets nothing and loses nothing": (
        desired(3, deleting=True),
        observed(*seated(0, 1, 2, 3), STRAY, RELABELLED, held={Lane.CREATE: SOON}),
        Plan(),
    ),
    "after a refused create nothing is made before its time": (
        desired(1),
        observed(held={Lane.CREATE: SOON}),
        Plan(missing=1, look_again=NOW + 5),
    ),
    "after a refused create it is tried again when its time has come": (
        desired(1),
        observed(held={Lane.CREATE: PAST}),
        Plan(missing=1, creates=(create(0),)),
    ),
    "with a refused template nothing is made before its time": (
        desired(1),
        observed(template_refusal=SOON),
        Plan(missing=1, look_again=NOW + 5),
    ),
    "of two refusals the first is over: the group still waits for the second": (
        desired(1),
        observed(template_refusal=Refusal("bad", 30.0), held={Lane.CREATE: PAST}),
        Plan(missing=1, look_again=NOW + 30),
    ),
    "of two refusals the one of the template is over: creates still wait": (
        desired(1),
        observed(template_refusal=Refusal("bad"), held={Lane.CREATE: SOON}),
        Plan(missing=1, look_again=NOW + 5),
    ),
    "of two refusals neither is over: nothing is made at the first look": (
        desired(1),
        observed(template_refusal=Refusal("bad", 30.0), held={Lane.CREATE: SOON}),
        Plan(missing=1, look_again=NOW + 5),
    ),
    "after a refused removal nothing surplus goes before its time": (
        desired(1),
        observed(*seated(0), CHEAP, held={Lane.REMOVE: SOON}),
        Plan(missing=-1, look_again=NOW + 5),
    ),
    "after a refused removal it is tried again when its time has come": (
        desired(1),
        observed(*seated(0), CHEAP, held={Lane.REMOVE: PAST}),
        Plan(missing=-1, removes=(Remove(CHEAP, Why.SURPLUS),)),
    ),
    "after a refused removal finished pods stay until its time": (
        desired(1, failed_pods_history_limit=0),
        observed(*seated(0), NEW_CORPSE, held={Lane.REMOVE: SOON}),
        Plan(look_again=NOW + 5),
    ),
    "a refused create keeps no finished pod": (
        desired(2, failed_pods_history_limit=0),
        observed(*seated(0), NEW_CORPSE, held={Lane.CREATE: SOON}),
        Plan(missing=1, removes=(Remove(NEW_CORPSE, Why.HISTORY),), look_again=NOW + 5),
    ),
    "a refused removal keeps neither an orphan out nor a stray in": (
        desired(2),
        observed(*seated(0), STRAY, RELABELLED, held={Lane.REMOVE: SOON}),
        Plan(adopts=(Adopt(STRAY, 1),), releases=(Release(RELABELLED),), look_again=NOW + 5),
    ),
    "a surplus pod that cannot be removed is passed over: the others go": (
        desired(0),
        observed(*seated(0, 1, 2), stuck=frozenset({"uid-web-1"})),
        Plan(missing=-3, removes=tuple(Remove(each, Why.SURPLUS) for each in seated(0, 2))),
    ),
    "a surplus pod that cannot be removed does not cost another one its life": (
        desired(1),
        observed(*seated(0), CHEAP, stuck=frozenset({CHEAP.uid})),
        Plan(missing=-1),
    ),
    "a finished pod that cannot be removed is passed over: the others go": (
        desired(1, failed_pods_history_limit=0),
        observed(*seated(0), OLDEST_CORPSE, OLD_CORPSE, NEW_CORPSE, stuck=frozenset({OLD_CORPSE.uid})),
        Plan(removes=(Remove(OLDEST_CORPSE, Why.HISTORY), Remove(NEW_CORPSE, Why.HISTORY))),
    ),
    "a refusal does not keep surplus pods": (
        desired(1),
        observed(*seated(0), CHEAP, held={Lane.CREATE: SOON}),
        Plan(missing=-1, removes=(Remove(CHEAP, Why.SURPLUS),), look_again=NOW + 5),
    ),
    "a refusal does not keep an orphan out": (
        desired(1),
        observed(STRAY, held={Lane.CREATE: SOON}),
        Plan(adopts=(Adopt(STRAY, 0),), look_again=NOW + 5),
    ),
    "a pod that becomes available is waited for": (
        desired(1, min_ready_seconds=10),
        observed(pod(ready_since=NOW - 4)),
        Plan(look_again=NOW + 6),
    ),
    "of two times the earlier is waited for": (
        desired(2, min_ready_seconds=10),
        observed(pod(slot=0, ready_since=NOW - 8), held={Lane.CREATE: SOON}),
        Plan(missing=1, look_again=NOW + 2),
    ),
    "pods lost while nobody watched are replaced as such": (
        desired(1),
        observed(status=told(1), first_look=True),
        Plan(missing=1, creates=(create(0, 0, Loss(0, "", Cause.DELETED, NOW)),)),
    ),
}


@pytest.mark.parametrize(("group", "seen", "expected"), PLANS.values(), ids=PLANS.keys())
def test_a_group_gets_the_plan_that_it_needs(group: Desired, seen: Observed, expected: Plan) -> None:
    """The whole plan, and nothing but the plan, follows from what is wanted and what is seen."""
    assert expected == planned(group, seen, NOW)


def test_a_plan_makes_no_more_than_a_burst() -> None:
    """A thousand missing pods are made in plans of 500, with a look between them."""
    decision = planned(desired(1000), observed(), NOW)

    assert (decision.missing, len(decision.creates)) == (1000, BURST)


def test_a_plan_buries_no_more_than_a_burst() -> None:
    """A thousand finished pods go in plans of 500, the oldest first."""
    corpses = [pod(f"corpse-{age}", phase=Phase.FAILED, created=NOW - HOUR - age) for age in range(1000)]
    decision = planned(desired(0, failed_pods_history_limit=0), observed(*corpses), NOW)

    assert [each.pod for each in decision.removes] == corpses[: -BURST - 1 : -1]


def test_a_plan_deletes_no_more_than_a_burst() -> None:
    """A thousand surplus pods go in plans of 500, with a look between them."""
    decision = planned(desired(0), observed(*seated(*range(1000))), NOW)

    assert (decision.missing, len(decision.removes)) == (-1000, BURST)


EMPTY = {
    "nothing at all": (Plan(), True),
    "waiting": (Plan(missing=1, look_again=NOW), True),
    "an adoption": (Plan(adopts=(Adopt(STRAY, 0),)), False),
    "a release": (Plan(releases=(Release(RELABELLED),)), False),
    "a create": (Plan(creates=(create(0),)), False),
    "a delete": (Plan(removes=(Remove(STRAY, Why.SURPLUS),)), False),
}


@pytest.mark.parametrize(("decision", "empty"), EMPTY.values(), ids=EMPTY.keys())
def test_a_plan_is_empty_when_nothing_is_to_be_done(decision: Plan, empty: bool) -> None:  # noqa: FBT001 (a table's column)
    """Waiting is not doing; every kind of action is."""
    assert empty is decision.empty

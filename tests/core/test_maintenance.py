"""Maintenance of nodes: who gets a replacement before it goes, when it goes, and what is one too many again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import HOUR, NOW, desired, loss, observed, planned, pod, summarized
from podgroup_operator.core.model.actions import How, Why
from podgroup_operator.core.model.healing import Wishes
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.node import Node, Storm
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType
from podgroup_operator.core.takeover import FIRST_MINUTE

ASKED = Wishes(surge_on_drain=True)
ONE_MORE = Strategy(max_surge=Share(1), max_unavailable=Share(0))
GROUP = desired(healing=ASKED, strategy=ONE_MORE)

NODES = {name: Node(name, name, 1, maintained=name == "old") for name in ("old", "other", "new")}
SEEN: dict[str, Any] = {"nodes": NODES, "maintained": {"old"}}


def member(slot: int, node: str = "other", **changes: Any) -> Pod:
    """Build a pod of the group on a node."""
    return pod(f"web-{slot}", **({"slot": slot, "node": node} | changes))


def spare(slot: int = 0, **changes: Any) -> Pod:
    """Build the spare that stands beside the pod of a seat."""
    told = {"cause": "Maintenance", "replaces": f"web-{slot}", "created": NOW - 9, "ready_since": NOW - 1}
    return pod(changes.pop("name", f"web-{slot}-b"), **(told | {"slot": slot, "node": "new"} | changes))


DRAINED = (member(0, "old"), member(1), member(2))


def test_the_replacement_comes_first() -> None:
    """A pod on a node under maintenance gets its replacement, in its seat; it stays, and the nodes are avoided."""
    plan = planned(GROUP, observed(*DRAINED, nodes=NODES, maintained={"old", "also"}))
    (create,) = plan.creates
    assert plan.removes == ()
    assert create.loss
    assert (create.slot, create.lane, create.loss.cause, create.loss.pod) == (0, Lane.SURGE, Cause.MAINTENANCE, "web-0")
    assert create.heals
    assert {node for node, _ in create.loss.avoids} == {"old", "also"}


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"healing": Wishes()}, {}),
        ({"healing": replace(ASKED, paused=True)}, {}),
        ({"strategy": replace(ONE_MORE, max_surge=Share(0))}, {}),
        ({"strategy": Strategy(StrategyType.RECREATE)}, {}),
        ({"replicas": 2}, {}),
        ({}, {"maintained": {"new"}}),
        ({}, {"began": NOW - 59}),
        ({}, {"storm": Storm(raging=True)}),
        ({}, {"storm": Storm(until=NOW + 1)}),
        ({}, {"template_refusal": Refusal("no", 5.0)}),
        ({}, {"held": {Lane.SURGE: Refusal("full", 5.0)}}),
        ({}, {"held": {Lane.CREATE: Refusal("full", 5.0)}}),
    ],
    ids=[
        "nobody asks for it",
        "healing is paused",
        "no surge",
        "Recreate has none",
        "there is one too many anyway",
        "another node",
        "the first minute",
        "a storm",
        "after a storm",
        "the template is refused",
        "the surge is",
        "so are replacements",
    ],
)
def test_no_replacement_comes_first(changes: dict[str, Any], seen: dict[str, Any]) -> None:
    """It is off by default, needs room within maxSurge, and waits where anything else has to wait."""
    assert planned(replace(GROUP, **changes), observed(*DRAINED, **(SEEN | seen))).creates == ()


@pytest.mark.parametrize(
    "changes", [{"kept": True}, {"ready_since": None}, {"deleted": NOW - 1}], ids=["kept", "not Ready", "going"]
)
def test_who_gets_none(changes: dict[str, Any]) -> None:
    """One that is kept stays, one that does not serve loses nothing, and one that goes already is replaced as ever."""
    plan = planned(GROUP, observed(replace(DRAINED[0], **changes), *DRAINED[1:], **SEEN))
    assert [each for each in plan.creates if each.loss and each.loss.cause is Cause.MAINTENANCE] == []


def test_no_more_than_the_surge() -> None:
    """However many pods have to go, no more than maxSurge are made beyond replicas."""
    pods = [member(slot, "old") for slot in range(5)]
    group = replace(GROUP, replicas=5, strategy=replace(ONE_MORE, max_surge=Share(2)))
    assert len(planned(group, observed(*pods, **SEEN)).creates) == 2
    assert len(planned(group, observed(*pods, spare(0, ready_since=None), **SEEN)).creates) == 1
    assert planned(group, observed(*pods, *(spare(slot, ready_since=None) for slot in (0, 1)), **SEEN)).creates == ()


def test_a_loss_goes_first() -> None:
    """While a pod is missing only that is made, and a spare stands for none that is lost."""
    lost = observed(*DRAINED[:2], losses={2: loss(2)}, **SEEN)
    assert [each.loss.cause for each in planned(GROUP, lost).creates if each.loss] == [Cause.DELETED]
    beside = observed(*DRAINED[:2], spare(ready_since=None), losses={2: loss(2)}, **SEEN)
    assert [each.slot for each in planned(GROUP, beside).creates] == [2]


@pytest.mark.parametrize(
    ("changes", "seen", "goes"),
    [
        ({}, {}, True),
        ({"ready_since": None}, {}, False),
        ({"node": "old"}, {}, False),
        ({}, {"held": {Lane.EVICT: Refusal("no", 5.0)}}, False),
        ({}, {"protected": frozenset({"uid-web-0"})}, False),
        ({}, {"began": NOW - 59}, False),
        ({}, {"storm": Storm(raging=True)}, False),
    ],
    ids=["available", "not available", "on such a node itself", "the lane waits", "a budget", "at once", "storm"],
)
def test_the_old_one_goes_when_the_new_one_is_available(
    changes: dict[str, Any],
    seen: dict[str, Any],
    goes: bool,  # noqa: FBT001 - a fact, not a switch
) -> None:
    """The old pod is evicted when its replacement is available, on a node that stays; its end is no loss."""
    plan = planned(GROUP, observed(*DRAINED, spare(**changes), **(SEEN | seen)))
    told = [(each.pod.name, each.why, each.how, each.loss) for each in plan.removes]
    assert told == ([("web-0", Why.MAINTAINED, How.EVICT, None)] if goes else [])
    assert plan.creates == ()


def test_never_fewer_than_replicas() -> None:
    """A replacement that is available stands in for another that is not, or is lost: then the old pod stays."""
    lenient = replace(GROUP, strategy=replace(ONE_MORE, max_unavailable=Share(1)))
    pods = (*DRAINED[:2], member(2, ready_since=None), spare())
    assert planned(lenient, observed(*pods, **SEEN)).removes == ()
    assert planned(lenient, observed(*DRAINED[:2], spare(), losses={2: loss(2)}, **SEEN)).removes == ()
    assert [each.pod.name for each in planned(lenient, observed(*pods, nodes=NODES)).removes] == ["web-0-b"]
    assert planned(GROUP, observed(*pods, nodes=NODES)).removes == ()


def test_however_much_may_be_unavailable_the_new_one_comes_first() -> None:
    """The bound `maxUnavailable` lets no old pod go before its replacement is available, and one of these is enough."""
    lenient = replace(GROUP, strategy=Strategy(max_surge=Share(2), max_unavailable=Share(2)))
    late = spare(name="web-0-c", uid="c", ready_since=None)
    assert planned(lenient, observed(*DRAINED, late, **SEEN)).removes == ()
    plan = planned(lenient, observed(*DRAINED, late, spare(), **SEEN))
    assert {each.pod.name: each.why for each in plan.removes} == {"web-0": Why.MAINTAINED, "web-0-c": Why.SURPLUS}


def test_min_ready_seconds_are_waited_for() -> None:
    """With minReadySeconds the old pod stays until the replacement has been Ready for so long, without news."""
    plan = planned(replace(GROUP, min_ready_seconds=10), observed(*DRAINED, spare(), **SEEN))
    assert (plan.removes, plan.look_again) == ((), NOW - 1 + 10)


@pytest.mark.parametrize(
    ("changes", "old", "seen"),
    [
        ({}, {}, {"maintained": set()}),
        ({}, {"kept": True}, {}),
        ({"healing": Wishes()}, {}, {}),
        ({"healing": replace(ASKED, paused=True)}, {}, {"maintained": set()}),
        ({"strategy": replace(ONE_MORE, max_surge=Share(0))}, {}, {}),
    ],
    ids=["uncordoned", "the old one must be kept", "switched off", "healing is paused", "no surge any more"],
)
@pytest.mark.parametrize("ready", [None, NOW - 1], ids=["not Ready yet", "available"])
def test_one_too_many_again(
    changes: dict[str, Any], old: dict[str, Any], seen: dict[str, Any], ready: float | None
) -> None:
    """If its node stays after all the replacement goes, never the old pod."""
    plan = planned(
        replace(GROUP, **changes),
        observed(replace(DRAINED[0], **old), *DRAINED[1:], spare(ready_since=ready), **(SEEN | seen)),
    )
    assert [(each.pod.name, each.why, each.how) for each in plan.removes] == [("web-0-b", Why.SURPLUS, How.DELETE)]


def test_the_first_minute_takes_no_spare() -> None:
    """A new leader that has yet to hear of nodes leaves both pods for a minute, and then needs no news."""
    plan = planned(GROUP, observed(*DRAINED, spare(), began=NOW - 1))
    assert (plan.empty, plan.look_again) == (True, NOW - 1 + FIRST_MINUTE)


def test_a_pod_that_somebody_else_took_is_replaced_once() -> None:
    """When the drain takes the old pod first its replacement stands for it: no second one, whatever is remembered."""
    plan = planned(GROUP, observed(*DRAINED[1:], spare(), losses={0: loss(0, cause=Cause.EVICTED)}, **SEEN))
    assert plan.empty


def test_what_fails_is_made_more_slowly() -> None:
    """Where pods of the template keep failing the replacement waits as any other does."""
    failed: dict[str, Any] = {
        "phase": Phase.FAILED,
        "failures": 3,
        "created": NOW - 5,
        "finished": NOW - 1,
        "ready_since": None,
    }
    corpse = member(7, started=True, **failed)
    plan = planned(GROUP, observed(*DRAINED, corpse, **SEEN))
    assert (plan.creates, plan.held) == ((), 1)


def test_a_rollout_goes_first() -> None:
    """What a rollout takes away gets no spare; it takes those first that a drain would, and both have one maxSurge."""
    old = [replace(each, revision="r0") for each in (member(0), member(1, "old"), member(2))]
    rolling = planned(GROUP, observed(*old, **SEEN))
    assert [(each.slot, each.revision, each.loss) for each in rolling.creates] == [(1, "r1", None)]
    made = observed(*old[:2], member(2, "old"), spare(2, ready_since=None), **SEEN)
    assert planned(GROUP, made).creates == (), "the spare has all of it"


def test_an_outdated_spare_is_in_nobodys_way() -> None:
    """A spare of the former template that is not available gives its room to the rollout."""
    old = [replace(each, revision="r0") for each in DRAINED]
    plan = planned(GROUP, observed(*old, spare(revision="r0", ready_since=None), **SEEN))
    assert [each.pod.name for each in plan.removes] == ["web-0-b"]


def test_partition_and_pause_keep_the_revision() -> None:
    """Where a pod is to stay as it is its replacement is as it was."""
    old = [replace(each, revision="r0") for each in DRAINED]
    group = replace(GROUP, former="r0", paused=True)
    (create,) = planned(group, observed(*old, templates={"r0", "r1"}, **SEEN)).creates
    assert create.revision == "r0"


def test_scaling_in_takes_no_spare_for_a_replica() -> None:
    """A spare is none of the replicas when the group is to shrink."""
    plan = planned(replace(GROUP, replicas=2), observed(*DRAINED, spare(ready_since=None), **SEEN))
    assert len(plan.removes) == 1
    assert plan.removes[0].pod.name in {"web-0", "web-1", "web-2"}


def test_it_is_ready_meanwhile() -> None:
    """A group with all its replicas and a spare is Ready, and no rollout is under way."""
    status = summarized(GROUP, observed(*DRAINED, spare(ready_since=None), **SEEN), Outcome())
    ready = next(each for each in status.conditions if each.type == "Ready")
    assert (ready.status, status.replicas, status.available, status.unavailable) == ("True", 4, 3, 0)
    plan = planned(GROUP, observed(*DRAINED, **SEEN))
    made = summarized(GROUP, observed(*DRAINED, **SEEN), Outcome(created=plan.creates))
    assert next(each for each in made.conditions if each.type == "Ready").status == "True"
    assert (made.healing.total, made.healing.last_cause) == (1, "Maintenance")


def test_without_the_right_to_see_nodes_it_is_said() -> None:
    """Where nodes are not seen nothing is done, and the group says so."""
    plan = planned(GROUP, observed(*DRAINED))
    assert (plan.empty, "ClusterRole" in plan.suppressed) == (True, True)
    assert planned(replace(GROUP, healing=Wishes()), observed(*DRAINED)).suppressed == ""


@pytest.mark.parametrize("changes", [{"created": NOW - 2 * HOUR}, {"replaces": "web-0-b"}], ids=["younger", "itself"])
def test_a_forged_spare_is_none(changes: dict[str, Any]) -> None:
    """A pod that says of itself that it stands beside a younger one, or itself, counts as any other."""
    assert planned(GROUP, observed(*DRAINED[1:], spare(0, **changes), nodes=NODES)).empty
    assert planned(GROUP, observed(*DRAINED[:2], spare(0, **({"replaces": "web-1"} | changes)), nodes=NODES)).empty


@pytest.mark.parametrize("uid", ["a", "z"])
def test_both_may_be_made_within_a_second(uid: str) -> None:
    """A spare is one though it was made in the same second as the pod that it replaces."""
    beside = spare(uid=uid, created=DRAINED[0].created, ready_since=None)
    assert planned(GROUP, observed(*DRAINED, beside, **SEEN)).empty

"""The record of replacements: each loss is told once, with its cause, across restarts and awkward moments."""

import asyncio

import pytest

from fakeapi import Answer, Cut, Hold
from fakeapi.client import a_group, a_pod
from fakeapi.faults import Fault
from fakeapi.resources import Obj
from podgroup_operator import metrics
from shell.healing import group, healed
from shell.stage import Stage, names

REPLACES, CAUSE, LOST_AT = "selfheal.dev/replaces", "selfheal.dev/cause", "selfheal.dev/lost-at"


def told(stage: Stage) -> list[tuple[str, str]]:
    """Give which pod each replacement says to replace, and why, in the order of their making."""
    made = [change.object["metadata"]["annotations"] for change in stage.api.history("pods") if change.type == "ADDED"]
    return [(each[REPLACES], each[CAUSE]) for each in made if REPLACES in each]


def replacement_of(stage: Stage, name: str) -> Obj:
    """Give the pod that replaces another."""
    (found,) = [pod for pod in stage.api.pods() if pod["metadata"]["annotations"].get(REPLACES) == name]
    return found


def heals(cause: str) -> float:
    """Give how many replacements the metrics count."""
    return metrics.registry.get_sample_value("podgroup_heals_total", {"cause": cause}) or 0


async def test_a_replacement_is_told_in_every_place_alike(stage: Stage) -> None:
    """In the status, on the pod, by an Event and by the metrics, to the microsecond."""
    first, *_ = await group(stage, 2)
    before = heals("Deleted")
    stage.now += 0.25
    stage.api.delete("pods", first)
    stage.hear()
    lost_at = "2027-01-15T08:00:00.250000Z"
    stage.now += 0.5
    await stage.settle()
    new = replacement_of(stage, first)["metadata"]
    heal = {
        "number": 1,
        "cause": "Deleted",
        "pod": first,
        "node": "node-0",
        "replacement": new["name"],
        "lostTime": lost_at,
        "noticedSeconds": 0.0,
        "decidedSeconds": 0.5,
        "createdSeconds": 0.0,
    }
    assert new["annotations"]["selfheal.dev/heal"] == "1"
    assert stage.status()["healing"] == {
        "total": 1,
        "lastTime": "2027-01-15T08:00:00.750000Z",
        "lastCause": "Deleted",
        "lastPod": first,
        "lastReplacement": new["name"],
        "byCause": {"Deleted": 1},
        "recent": [heal],
    }
    assert (new["annotations"][CAUSE], new["annotations"][LOST_AT]) == ("Deleted", lost_at)
    note = f"{new['name']} replaced {first} (Deleted on node-0) in 0.500 s"
    assert ("PodHealed", note) in stage.recorder.told
    assert heals("Deleted") == before + 1


async def test_the_recovery_time_is_measured_once(stage: Stage) -> None:
    """From the loss until the replacement was seen to be Ready; a later flicker changes nothing."""
    first, *_ = await group(stage, 1)
    stage.api.delete("pods", first)
    await stage.settle()
    new = replacement_of(stage, first)["metadata"]["name"]
    stage.now += 1.5
    stage.api.set_pod(new, node="node-0", ready=True)
    await stage.settle()
    assert stage.status()["healing"]["lastRecoverySeconds"] == 1.5
    for ready in (False, True):
        stage.now += 60
        stage.api.set_pod(new, ready=ready)
        await stage.settle()
    assert stage.status()["healing"]["lastRecoverySeconds"] == 1.5


async def test_the_next_replacement_clears_the_recovery_time(stage: Stage) -> None:
    """While it is not Ready there is no time to tell."""
    first, *_ = await group(stage, 1)
    stage.api.delete("pods", first)
    await stage.settle()
    second = replacement_of(stage, first)["metadata"]["name"]
    stage.api.set_pod(second, node="node-0", ready=True)
    await stage.settle()
    stage.api.delete("pods", second)
    await stage.settle()
    assert stage.status()["healing"]["lastPod"] == second
    assert "lastRecoverySeconds" not in stage.status()["healing"]


async def test_a_replacement_that_dies_is_replaced_and_told_as_often(stage: Stage) -> None:
    """Each is the loss of the next, in one seat, under names that were never used before."""
    lost = await group(stage, 1)
    for _ in range(4):
        stage.api.delete("pods", lost[-1], grace=0)
        await stage.settle()
        lost += names(stage.api.pods())
    assert told(stage) == [(name, "Deleted") for name in lost[:-1]]
    assert len(set(lost)) == 5
    assert stage.status()["healing"]["total"] == 4


async def test_a_pod_that_dies_before_the_answer_to_its_create_is_a_loss_too(stage: Stage) -> None:
    """The watch may tell of a pod's birth and death before the answer tells of its birth."""
    first, *_ = await group(stage, 1)
    stage.api.delete("pods", first, grace=0)
    stage.hear()
    gate = asyncio.Event()
    stage.api.faults.add(Hold(gate, after=True), verb="create", resource="pods")
    looking = asyncio.create_task(stage.look())
    await stage.api.until(lambda: bool(stage.api.pods()), "the replacement is there")
    (second,) = names(stage.api.pods())
    stage.hear()
    stage.api.delete("pods", second)
    stage.hear()
    gate.set()
    await looking
    await stage.settle()
    assert told(stage) == [(first, "Deleted"), (second, "Deleted")]
    assert stage.status()["healing"]["total"] == 2


async def test_a_pod_that_dies_while_others_are_deleted_is_a_loss_too(stage: Stage) -> None:
    """A group that shrinks has a surplus; what it loses just then is replaced, and told."""
    made = await group(stage, 3)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    stage.hear()
    gate = asyncio.Event()
    stage.api.faults.add(Hold(gate, after=True), verb="delete")
    looking = asyncio.create_task(stage.look())
    await stage.api.until(lambda: bool(stage.writes("delete")), "one is deleted")
    await stage.api.until(lambda: stage.api.requests[-1].version == stage.api.version, "the delete has happened")
    kept = [name for name in made if name != stage.writes("delete")[0].name]
    stage.api.delete("pods", kept[0])
    stage.hear()
    gate.set()
    await looking
    await stage.settle()
    assert told(stage) == [(kept[0], "Deleted")]
    assert stage.status()["healing"]["total"] == 1


async def test_a_loss_that_need_not_be_replaced_is_no_healing(stage: Stage) -> None:
    """A pod that dies when there are too many anyway is forgotten, and not replaced when the group grows again."""
    made = await group(stage, 2)
    stage.api.delete("pods", made[0])
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 1}})
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    await stage.settle()
    assert (told(stage), stage.status()["healing"]) == ([], {"total": 0})


async def test_what_was_lost_while_nobody_looked_is_replaced_and_counted(stage: Stage) -> None:
    """An operator that starts finds out from the status how many pods there were; who they were it cannot know."""
    made = await group(stage, 3)
    for name in made[:2]:
        stage.api.delete("pods", name, grace=0)
    second = Stage(stage.api, stage.cluster)
    second.hear()
    await second.settle()
    assert len(stage.api.pods()) == 3
    assert {pod["metadata"]["annotations"].get(CAUSE) for pod in stage.api.pods()} == {None, "Deleted"}
    assert second.status()["healing"]["total"] == 2


async def test_the_record_survives_a_restart(stage: Stage) -> None:
    """A new operator counts on from the status."""
    made = await group(stage, 2)
    stage.api.delete("pods", made[0])
    await stage.settle()
    second = Stage(stage.api, stage.cluster)
    await second.settle()
    stage.api.delete("pods", made[1])
    await second.settle()
    assert (second.status()["healing"]["total"], second.status()["healing"]["lastPod"]) == (2, made[1])


@pytest.mark.parametrize("wrong", [True, False])
async def test_a_seat_that_two_pods_claim_is_no_reason_for_two_replacements(stage: Stage, *, wrong: bool) -> None:
    """One of them is lost and one is made for it; the record says so once, whatever else is refused."""
    first, second, _ = await group(stage, 3)
    slot = stage.api.get("pods", first)["metadata"]["labels"]["selfheal.dev/slot"]
    if wrong:
        stage.api.patch("pods", second, {"metadata": {"labels": {"selfheal.dev/slot": slot}}})
    await stage.settle()
    stage.api.delete("pods", second)
    await stage.settle()
    assert told(stage) == [(second, "Deleted")]
    assert stage.status()["healing"]["total"] == 1
    assert stage.family().losses == {}


async def test_what_was_lost_before_a_start_is_counted_though_it_cannot_be_replaced_at_once(stage: Stage) -> None:
    """The status tells of fewer pods meanwhile, and that they were lost is still known when they may be made."""
    stage.api.create("podgroups", a_group("web", 3))
    await stage.settle()
    stage.api.delete("pods", names(stage.api.pods())[0], grace=0)
    again = Stage(stage.api, stage.cluster)
    again.now = stage.now + 60
    stage.api.access.deny("create", "pods")
    await again.settle()
    assert (again.status()["replicas"], again.status()["healing"]["total"]) == (2, 0)
    stage.api.access.allow("create", "pods")
    again.now += 20
    await again.settle()
    assert (again.status()["replicas"], again.status()["healing"]["total"]) == (3, 1)


LOST_ANSWERS = [Cut(after=True), Answer(500, after=True), Answer(504, after=True)]


async def unanswered_heal(stage: Stage, fault: Fault, times: int = 1) -> tuple[str, str]:
    """Lose one of two pods, and the answer to the create of its replacement; give the names of both."""
    first, *_ = await group(stage, 2)
    stage.api.delete("pods", first, grace=0)
    stage.api.faults.add(fault, verb="create", resource="pods", times=times)
    stage.hear()
    await stage.look()
    return first, replacement_of(stage, first)["metadata"]["name"]


@pytest.mark.parametrize("fault", LOST_ANSWERS, ids=repr)
async def test_a_replacement_whose_create_was_not_answered_is_counted_when_it_comes(stage: Stage, fault: Fault) -> None:
    """Once in each place, though the status was written before it was known; and not again after that."""
    before = heals("Deleted")
    first, new = await unanswered_heal(stage, fault)
    assert (stage.status()["healing"]["total"], healed(stage)) == (0, [])
    stage.now += 5
    await stage.settle()
    for _ in range(3):
        stage.now += 60
        stage.api.set_pod(new, node="node-0", ready=True)
        await stage.settle()
    record = stage.status()["healing"]
    assert (record["total"], record["lastPod"], record["lastReplacement"]) == (1, first, new)
    assert [note.partition(" in ")[0] for note in healed(stage)] == [f"{new} replaced {first} (Deleted on node-0)"]
    assert heals("Deleted") == before + 1
    assert stage.status()["replicas"] == 2


async def test_a_replacement_that_is_seen_before_it_is_answered_is_counted_once(stage: Stage) -> None:
    """The watch is faster than the answer, whether that is a yes or an error."""
    for number, fault in enumerate((None, Answer(500, after=True)), start=1):
        first = (await group(stage, 1))[0] if number == 1 else names(stage.api.pods())[0]
        stage.api.delete("pods", first, grace=0)
        stage.hear()
        gate = asyncio.Event()
        stage.api.faults.clear()
        stage.api.faults.add(Hold(gate, after=True), verb="create", resource="pods")
        if fault:
            stage.api.faults.add(fault, verb="create", resource="pods")
        looking = asyncio.create_task(stage.look())
        await stage.api.until(lambda: bool(stage.api.pods()), "the replacement is there")
        stage.hear()
        gate.set()
        await looking
        stage.now += 5
        await stage.settle()
        assert (stage.status()["healing"]["total"], len(healed(stage))) == (number, number)


async def test_a_replacement_that_is_asked_for_twice_is_counted_once(stage: Stage) -> None:
    """The cache does not show it yet: the same create is answered with 409, and what it found is ours."""
    await unanswered_heal(stage, Cut(after=True))
    stage.now += 5
    stage.hear_groups()
    await stage.look()
    assert [request.code for request in stage.writes("create")][-1] == 409
    assert (stage.status()["healing"]["total"], len(healed(stage))) == (1, 1)
    await stage.settle()
    assert (stage.status()["healing"]["total"], len(healed(stage))) == (1, 1)


async def test_a_replacement_that_comes_and_dies_unanswered_is_counted(stage: Stage) -> None:
    """It was made, and is the loss of the next one."""
    first, second = await unanswered_heal(stage, Cut(after=True))
    stage.hear()
    stage.api.delete("pods", second, grace=0)
    stage.hear()
    stage.now += 5
    await stage.settle()
    assert told(stage) == [(first, "Deleted"), (second, "Deleted")]
    assert (stage.status()["healing"]["total"], len(healed(stage))) == (2, 2)


async def test_a_replacement_that_never_came_is_counted_when_it_is_made(stage: Stage) -> None:
    """The request was lost, not the answer: it is repeated, and told once."""
    first, *_ = await group(stage, 1)
    stage.api.delete("pods", first, grace=0)
    stage.api.faults.add(Cut(), verb="create", resource="pods", times=2)
    stage.hear()
    for _ in range(4):
        stage.now += 5
        await stage.settle()
    assert (stage.status()["healing"]["total"], len(healed(stage))) == (1, 1)


async def test_a_new_tenure_counts_no_replacement_of_another_one(stage: Stage) -> None:
    """What the list at its beginning shows, or is found under the name, may be anybody's: its maker has counted it."""
    await unanswered_heal(stage, Cut(after=True))
    stage.hear()
    stage.reconciler.start_anew(lambda _: True)
    stage.now += 5
    await stage.settle()
    assert (stage.status()["healing"]["total"], healed(stage)) == (0, [])


async def test_a_replacement_that_another_operator_has_made_is_not_counted(stage: Stage) -> None:
    """Our first create is answered with 409: whoever made the pod has counted it."""
    first, *_ = await group(stage, 2)
    other = Stage(stage.api, stage.cluster)
    other.hear()
    stage.api.delete("pods", first, grace=0)
    stage.hear_pods()
    other.hear()
    await other.settle()
    assert other.status()["healing"]["total"] == 1
    stage.hear_groups()
    await stage.look()
    assert [request.code for request in stage.writes("create")][-1] == 409
    await stage.settle()
    assert (stage.status()["healing"]["total"], healed(stage)) == (1, [])


async def test_an_adoption_that_is_refused_takes_no_loss_away(stage: Stage) -> None:
    """An orphan would have made the loss good; it may not be taken in, so the loss is healed, and counted."""
    first, _ = await group(stage, 2)
    stage.api.faults.add(Answer(403), verb="patch", resource="pods", times=None)
    stage.api.create("pods", a_pod("stray", labels={"selfheal.dev/podgroup": "web"}))
    stage.api.delete("pods", first, grace=0)
    await stage.settle()
    stage.now += 30
    await stage.settle()
    assert stage.status()["healing"]["total"] == 1

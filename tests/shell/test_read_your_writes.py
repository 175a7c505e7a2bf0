"""Nothing is decided while the caches are behind our own writes, or behind what may have happened unseen."""

import asyncio

import pytest

from fakeapi import Answer, Cut, Hold
from fakeapi.client import a_group, a_pod
from podgroup_operator import metrics
from podgroup_operator.api.refusals import Refused
from podgroup_operator.observe.written import Written
from shell.stage import NAMESPACE, Stage, names, slots

KEY = (NAMESPACE, "web")


async def group(stage: Stage, replicas: int) -> str:
    """Create the group `web` and let it come to rest; give its UID."""
    uid: str = stage.api.create("podgroups", a_group("web", replicas))["metadata"]["uid"]
    await stage.settle()
    return uid


def skips() -> float:
    """Give how often a look was put off."""
    return metrics.registry.get_sample_value("podgroup_stale_sync_skips_total") or 0


async def test_after_a_create_the_cache_must_show_it(stage: Stage) -> None:
    """Until then a look makes no request at all, is counted, and is repeated within a second."""
    stage.api.create("podgroups", a_group("web", 3))
    stage.hear()
    await stage.look()
    before, skipped = len(stage.api.requests), skips()
    stage.hear_groups()
    assert await stage.look() == 1
    assert (len(stage.api.requests), skips()) == (before, skipped + 1)
    stage.hear_pods()
    await stage.look()
    assert len(stage.api.pods()) == 3


@pytest.mark.parametrize("grace", [True, False], ids=["gracefully", "at once"])
async def test_after_a_delete_the_cache_must_show_it(stage: Stage, *, grace: bool) -> None:
    """Whether the pod terminates or is gone at once: a second look deletes no second pod."""
    await group(stage, 3)
    for name in names(stage.api.pods()) * grace:
        stage.api.set_pod(name, node="node-0")
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    stage.hear()
    await stage.look()
    stage.hear_groups()
    for _ in range(3):
        assert await stage.look() == 1
    assert len(stage.writes("delete")) == 1
    await stage.settle()
    assert len(stage.writes("delete")) == 1


@pytest.mark.parametrize("grace", [True, False], ids=["gracefully", "at once"])
async def test_a_delete_whose_answer_is_lost_is_not_made_up_for(stage: Stage, *, grace: bool) -> None:
    """It happened: until the cache shows that, no other pod is chosen, though the victims' order may have changed."""
    await group(stage, 3)
    for name in names(stage.api.pods()) * grace:
        stage.api.set_pod(name, node="node-0")
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    stage.hear()
    stage.api.faults.add(Cut(after=True), verb="delete", resource="pods", times=2)
    await stage.look()
    victims = {request.name for request in stage.writes("delete")}
    stage.hear_groups()
    for _ in range(3):
        stage.now += 1000
        assert await stage.look() == 1
    await stage.settle()
    assert {request.name for request in stage.writes("delete")} == victims
    assert len(victims) == 1


async def test_a_delete_that_never_arrived_is_repeated(stage: Stage) -> None:
    """The pod is found alive, and the group goes on as if nothing had been asked."""
    await group(stage, 3)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    stage.api.faults.add(Cut(), verb="delete", resource="pods", times=2)
    stage.hear()
    await stage.look()
    assert len(stage.api.pods()) == 3
    stage.now += 1000
    await stage.settle()
    assert len(stage.api.pods()) == 2


async def test_after_an_unanswered_create_the_cache_is_filled_anew(stage: Stage) -> None:
    """Its pod may have come, gone and come again: what the cache shows could be the first of these lives."""
    made: list[int] = []

    async def refresh(_: str) -> None:
        made.append(len(stage.writes("create")))
        stage.hear_pods()

    stage.reconciler.refresh = refresh
    stage.api.create("podgroups", a_group("web", 1))
    stage.api.faults.add(Cut(after=True), verb="create", resource="pods", nth=2)
    stage.hear()
    await stage.look()
    assert made == []
    before = len(stage.writes("create"))
    stage.now += 1
    stage.hear_groups()
    await stage.look()
    assert made == [before]
    await stage.settle()
    assert made == [before]
    assert len(stage.api.pods()) == 1


async def test_after_an_adoption_the_cache_must_show_it(stage: Stage) -> None:
    """A pod that was just taken in is not taken in again, and not counted as missing."""
    await group(stage, 0)
    stage.api.create("pods", a_pod("stray", labels={"selfheal.dev/podgroup": "web"}))
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 1}})
    stage.hear()
    await stage.look()
    stage.hear_groups()
    assert await stage.look() == 1
    assert (len(stage.writes("patch")), stage.writes("create")) == (1, [])


async def test_a_group_that_vanished_unseen_is_read_and_forgotten(stage: Stage) -> None:
    """After a listing that did not speak of it it is read, uncached, before anything is made for it."""
    uid = await group(stage, 2)
    stage.api.delete("podgroups", "web")
    stage.api.delete("pods", names(stage.api.pods())[0])
    assert list(stage.groups.listed()) == [KEY]
    stage.hear_pods()
    before = len(stage.api.requests)
    assert await stage.look() is None
    assert [(request.verb, request.code) for request in stage.api.requests[before:]] == [("get", 404)]
    assert (stage.groups.get(KEY), stage.pods.memories.of((KEY[0], uid)).written) == (None, Written())
    assert len(stage.api.pods()) == 1


async def test_a_group_that_is_there_after_a_listing_is_read_once(stage: Stage) -> None:
    """If kopf did not speak of it in time, one read clears the doubt."""
    await group(stage, 1)
    stage.groups.listed()
    before = len(stage.api.requests)
    await stage.look()
    await stage.look()
    assert [(request.verb, request.code) for request in stage.api.requests[before:]] == [("get", 200)]


async def test_a_group_that_cannot_be_read_stays_doubtful(stage: Stage) -> None:
    """Nothing is made for it; the look fails, to be repeated."""
    await group(stage, 1)
    stage.api.delete("pods", names(stage.api.pods())[0])
    stage.groups.listed()
    stage.hear_pods()
    stage.api.faults.add(Answer(503), verb="get")
    with pytest.raises(Refused):
        await stage.look()
    assert (stage.groups.doubtful(stage.group()), stage.api.pods()) == (True, [])
    await stage.settle()
    assert len(stage.api.pods()) == 1


async def test_a_group_that_was_made_anew_unseen_is_served_as_the_new_one(stage: Stage) -> None:
    """The old one's pods are the collector's; the new one gets its own, under names of its own."""
    old = await group(stage, 2)
    stage.api.delete("podgroups", "web")
    new = stage.api.create("podgroups", a_group("web", 3))["metadata"]["uid"]
    stage.groups.listed()
    stage.hear_pods()
    await stage.look()
    assert stage.group().uid == new
    await stage.settle()
    owners = [pod["metadata"]["ownerReferences"][0]["uid"] for pod in stage.api.pods()]
    assert (owners.count(old), owners.count(new)) == (2, 3)


async def test_an_answer_from_before_a_listing_clears_no_doubt(stage: Stage) -> None:
    """A group that is read, vanishes, and is missing from a listing before the answer comes stays doubtful."""
    await group(stage, 1)
    stage.groups.listed()
    gate = asyncio.Event()
    stage.api.faults.add(Hold(gate, after=True), verb="get")
    looking = asyncio.create_task(stage.look())
    await stage.api.until(lambda: stage.api.requests[-1].verb == "get", "the group is read")
    stage.api.delete("podgroups", "web")
    stage.groups.listed()
    gate.set()
    await looking
    await stage.look()
    assert stage.groups.get(KEY) is None


async def test_the_answer_to_a_status_from_before_a_listing_clears_no_doubt(stage: Stage) -> None:
    """The same with the write of a status."""
    await group(stage, 1)
    gate = asyncio.Event()
    stage.api.faults.add(Hold(gate, after=True), verb="patch", subresource="status")
    stage.api.set_pod(names(stage.api.pods())[0], node="node-0", ready=True)
    stage.hear()
    looking = asyncio.create_task(stage.look())
    await stage.api.until(lambda: stage.status()["readyReplicas"] == 1, "the status is written")
    stage.api.delete("podgroups", "web")
    stage.groups.listed()
    gate.set()
    await looking
    await stage.look()
    assert stage.groups.get(KEY) is None


async def test_a_new_group_takes_over_the_pods_of_an_orphaned_one(stage: Stage) -> None:
    """By selector and because nobody controls them, never by name."""
    await group(stage, 2)
    stage.api.delete("podgroups", "web", policy="Orphan")
    stage.hear()
    stage.api.collector.step()
    stage.reconciler.forget(stage.group())
    first = names(stage.api.pods())
    await group(stage, 3)
    assert slots(stage.api.pods()) == ["0", "1", "2"]
    assert set(first) < set(names(stage.api.pods()))


async def test_a_group_of_whose_end_nobody_tells_is_forgotten(stage: Stage) -> None:
    """A watch may be silent for long: what is asked on its way says that it is gone, and then it is not asked again."""
    await group(stage, 2)
    stage.api.delete("podgroups", "web")
    for name in names(stage.api.pods()):
        stage.api.delete("pods", name, grace=0)
    stage.hear_pods()
    assert await stage.look() == 1
    assert (await stage.look(), stage.groups.get(KEY), stage.api.pods()) == (None, None, [])
    before = len(stage.api.requests)
    assert await stage.look() is None
    assert stage.api.requests[before:] == []

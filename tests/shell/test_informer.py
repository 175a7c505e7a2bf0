"""The informer keeps a cache equal to the API: one list, then every change. Faults are in test_informer_faults.py."""

import asyncio
from typing import Any

import pytest

from fakeapi import Answer, FakeApi, Hold, Silence
from fakeapi.client import a_group, a_pod
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.observe import informer
from shell.informed import Informed, create, running


def limits(api: FakeApi) -> list[int]:
    """Give how many pods each list request has asked for."""
    return [int(request.query["limit"]) for request in api.requests if request.verb == "list"]


REPLICA_SET = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "of-rs", "controller": True}


async def test_it_lists_then_watches_from_there(watching: Informed) -> None:
    """One list; one watch from the list's version, with bookmarks, for 20 to 24 seconds; it says when it has synced."""
    await asyncio.wait_for(watching.informer.synced.wait(), 2)
    listing, watch = watching.api.requests
    assert (listing.verb, listing.query) == ("list", {"limit": "50"})
    assert (watch.verb, watch.query["resourceVersion"]) == ("watch", str(watching.api.version))
    assert watch.query["allowWatchBookmarks"] == "true"
    assert 20 <= int(watch.query["timeoutSeconds"]) <= 24
    assert watching.store.version("default") == watching.api.version


async def test_what_happens_is_in_the_cache_a_moment_later(watching: Informed) -> None:
    """Created, changed and deleted pods; each event brings the version forward."""
    create(watching.api, "b")
    watching.api.patch("pods", "a", {"metadata": {"labels": {"x": "y"}}})
    watching.api.delete("pods", "b")
    await watching.api.until(lambda: watching.store.version("default") == watching.api.version, "all is delivered")
    assert watching.pods() == ["a"]
    assert [pod.labels for pod in watching.store.orphans("default")] == [{"x": "y"}]


async def test_only_of_what_the_watch_brings_it_is_known_when_it_came(watching: Informed) -> None:
    """A pod of the list was there before; one that is created while we watch is seen to come, and only once."""
    create(watching.api, "b")
    await watching.has("a", "b")
    watching.api.patch("pods", "b", {"metadata": {"labels": {"x": "y"}}})
    await watching.api.until(lambda: watching.store.version("default") == watching.api.version, "all is delivered")
    seen = {pod.name: pod.created_seen for pod in watching.store.orphans("default")}
    assert seen == {"a": None, "b": 0.0}  # the clock of this cache stands still


async def test_a_long_list_comes_in_chunks(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pods at two a request take three; what is written in between comes by the watch."""
    monkeypatch.setattr(informer, "FIRST_PAGE", 2)
    monkeypatch.setattr(informer, "MOST_OBJECTS", 2)
    create(api, "a", "b", "c", "d", "e")
    second = asyncio.Event()
    api.faults.add(Hold(second), verb="list", nth=2)
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: informed.asked("list") == [None, None], "the second chunk is asked for")
        version = api.version
        create(api, "f")
        api.delete("pods", "a")
        second.set()
        await informed.has("b", "c", "d", "e", "f")
        assert (len(informed.asked("list")), informed.asked("watch")) == (3, [str(version)])


async def test_a_bookmark_advances_the_version(api: FakeApi, cluster: Cluster) -> None:
    """Without any change of a pod the cache is known to be as new as the whole API."""
    api.bookmark_seconds = 0.01
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: bool(api.watches("pods")), "the informer watches")
        api.create("podgroups", a_group("g"))
        await api.until(lambda: informed.store.version("default") == api.version, "a bookmark brings the version")


async def test_a_watch_that_ends_is_opened_again_where_it_ended(watching: Informed) -> None:
    """The server closes each watch after some minutes; nothing is listed again and nothing is lost."""
    create(watching.api, "b")
    await watching.has("a", "b")
    for watch in watching.api.watches("pods"):
        watch.end()
    version = watching.api.version
    create(watching.api, "c")
    await watching.has("a", "b", "c")
    assert watching.asked("watch")[1] == str(version)
    assert len(watching.asked("list")) == 1


async def test_pods_of_other_controllers_are_not_kept(watching: Informed) -> None:
    """Nobody here has to know of them."""
    watching.api.create("pods", a_pod("b", ownerReferences=[REPLICA_SET]))
    create(watching.api, "c")
    await watching.has("a", "c")
    assert len(watching.store) == 2


async def test_an_orphan_that_another_controller_adopts_is_forgotten(watching: Informed) -> None:
    """It was nobody's and is somebody's, as good as gone."""
    watching.api.patch("pods", "a", {"metadata": {"ownerReferences": [REPLICA_SET]}})
    await watching.has()
    assert [pod.name for pod in watching.told] == ["a", "a"]


async def test_an_informer_of_a_namespace_reads_no_other(api: FakeApi, cluster: Cluster) -> None:
    """It lists and watches that namespace only, so a Role is permission enough."""
    create(api, "a")
    api.create("pods", a_pod("elsewhere"), "kube-system")
    async with running(Informed(api, cluster, "default")) as informed:
        await informed.has("a")
        await api.until(lambda: bool(api.watches("pods")), "the informer watches")
        assert len(informed.store) == 1
        assert {request.path for request in api.requests} == {"/api/v1/namespaces/default/pods"}


async def test_a_refresh_is_a_new_list(watching: Informed) -> None:
    """It returns when the cache is no older than the call, though the watch is silent; then the watch goes on."""
    watching.api.strike(Silence(), "pods")
    create(watching.api, "b")
    await asyncio.wait_for(watching.informer.refresh(), 5)
    assert watching.pods() == ["a", "b"]
    assert limits(watching.api) == [50, 1, 100], "one pod says how far, then the rest"
    create(watching.api, "c")
    await watching.has("a", "b", "c")


async def test_refreshes_share_lists(watching: Informed) -> None:
    """Who asks while a list is under way needs one that is begun later, and it is the same for all of them."""
    await asyncio.wait_for(asyncio.gather(*(watching.informer.refresh() for _ in range(9))), 5)
    assert len(watching.asked("list")) == 3


async def test_the_watch_goes_on_during_a_refresh(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The news are heard at once, and where they come as far as the list the rest of it is not asked for."""
    monkeypatch.setattr(informer, "FIRST_PAGE", 2)
    monkeypatch.setattr(informer, "MOST_OBJECTS", 2)
    create(api, "a", "b", "c", "d", "e")
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: bool(api.watches("pods")), "the informer watches")
        second = asyncio.Event()
        api.faults.add(Hold(second), verb="list", nth=2)
        api.create("podgroups", a_group("g"))  # of which the watch of pods says nothing
        refresh = asyncio.create_task(informed.informer.refresh())
        await api.until(lambda: len(informed.asked("list")) == 5, "the second chunk is asked for")
        create(api, "f")
        await informed.has("a", "b", "c", "d", "e", "f")
        second.set()
        await asyncio.wait_for(refresh, 5)
        assert (len(informed.asked("list")), len(informed.asked("watch"))) == (5, 1)


async def test_a_refresh_of_what_is_fresh_asks_for_one_pod(watching: Informed) -> None:
    """Which says how far the API is; the watch has come so far, so nothing else is asked for."""
    create(watching.api, "b", "c", "d")
    await watching.has("a", "b", "c", "d")
    await asyncio.wait_for(watching.informer.refresh(), 5)
    assert limits(watching.api) == [50, 1]


async def test_large_pods_come_in_small_pages(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page for which there is no room is asked for again with half as many, until there is."""
    monkeypatch.setattr(informer, "FIRST_PAGE", 8)
    monkeypatch.setattr(informer, "ROOM", 40_000)
    names = [f"pod-{number}" for number in range(12)]
    for name in names:
        api.create("pods", a_pod(name, annotations={"large": "x" * 10_000}))
    async with running(Informed(api, cluster)) as informed:
        await informed.has(*names)
        assert limits(api) == [8, 4, 2, 2, 2, 2, 2, 2]


async def test_small_pods_come_in_ever_larger_pages(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page has twice as many, as long as there is room for them, up to the most."""
    monkeypatch.setattr(informer, "FIRST_PAGE", 1)
    monkeypatch.setattr(informer, "MOST_OBJECTS", 4)
    names = [f"pod-{number}" for number in range(9)]
    create(api, *names)
    async with running(Informed(api, cluster)) as informed:
        await informed.has(*names)
        assert limits(api) == [1, 2, 4, 4]


async def test_one_pod_is_read_however_large_it_is(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no smaller page."""
    monkeypatch.setattr(informer, "ROOM", 1000)
    api.create("pods", a_pod("a", annotations={"large": "x" * 10_000}))
    async with running(Informed(api, cluster)) as informed:
        await informed.has("a")


async def test_a_pod_that_cannot_be_read_is_left_out(
    api: FakeApi, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """Should reading raise all the same, be it in a list or on the watch, it costs that pod and one line."""

    def read(body: dict[str, Any]) -> Pod | None:
        if body["metadata"]["name"].startswith("poison"):
            raise ZeroDivisionError
        return read_pod(body)

    create(api, "a", "poison-1")
    informed = Informed(api, cluster, read=read)
    async with running(informed):
        await informed.has("a")
        create(api, "poison-2", "b")
        await informed.has("a", "b")
        api.patch("pods", "poison-2", {"metadata": {"labels": {"x": "y"}}})
        create(api, "c")
        await informed.has("a", "b", "c")
    told = [record for record in caplog.records if record.exc_info]
    assert [record.getMessage() for record in told] == [
        f"/api/v1/pods default/poison-{number}: it cannot be read and is left out." for number in (1, 2)
    ]


async def test_a_refresh_that_fails_is_tried_again(watching: Informed) -> None:
    """Nobody is told that the cache is fresh before it is."""
    watching.api.faults.add(Answer(500), verb="list", times=2)
    create(watching.api, "b")
    await asyncio.wait_for(watching.informer.refresh(), 5)
    assert watching.pods() == ["a", "b"]
    assert len(watching.asked("list")) == 4

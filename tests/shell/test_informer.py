"""The informer keeps a cache equal to the API: one list, then every change. Faults are in test_informer_faults.py."""

import asyncio

import pytest

from fakeapi import Answer, FakeApi, Hold, Silence
from fakeapi.client import a_group, a_pod
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.observe import informer
from shell.informed import Informed, create, running

REPLICA_SET = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "of-rs", "controller": True}


async def test_it_lists_then_watches_from_there(watching: Informed) -> None:
    """One list; one watch from the list's version, with bookmarks, for 20 to 24 seconds; it says when it has synced."""
    await asyncio.wait_for(watching.informer.synced.wait(), 2)
    listing, watch = watching.api.requests
    assert (listing.verb, listing.query) == ("list", {"limit": "500"})
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


async def test_a_long_list_comes_in_chunks(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pods at two a request take three; what is written in between comes by the watch."""
    monkeypatch.setattr(informer, "CHUNK", "2")
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
    assert watching.asked("list") == [None, None]
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
    monkeypatch.setattr(informer, "CHUNK", "2")
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


async def test_a_refresh_that_fails_is_tried_again(watching: Informed) -> None:
    """Nobody is told that the cache is fresh before it is."""
    watching.api.faults.add(Answer(500), verb="list", times=2)
    create(watching.api, "b")
    await asyncio.wait_for(watching.informer.refresh(), 5)
    assert watching.pods() == ["a", "b"]
    assert len(watching.asked("list")) == 4

"""The fake API reads as kube-apiserver 1.37.2 does: lists, watches, discovery."""

import aiohttp
import pytest

from fakeapi import FakeApi
from fakeapi.client import PODGROUPS_PATH, PODS_PATH, Client, a_group, a_pod
from fakeapi.resources import Obj

ALL_PODS = "/api/v1/pods"


def names_of(body: Obj) -> list[str]:
    """Give the names in a list."""
    return [item["metadata"]["name"] for item in body["items"]]


async def test_a_list_has_the_version_of_its_moment(api: FakeApi, client: Client) -> None:
    """A list carries the newest version, its kind, and items that for built-in kinds lack kind and apiVersion."""
    api.create("pods", a_pod("a"))
    pods = (await client.ask("GET", PODS_PATH)).body
    groups = (await client.ask("GET", PODGROUPS_PATH)).body
    assert (pods["kind"], pods["metadata"]) == ("PodList", {"resourceVersion": str(api.version)})
    assert sorted(pods["items"][0]) == ["metadata", "spec", "status"]
    assert (groups["kind"], groups["apiVersion"], groups["items"]) == ("PodGroupList", "selfheal.dev/v1", [])


async def test_a_namespaced_path_shows_its_namespace_only(api: FakeApi, client: Client) -> None:
    """The path with a namespace lists that one, the path without lists all, in the order of their keys."""
    for place, name in (("kube-system", "a"), ("default", "c"), ("default", "b")):
        api.create("pods", a_pod(name), place)
    assert names_of((await client.ask("GET", PODS_PATH)).body) == ["b", "c"]
    assert names_of((await client.ask("GET", ALL_PODS)).body) == ["b", "c", "a"]
    assert names_of((await client.ask("GET", "/api/v1/namespaces/none/pods")).body) == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"labelSelector": "app=web"}, ["a", "b"]),
        ({"labelSelector": "app!=web"}, ["c", "d"]),
        ({"labelSelector": "tier"}, ["b", "c"]),
        ({"labelSelector": "!tier"}, ["a", "d"]),
        ({"labelSelector": "app in (web, db),tier notin (x)"}, ["a", "c"]),
        ({"fieldSelector": "metadata.name=a"}, ["a"]),
        ({"fieldSelector": "metadata.namespace!=default"}, []),
        ({"fieldSelector": "status.phase=Running"}, ["d"]),
        ({"fieldSelector": "spec.nodeName=node-1,metadata.name!=a"}, ["d"]),
    ],
)
async def test_selectors_select(api: FakeApi, client: Client, query: dict[str, str], names: list[str]) -> None:
    """A list shows exactly the objects that its selectors match."""
    for name, labels in (("a", {"app": "web"}), ("b", {"app": "web", "tier": "x"}), ("c", {"app": "db", "tier": "y"})):
        api.create("pods", a_pod(name, labels=labels))
    api.create("pods", a_pod("d"))
    api.set_pod("d", node="node-1", ready=True, phase="Running")
    assert names_of((await client.ask("GET", PODS_PATH, **query)).body) == names


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"fieldSelector": "spec.foo=x"}, "field label not supported: spec.foo"),
        ({"labelSelector": "a in b"}, "unable to parse requirement: a in b"),
    ],
)
async def test_an_unreadable_selector_is_refused(client: Client, query: dict[str, str], message: str) -> None:
    """A selector that the server cannot read gets 400."""
    answered = await client.ask("GET", PODS_PATH, **query)
    assert (answered.code, answered.body["message"]) == (400, message)


async def test_pages_show_one_version(api: FakeApi, client: Client) -> None:
    """All pages of a list are of the first one's moment, whatever is written between them."""
    for name in "abcde":
        api.create("pods", a_pod(name))
    first = (await client.ask("GET", PODS_PATH, limit="2")).body
    api.delete("pods", "c")
    api.create("pods", a_pod("d2"))
    api.set_pod("e", phase="Failed")
    second = (await client.ask("GET", PODS_PATH, limit="9", **{"continue": first["metadata"]["continue"]})).body
    assert (names_of(first), first["metadata"]["remainingItemCount"]) == (["a", "b"], 3)
    assert names_of(second) == ["c", "d", "e"]
    moment = int(first["metadata"]["resourceVersion"])
    assert all(int(pod["metadata"]["resourceVersion"]) <= moment for pod in second["items"])
    assert second["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


async def test_a_compacted_page_is_gone_but_can_go_on_inconsistently(api: FakeApi, client: Client) -> None:
    """After compaction the next page gets 410 Expired, with a token for the rest as it is now."""
    for name in "abc":
        api.create("pods", a_pod(name))
    first = (await client.ask("GET", PODS_PATH, limit="1")).body
    api.delete("pods", "b")
    api.compact()
    gone = await client.ask("GET", PODS_PATH, **{"continue": first["metadata"]["continue"]})
    assert (gone.code, gone.body["reason"]) == (410, "Expired")
    rest = (await client.ask("GET", PODS_PATH, **{"continue": gone.body["metadata"]["continue"]})).body
    assert names_of(rest) == ["c"]


async def test_a_version_that_is_not_yet_is_refused(api: FakeApi, client: Client) -> None:
    """A list at a future version gets 504 with Retry-After, not an older answer."""
    answered = await client.ask("GET", PODS_PATH, resourceVersion=str(api.version + 1))
    assert (answered.code, answered.retry_after) == (504, "1")
    assert answered.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
async def test_a_watch_without_a_version_begins_with_what_is_there(
    api: FakeApi, client: Client, query: dict[str, str]
) -> None:
    """Unset and "0" both begin with an ADDED for each object, then tell the changes."""
    api.create("pods", a_pod("a"))
    async with client.watch(PODS_PATH, **query) as stream:
        assert await stream.says(1) == [("ADDED", "a")]
        api.set_pod("a", node="node-0")
        assert await stream.says(1) == [("MODIFIED", "a")]


async def test_a_watch_replays_from_a_version(api: FakeApi, client: Client) -> None:
    """A watch from a version tells every change after it, in order, then what follows."""
    api.create("pods", a_pod("a"))
    version = api.version
    api.create("pods", a_pod("b"))
    api.delete("pods", "a")
    async with client.watch(PODS_PATH, resourceVersion=str(version)) as stream:
        assert await stream.says(3) == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "a")]
        api.create("pods", a_pod("c"))
        (event,) = await stream.take()
    assert event == {"type": "ADDED", "object": api.get("pods", "c")}


async def test_a_deleted_event_carries_the_version_of_the_deletion(api: FakeApi, client: Client) -> None:
    """DELETED shows the last state with a new version, so that a watch resumed from it does not see it again."""
    api.create("pods", a_pod("a"))
    version = api.version
    api.delete("pods", "a")
    async with client.watch(PODS_PATH, resourceVersion=str(version)) as stream:
        events = await stream.take(2)
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == [version + 1, version + 2]


async def test_a_compacted_version_ends_a_watch_with_an_error_event(api: FakeApi, client: Client) -> None:
    """The real server answers 200 and then an ERROR event with code 410."""
    api.create("pods", a_pod("a"))
    version = api.version
    api.create("pods", a_pod("b"))
    api.compact()
    async with client.watch(PODS_PATH, resourceVersion=str(version)) as stream:
        (event, *rest) = await stream.take(2)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"] == f"too old resource version: {version} ({api.version})"
    assert rest == []


async def test_compaction_leaves_open_watches_and_the_history_alone(api: FakeApi, client: Client) -> None:
    """A watch that is open goes on over a compaction, and an oracle still sees every change."""
    async with client.watch(PODS_PATH, resourceVersion=str(api.version)) as stream:
        api.create("pods", a_pod("a"))
        api.compact()
        api.create("pods", a_pod("b"))
        assert await stream.says(2) == [("ADDED", "a"), ("ADDED", "b")]
    assert [(change.type, change.version) for change in api.history("pods", "a")] == [("ADDED", api.version - 1)]


async def test_a_selecting_watch_is_a_view(api: FakeApi, client: Client) -> None:
    """An object that begins to match is ADDED, one that ceases is DELETED with its last matching state."""
    api.create("pods", a_pod("a", labels={"app": "db"}))
    start = {"labelSelector": "app=web", "resourceVersion": str(api.version)}
    async with client.watch(PODS_PATH, **start) as stream:
        for value in ("web", "web2", "db"):
            api.patch("pods", "a", {"metadata": {"labels": {"app": value}}})
        api.create("pods", a_pod("b", labels={"app": "web"}))
        added, deleted, other = await stream.take(3)
    assert (added["type"], deleted["type"], other["object"]["metadata"]["name"]) == ("ADDED", "DELETED", "b")
    assert deleted["object"]["metadata"]["labels"] == {"app": "web"}
    assert int(deleted["object"]["metadata"]["resourceVersion"]) == api.version - 2


async def test_a_watch_of_a_namespace_or_a_field_sees_that_only(api: FakeApi, client: Client) -> None:
    """Other namespaces and other names do not show."""
    query = {"fieldSelector": "metadata.name=b", "resourceVersion": str(api.version)}
    async with client.watch(PODS_PATH, **query) as stream:
        api.create("pods", a_pod("b"), "kube-system")
        api.create("pods", a_pod("a"))
        mine = api.create("pods", a_pod("b"))
        (event,) = await stream.take()
    assert event["object"]["metadata"]["uid"] == mine["metadata"]["uid"]


async def test_bookmarks_come_if_allowed(api: FakeApi, client: Client) -> None:
    """A bookmark tells the newest version on a quiet watch, after all events up to it."""
    api.bookmark_seconds = 0.01
    async with client.watch(PODS_PATH, resourceVersion=str(api.version), allowWatchBookmarks="true") as stream:
        api.create("podgroups", a_group("g"))
        (event,) = await stream.take()
    assert (event["type"], event["object"]["kind"]) == ("BOOKMARK", "Pod")
    assert event["object"]["metadata"] == {"resourceVersion": str(api.version)}


async def test_bookmarks_do_not_come_unasked(api: FakeApi, client: Client) -> None:
    """A client that did not allow bookmarks gets none."""
    api.bookmark_seconds = 0.01
    async with (
        client.watch(PODS_PATH, resourceVersion=str(api.version)) as plain,
        client.watch(PODS_PATH, resourceVersion=str(api.version), allowWatchBookmarks="true") as marked,
    ):
        await marked.take(3)
        api.create("pods", a_pod("a"))
        assert await plain.says(1) == [("ADDED", "a")]


async def test_initial_events_end_with_a_marked_bookmark(api: FakeApi, client: Client) -> None:
    """With sendInitialEvents the present state is followed by a bookmark that says so."""
    api.create("pods", a_pod("a"))
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    async with client.watch(PODS_PATH, **query) as stream:
        added, bookmark = await stream.take(2)
    assert (added["type"], bookmark["type"]) == ("ADDED", "BOOKMARK")
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_ends_after_its_timeout(client: Client) -> None:
    """With timeoutSeconds the stream ends cleanly by itself."""
    async with client.watch(PODS_PATH, timeoutSeconds="1") as stream:
        assert await stream.take() == []


async def test_discovery_tells_what_kopf_asks(client: Client) -> None:
    """Groups, versions and resources have the names, verbs and subresources that the real server tells."""
    groups = (await client.ask("GET", "/apis")).body["groups"]
    assert {group["name"]: group["preferredVersion"]["version"] for group in groups} == {
        "events.k8s.io": "v1",
        "apps": "v1",
        "coordination.k8s.io": "v1",
        "selfheal.dev": "v1",
        "apiextensions.k8s.io": "v1",
        "authorization.k8s.io": "v1",
    }
    resources = (await client.ask("GET", "/apis/selfheal.dev/v1")).body["resources"]
    assert [resource["name"] for resource in resources] == [
        "podgroups",
        "podgroups/status",
        "podgroups/scale",
    ]
    assert resources[0]["singularName"] == "podgroup"
    assert (resources[0]["shortNames"], resources[0]["categories"]) == (["pgrp"], ["all"])
    core = (await client.ask("GET", "/api/v1")).body["resources"]
    assert {resource["name"] for resource in core if "/" not in resource["name"]} == {
        "pods", "podtemplates", "nodes", "namespaces", "events",
    }  # fmt: skip
    assert (await client.ask("GET", "/version")).body["gitVersion"] == "v1.37.2"


async def test_a_custom_resource_lives_and_dies_with_its_definition(api: FakeApi, client: Client) -> None:
    """Without the definition the group is not served; its objects go with it, and it can come back empty."""
    name = "podgroups.selfheal.dev"
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    definition = (await client.ask("GET", path)).body
    assert definition["status"]["conditions"][1]["type"] == "Established"
    api.create("podgroups", a_group("g"))
    api.delete("customresourcedefinitions", name)
    codes = [(await client.ask("GET", where)).code for where in (path, PODGROUPS_PATH, "/apis/selfheal.dev/v1")]
    assert codes == [404, 404, 404]
    api.create("customresourcedefinitions", {"metadata": {"name": name}, "spec": definition["spec"]})
    assert (await client.ask("GET", PODGROUPS_PATH)).body["items"] == []


async def test_the_log_tells_who_asked_what_and_what_came_of_it(api: FakeApi) -> None:
    """Each request is logged with verb, resource, name, body, user agent, code and the version after it."""
    async with Client(api.url, user_agent="someone/1.0") as someone:
        await someone.ask("GET", ALL_PODS)
        await someone.ask("POST", PODS_PATH, a_pod("a"))
        await someone.ask("POST", PODS_PATH, a_pod("a"), dryRun="All")
    read, created, refused = api.requests
    assert [(each.verb, each.resource, each.name, each.code) for each in api.requests] == [
        ("list", "pods", "", 200),
        ("create", "pods", "a", 201),
        ("create", "pods", "a", 409),
    ]
    assert api.writes == [created, refused]
    assert (read.user_agent, refused.dry_run, created.body) == ("someone/1.0", True, a_pod("a"))
    assert (read.version, created.version, refused.version) == (api.version - 1, api.version, api.version)


async def test_a_connection_error_is_no_answer(api: FakeApi, client: Client) -> None:
    """A stopped fake refuses connections, as a stopped server does."""
    await api.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.ask("GET", ALL_PODS)

"""The only client of the API: an answer is a body, a refusal or nothing, whoever stands between us and the server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import orjson
import pytest
from aiohttp import web

from fakeapi import Answer, Cut, Delay, FakeApi, Hold
from fakeapi.client import a_pod
from podgroup_operator.api import cluster as module
from podgroup_operator.api import fence
from podgroup_operator.api.cluster import Cluster, NotLeading, Refused, Unreachable, pods_path
from podgroup_operator.api.login import Connection

PODS = pods_path("default")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(handler: Handler, authorization: Callable[[], str] = lambda: "") -> AsyncIterator[Cluster]:
    """Give a client of a server that is no API server."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://{}:{}".format(*runner.addresses[0])
    try:
        async with Cluster(Connection(url, None, authorization)) as cluster:
            yield cluster
    finally:
        await runner.cleanup()


async def test_a_refusal_has_the_servers_code_reason_and_words(api: FakeApi, cluster: Cluster) -> None:
    """And what else a decision may need of its Status: its causes, and how long to wait."""
    await cluster.create(PODS, a_pod("a"))
    with pytest.raises(Refused, match='pods "a" already exists') as taken:
        await cluster.create(PODS, a_pod("a"))
    assert (taken.value.code, taken.value.reason, taken.value.retry_after) == (409, "AlreadyExists", None)
    api.delete("namespaces", "default")
    with pytest.raises(Refused) as ending:
        await cluster.create(PODS, a_pod("b"))
    assert ending.value.causes == {"NamespaceTerminating"}
    api.faults.add(Answer(429, retry_after=3))
    with pytest.raises(Refused) as busy:
        await cluster.get(PODS)
    assert busy.value.retry_after == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Too many requests, please try again later.\n", "Too many requests, please try again later."),
        ("", "HTTP 503"),
        ("null", "null"),
        ('["upstream connect error"]', '["upstream connect error"]'),
        ('"no healthy upstream"', '"no healthy upstream"'),
        ('{"error": "bad gateway"}', "HTTP 503"),
        ('{"details": {"causes": null}}', "HTTP 503"),
        ("<html>" + "x" * 1000, "<html>" + "x" * 494),
    ],
)
async def test_a_refusal_that_is_no_status_is_a_refusal_all_the_same(
    api: FakeApi, cluster: Cluster, text: str, words: str
) -> None:
    """A proxy or a load balancer may answer as it likes; its words are shown, the beginning of long ones."""
    api.faults.add(Answer(503, text=text))
    with pytest.raises(Refused) as refused:
        await cluster.get(PODS)
    assert (refused.value.code, refused.value.reason, refused.value.message) == (503, "", words)


@pytest.mark.parametrize(
    ("code", "status", "safe"),
    [
        (
            422,
            {
                "message": 'Pod "web" is invalid: [spec.a: Invalid value: "hunter2": bad, spec.b: Required value]',
                "reason": "Invalid",
                "details": {
                    "causes": [
                        {"field": "spec.a", "message": 'Invalid value: "hunter2": bad'},
                        {"field": "spec.b", "message": "Required value"},
                        {"message": "policy says hunter2"},
                    ]
                },
            },
            "spec.a: Invalid value, spec.b: Required value",
        ),
        (400, {"message": "cannot parse hunter2", "reason": "BadRequest"}, "BadRequest"),
        (400, {"message": "cannot parse hunter2"}, "HTTP 400"),
        (
            403,
            {"message": "pods is forbidden: exceeded quota", "reason": "Forbidden"},
            "pods is forbidden: exceeded quota",
        ),
    ],
)
def test_the_text_of_a_refusal_does_not_quote_the_object(code: int, status: dict[str, Any], safe: str) -> None:
    """It may be logged; what the server objects to in an object is told by field, its own words are kept apart."""
    refusal = Refused(code, status)
    assert (str(refusal), refusal.message) == (safe, status["message"])


@pytest.mark.parametrize("text", ["", "<html>", '{"kind": "PodList"'])
async def test_a_success_that_cannot_be_read_is_no_answer(text: str) -> None:
    """Whether the request had its effect is unknown."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=text)

    async with answering(handler) as cluster:
        with pytest.raises(Unreachable):
            await cluster.get(PODS)


async def test_a_cut_connection_is_no_answer(api: FakeApi, cluster: Cluster) -> None:
    """A write is not repeated here: its effect is unknown, and only the caller knows what a second one does."""
    api.faults.add(Cut(after=True), verb="create")
    with pytest.raises(Unreachable):
        await cluster.create(PODS, a_pod("a"))
    assert [request.verb for request in api.requests] == ["create"]


async def test_a_server_that_is_away_is_no_answer(api: FakeApi, cluster: Cluster) -> None:
    """With words that say so."""
    await api.go_down()
    with pytest.raises(Unreachable, match="Connect"):
        await cluster.get(PODS)


async def test_an_answer_that_takes_too_long_is_no_answer(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 35 s, here a moment; the error has words even though a timeout has none."""
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.05)
    api.faults.add(Delay(5))
    async with Cluster(Connection(api.url, None, lambda: "")) as cluster:
        with pytest.raises(Unreachable, match="took too long"):
            await cluster.get(PODS)


async def test_a_write_may_take_as_long_as_the_fence_stands(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for as long as there is more time to write, and given up when there is no more."""
    monkeypatch.setattr(fence, "EXTENSION", 0.02)
    gate, until = asyncio.Event(), time.monotonic() + 0.05
    cluster.fence = lambda: until - time.monotonic()
    api.faults.add(Hold(gate), verb="create", times=None)
    write = asyncio.create_task(cluster.create(PODS, a_pod("a")))
    for _ in range(5):
        until = time.monotonic() + 0.2
        await asyncio.sleep(0.05)  # the time that passes is the subject
    assert not write.done()
    with pytest.raises(Unreachable, match="longer than this operator may write"):
        await asyncio.wait_for(write, 2)
    assert time.monotonic() >= until
    gate.set()


async def test_each_request_brings_the_credentials_of_the_moment() -> None:
    """A token that was renewed is used at once, on watches too."""
    seen: list[str | None] = []
    tokens = iter(["Bearer first", "Bearer second", "", "Bearer fourth"])

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="{}")

    async with answering(handler, lambda: next(tokens)) as cluster:
        await cluster.get(PODS)
        await cluster.create(PODS, {})
        await cluster.patch(PODS, {})
        async for _ in cluster.watch(PODS, {}, 1):
            pass
    assert seen == ["Bearer first", "Bearer second", None, "Bearer fourth"]


async def test_events_are_whole_however_they_arrive() -> None:
    """Lines may be cut and joined anywhere on the way; what is left unfinished at the end is no event."""
    events = [{"type": "ADDED", "object": {"metadata": {"name": name}}} for name in ("ä", "b", "c")]
    text = b"\n".join(map(orjson.dumps, events)) + b"\n" + b'{"type":"ADDED","obj'

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(text), 7):
            await response.write(text[start : start + 7])
            await asyncio.sleep(0)
        return response

    async with answering(handler) as cluster:
        assert [event async for batch in cluster.watch(PODS, {}, 1) for event in batch] == events


def has_written(api: FakeApi, number: int) -> bool:
    """Whether so many writes have arrived."""
    return len(api.writes) >= number


async def test_so_many_writes_are_under_way_and_no_more(api: FakeApi, cluster: Cluster) -> None:
    """Of one group 32, where an API server reaches its top rate, of all 96; reads do not wait for them."""
    gate = asyncio.Event()
    api.faults.add(Hold(gate), verb="create", times=None)
    limits = [module.WRITES_OF_A_GROUP] * 3 + [0]
    writes: list[asyncio.Task[Any]] = []
    for number, room in enumerate(limits):
        group, most = cluster.for_one_group(), len(api.writes) + room
        writes += [asyncio.create_task(group.create(PODS, a_pod(f"g{number}-{each}"))) for each in range(40)]
        await api.until(partial(has_written, api, most), "writes are under way")
        await cluster.get(PODS)
        assert len(api.writes) == most
    assert len(api.writes) == module.WRITES_IN_FLIGHT
    gate.set()
    await asyncio.gather(*writes)
    assert len(api.pods()) == 160


async def test_it_tells_when_all_writes_are_answered(api: FakeApi, cluster: Cluster) -> None:
    """Before a write, while it is under way, and after it; a fence that is down holds back what was not begun."""
    release = asyncio.Event()
    api.faults.add(Hold(release), verb="create")
    assert await cluster.still(0)
    write = asyncio.create_task(cluster.create(pods_path("default"), a_pod("a")))
    await api.until(lambda: len(api.requests) == 1, "the write is under way")
    cluster.fence = lambda: 0.0
    with pytest.raises(NotLeading):
        await cluster.create(pods_path("default"), a_pod("b"))
    assert not await cluster.still(0.01)
    release.set()
    await write
    assert await cluster.still(1)

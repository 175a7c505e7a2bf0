"""The only client of the API: an answer is a body, a refusal or nothing, whoever stands between us and the server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from fakeapi import Answer, Cut, Delay, FakeApi
from fakeapi.client import a_pod
from podgroup_operator import metrics
from podgroup_operator.api import cluster as module
from podgroup_operator.api.cluster import Cluster, pods_path
from podgroup_operator.api.login import Connection
from podgroup_operator.api.outage import LEAST, Outage
from podgroup_operator.api.refusals import UNAUTHORIZED, Refused, TooLarge, Unreachable

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
    await cluster.send("POST", PODS, a_pod("a"))
    with pytest.raises(Refused, match='pods "a" already exists') as taken:
        await cluster.send("POST", PODS, a_pod("a"))
    assert (taken.value.code, taken.value.reason, taken.value.retry_after) == (409, "AlreadyExists", None)
    api.delete("namespaces", "default")
    with pytest.raises(Refused) as ending:
        await cluster.send("POST", PODS, a_pod("b"))
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


@pytest.mark.parametrize(
    ("code", "passing"),
    [(code, True) for code in (429, 500, 502, 503, 504, 507, 520)]
    + [(code, False) for code in (400, 401, 403, 404, 409, 410, 413, 422, 501, 505)],
)
async def test_a_failure_of_the_server_may_pass_and_a_no_stands(
    api: FakeApi, cluster: Cluster, code: int, *, passing: bool
) -> None:
    """One rule for pauses and for outages; a 501 or a 505 is a no, for who gives it would give it again."""
    told = list[str]()
    cluster.outage = Outage(lambda: told.append("over"), iter([0.0, LEAST]).__next__)
    cluster.outage.failed()
    api.faults.add(Answer(code))
    with pytest.raises(Refused) as refused:
        await cluster.get(PODS)
    assert refused.value.is_passing is passing
    assert refused.value.is_verdict is not (passing or code == UNAUTHORIZED)
    assert told == ([] if passing else ["over"])


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
        await cluster.send("POST", PODS, a_pod("a"))
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


async def test_each_request_brings_the_credentials_of_the_moment() -> None:
    """A token that was renewed is used at once, on watches too."""
    seen: list[str | None] = []
    tokens = iter(["Bearer first", "Bearer second", "", "Bearer fourth"])

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(text="{}")

    async with answering(handler, lambda: next(tokens)) as cluster:
        await cluster.get(PODS)
        await cluster.send("POST", PODS, {})
        await cluster.send("PATCH", PODS, {})
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


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            'admission webhook "check.example.com" denied the request: env PASSWORD=hunter2 is too short',
            'admission webhook "check.example.com" denied the request',
        ),
        (
            "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: got hunter2",
            "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request",
        ),
        (
            'pods "a" is forbidden: violates PodSecurity "restricted:latest": hunter2 must not be set',
            'pods "a" is forbidden: violates PodSecurity "restricted:latest"',
        ),
        ('pods "a" is forbidden: exceeded quota: small, used: pods=5', None),
        ('pods is forbidden: User "operator" cannot create resource "pods"', None),
    ],
    ids=["a webhook", "a policy", "PodSecurity", "a quota", "a permission"],
)
def test_what_a_policy_engine_quotes_is_not_told_elsewhere(message: str, told: str | None) -> None:
    """Who denied it is; its reasons may quote a password, and are for the object's own status."""
    refusal = Refused(403, {"message": message})
    assert (str(refusal), refusal.message) == (told or message, message)


async def test_nobody_is_followed_elsewhere() -> None:
    """A redirection is a refusal: our credentials are for the API server alone."""
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere", "Set-Cookie": "a=b"})

    async with answering(handler) as cluster:
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                await cluster.get(PODS)
            assert refused.value.code == 302
    assert asked == [PODS, PODS]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Fri, 27 Nov 2026 16:00:30 GMT", "Date": "Fri, 27 Nov 2026 16:00:00 GMT"}, 30),
        ({"Retry-After": "Fri, 27 Nov 2026 15:00:00 GMT", "Date": "Fri, 27 Nov 2026 16:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({}, None),
    ],
)
async def test_how_long_to_wait_is_said_in_seconds_or_by_a_date(headers: dict[str, str], seconds: float | None) -> None:
    """A date is compared with the server's own, for clocks differ."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=429, headers=headers)

    async with answering(handler) as cluster:
        with pytest.raises(Refused) as refused:
            await cluster.get(PODS)
    assert refused.value.retry_after == seconds


async def test_an_integer_of_any_size_goes_both_ways() -> None:
    """The API server takes numbers in quantities as they are, also those that orjson refuses to write."""
    sent: list[bytes] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        sent.append(await request.read())
        return web.Response(body=sent[-1])

    async with answering(handler) as cluster:
        answer = await cluster.send("POST", PODS, {"sizeLimit": 10**20})
    assert sent == [b'{"sizeLimit":100000000000000000000}']
    assert answer == {"sizeLimit": 1e20}


async def test_a_page_for_which_there_is_no_room_is_given_up() -> None:
    """What is beyond the room is never read."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=orjson.dumps({"items": ["x" * 100_000]}))

    async with answering(handler) as cluster:
        with pytest.raises(TooLarge):
            await cluster.page(PODS, {}, 50_000)
        page, size = await cluster.page(PODS, {}, 150_000)
    assert len(page["items"][0]) == 100_000 < size < 150_000


@pytest.mark.parametrize(("status", "code"), [(200, "200"), (503, "503"), (None, "<error>")])
async def test_a_request_is_counted_by_what_came_of_it(status: int | None, code: str) -> None:
    """By client-go's names; no answer is an answer of its own, and no path or name is a label."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if status is None:
            assert request.transport
            request.transport.close()
        return web.Response(status=status or 200, body=b"{}")

    async with answering(handler) as cluster:
        with contextlib.suppress(Refused, Unreachable):
            await cluster.send("POST", PODS, {})
    host = cluster._host  # noqa: SLF001 - a port of its own
    told = metrics.registry.get_sample_value(
        "rest_client_requests_total", {"code": code, "method": "POST", "host": host}
    )
    assert told == 1
    labels = {"verb": "POST", "host": host}
    assert metrics.registry.get_sample_value("rest_client_request_duration_seconds_count", labels) == 1

"""Every fault of the fake API shows itself to a client as it would on a real network."""

import asyncio

import aiohttp
import pytest

from fakeapi import Answer, Cut, CutLine, Delay, ErrorEvent, FakeApi, Hold, Silence
from fakeapi.client import PODGROUPS_PATH, PODS_PATH, Client, a_group, a_pod
from fakeapi.faults import RequestFault
from fakeapi.registry import MERGE

LATE = 0.05  # seconds


async def test_an_answered_fault_happens_instead_of_the_request(api: FakeApi, client: Client) -> None:
    """The client gets the code, the reason and Retry-After; nothing was written; the next request passes."""
    rule = api.faults.add(Answer(429, retry_after=7), verb="create", resource="pods")
    refused = await client.ask("POST", PODS_PATH, a_pod("a"))
    assert (refused.code, refused.body["reason"], refused.retry_after) == (429, "TooManyRequests", "7")
    assert (api.pods(), rule.hits) == ([], 1)
    assert (await client.ask("POST", PODS_PATH, a_pod("a"))).code == 201


async def test_a_fault_can_answer_with_plain_text(api: FakeApi, client: Client) -> None:
    """The server's request limiter answers 429 with a text and Retry-After, not with a Status."""
    api.faults.add(Answer(429, retry_after=1, text="Too many requests, please try again later."))
    answered = await client.ask("GET", PODS_PATH)
    assert (answered.code, answered.retry_after) == (429, "1")
    assert answered.body == {"text": "Too many requests, please try again later."}


@pytest.mark.parametrize("fault", [Cut(after=True), Answer(500, after=True)])
async def test_a_lost_answer_leaves_the_effect(api: FakeApi, client: Client, fault: RequestFault) -> None:
    """With `after` the pod is there, and the client was told something else or nothing."""
    api.faults.add(fault, verb="create")
    try:
        code: int | None = (await client.ask("POST", PODS_PATH, a_pod("a"))).code
    except aiohttp.ClientError:
        code = None
    assert len(api.pods()) == 1
    assert (api.requests[-1].code, api.requests[-1].version) == (code, api.version)
    assert (code is None) is isinstance(fault, Cut)


async def test_a_cut_before_the_effect_leaves_nothing(api: FakeApi, client: Client) -> None:
    """The connection ends and the pod was not created."""
    api.faults.add(Cut(), verb="create")
    with pytest.raises(aiohttp.ClientError):
        await client.ask("POST", PODS_PATH, a_pod("a"))
    assert api.pods() == []


async def test_a_delay_is_a_delay(api: FakeApi, client: Client) -> None:
    """A delayed request takes at least that long."""
    api.faults.add(Delay(LATE), verb="list")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await client.ask("GET", PODS_PATH)
    assert loop.time() - began >= LATE


async def test_a_held_answer_lets_the_watch_be_first(api: FakeApi, client: Client) -> None:
    """A watch can show a write before the writer has its answer: the race that read-your-writes is about."""
    gate = asyncio.Event()
    api.faults.add(Hold(gate, after=True), verb="create")
    async with client.watch(PODS_PATH, resourceVersion=str(api.version)) as stream:
        creating = asyncio.create_task(client.ask("POST", PODS_PATH, a_pod("a")))
        assert await stream.says(1) == [("ADDED", "a")]
        assert not creating.done()
        gate.set()
        assert (await creating).code == 201


async def test_a_held_request_has_no_effect_yet(api: FakeApi, client: Client) -> None:
    """Without `after` nothing is written until the gate opens."""
    gate = asyncio.Event()
    api.faults.add(Hold(gate), verb="create")
    creating = asyncio.create_task(client.ask("POST", PODS_PATH, a_pod("a")))
    await api.until(lambda: bool(api.writes), "the request has come")
    assert api.pods() == []
    gate.set()
    assert (await creating).code == 201


async def test_a_rule_strikes_what_it_matches_and_when(api: FakeApi, client: Client) -> None:
    """Verb, resource, subresource and name are matched; nth and times count the matching requests only."""
    api.create("podgroups", a_group("g"))
    path = f"{PODGROUPS_PATH}/g"
    api.faults.add(Answer(500), verb="patch", resource="podgroups.selfheal.dev", subresource="status", nth=2, times=2)
    api.faults.add(Answer(503), verb="create", name=lambda name: name.startswith("b"), times=None)
    codes = [(await client.ask("PATCH", f"{path}/status", {}, form=MERGE)).code for _ in range(4)]
    assert codes == [200, 500, 500, 200]
    assert (await client.ask("PATCH", path, {}, form=MERGE)).code == 200
    assert [(await client.ask("POST", PODS_PATH, a_pod(name))).code for name in ("b1", "a", "b2")] == [503, 201, 503]
    api.faults.clear()
    assert (await client.ask("POST", PODS_PATH, a_pod("b1"))).code == 201


async def test_what_a_test_does_is_not_struck(api: FakeApi) -> None:
    """The test's own writes pass any fault and are not in the log."""
    api.faults.add(Answer(500), times=None)
    api.create("pods", a_pod("a"))
    assert api.requests == []


async def test_a_watch_can_be_refused_with_410(api: FakeApi, client: Client) -> None:
    """An API server without its watch cache answers a compacted version with HTTP 410; a rule plays it."""
    api.faults.add(Answer(410), verb="watch")
    answered = await client.ask("GET", PODS_PATH, watch="true", resourceVersion="1")
    assert (answered.code, answered.body["reason"]) == (410, "Expired")


async def test_a_watch_can_be_cut_in_a_line(api: FakeApi, client: Client) -> None:
    """After two whole events the stream breaks in the middle of the third line."""
    api.faults.add(CutLine(events=2), verb="watch", resource="pods")
    async with client.watch(PODS_PATH, resourceVersion=str(api.version)) as stream:
        for name in "abc":
            api.create("pods", a_pod(name))
        assert await stream.says(2) == [("ADDED", "a"), ("ADDED", "b")]
        with pytest.raises((aiohttp.ClientPayloadError, ValueError)):
            await stream.take()
    await api.until(lambda: not api.watches("pods"), "the watch is over")


async def test_open_watches_can_be_cut_now(api: FakeApi, client: Client) -> None:
    """Strike hits the open watches of one resource and no other."""
    async with (
        client.watch(PODS_PATH, resourceVersion=str(api.version)) as pods,
        client.watch(PODGROUPS_PATH, resourceVersion=str(api.version)) as groups,
    ):
        api.strike(CutLine(), "pods")
        with pytest.raises((aiohttp.ClientPayloadError, ValueError)):
            await pods.take()
        api.create("podgroups", a_group("g"))
        assert await groups.says(1) == [("ADDED", "g")]


async def test_a_watch_can_report_an_error_and_end(api: FakeApi, client: Client) -> None:
    """An ERROR event carries a Status with the code, and is the last."""
    async with client.watch(PODS_PATH, resourceVersion=str(api.version)) as stream:
        api.create("pods", a_pod("a"))
        api.strike(ErrorEvent(500), "pods")
        assert await stream.says(3) == [("ADDED", "a"), ("ERROR", "500")]


async def test_a_silent_watch_says_nothing_until_released(api: FakeApi, client: Client) -> None:
    """No event and no bookmark comes, while others get theirs; after the release come the events, in order."""
    api.bookmark_seconds = 0.01
    start = {"resourceVersion": str(api.version), "allowWatchBookmarks": "true"}
    async with client.watch(PODS_PATH, **start) as silent, client.watch(PODGROUPS_PATH, **start) as fence:
        api.strike(Silence(events=1), "pods")
        for name in "abc":
            api.create("pods", a_pod(name))
        while await silent.says(1) == [("BOOKMARK", "")]:
            pass
        await fence.take(5)
        assert silent.pending() == b""
        api.release("pods")
        assert await silent.says(2) == [("ADDED", "b"), ("ADDED", "c")]


async def test_a_watch_can_be_born_silent(api: FakeApi, client: Client) -> None:
    """A rule makes the next watch silent from its first event on; a second watch is not struck."""
    api.create("pods", a_pod("a"))
    api.faults.add(Silence(), verb="watch", resource="pods")
    async with client.watch(PODS_PATH) as silent, client.watch(PODS_PATH) as other:
        assert await other.says(1) == [("ADDED", "a")]
        assert [watch.silent for watch in api.watches("pods")] == [True, False]
        assert silent.pending() == b""
        api.release("pods")
        assert await silent.says(1) == [("ADDED", "a")]


async def test_an_outage_refuses_and_ends(api: FakeApi, client: Client) -> None:
    """Going down cuts open watches and refuses connections; coming up serves the same state at the same port."""
    api.create("pods", a_pod("a"))
    url = api.url
    async with client.watch(PODS_PATH) as stream:
        await stream.take()
        await api.go_down()
        with pytest.raises(aiohttp.ClientError):
            await stream.take()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.ask("GET", PODS_PATH)
    await api.come_up()
    assert (api.url, len((await client.ask("GET", PODS_PATH)).body["items"])) == (url, 1)


async def test_an_outage_can_be_all_503(api: FakeApi, client: Client) -> None:
    """With refuse=False everything, discovery too, is answered with 503 until the API comes up."""
    await api.go_down(refuse=False)
    codes = [(await client.ask("GET", path)).code for path in (PODS_PATH, "/apis", "/version")]
    assert codes == [503, 503, 503]
    await api.come_up()
    assert (await client.ask("GET", PODS_PATH)).code == 200


async def test_a_bug_of_the_fake_does_not_hide(client: Client) -> None:
    """What fails inside the fake makes the test fail at its end, and does not pass for a server's 500."""
    async with FakeApi() as broken, Client(broken.url) as asking:
        broken.admit = lambda pod: pod["no such field"]
        assert (await asking.ask("POST", PODS_PATH, a_pod("a"))).code == 500
        with pytest.raises(ExceptionGroup, match="bug"):
            await broken.stop()

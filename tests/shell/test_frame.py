"""kopf, embedded in a thread of its own: what it tells of PodGroups, and what it leaves alone."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakeapi import Answer, CutLine, ErrorEvent, FakeApi
from fakeapi.client import a_group
from podgroup_operator import __version__
from podgroup_operator.api.login import Connection
from podgroup_operator.core import names
from podgroup_operator.observe.frame import Frame, News

DEADLINE = 5.0  # seconds
A_FEW = 10
RESOURCE = f"{names.PLURAL}.{names.GROUP}"


class Framed:
    """A run of kopf in a thread, and what it has told.

    Attributes:
        told: "listed", or the name of a group, with its replicas, or with "gone" when it was its last state.
        troubles: why it could not read, and "" when it could.
        requests: how many it says that it has sent.
        renewals: how often the credentials were called bad.
        stop: ends it.
        ended: it has ended.
    """

    def __init__(self, api: FakeApi, *namespaces: str) -> None:
        self.told: list[str] = []
        self.stop = threading.Event()
        self.ended = asyncio.Event()
        self._api = api
        self.troubles: list[str] = []
        self.requests = self.renewals = 0
        connection = Connection(api.url, None, lambda: "", self._renew)
        news = News(lambda _: self.told.append("listed"), self._seen, self._asked, self.troubles.append)
        self._frame = Frame(connection, namespaces, news, self.stop)

    def _renew(self) -> None:
        self.renewals += 1

    def _asked(self) -> None:
        self.requests += 1

    def _seen(self, body: dict[str, dict[str, object]], gone: bool) -> None:  # noqa: FBT001 - as News has it
        self.told.append(f"{body['metadata']['name']} {'gone' if gone else body['spec']['replicas']}")

    def start(self) -> None:
        """Run it."""
        loop = asyncio.get_running_loop()

        def run() -> None:
            self._frame.run()
            loop.call_soon_threadsafe(self.ended.set)

        threading.Thread(target=run, daemon=True).start()

    async def tells(self, *expected: str) -> None:
        """Wait until it has told exactly this."""
        await self._api.until(lambda: len(self.told) >= len(expected), f"{expected} is told")
        assert self.told == list(expected)

    async def ends(self) -> None:
        """Wait until it has ended."""
        await asyncio.wait_for(self.ended.wait(), DEADLINE)


@asynccontextmanager
async def framing(api: FakeApi, *namespaces: str) -> AsyncIterator[Framed]:
    """Run kopf, and wait until it watches."""
    framed = Framed(api, *namespaces)
    framed.start()
    try:
        await api.until(lambda: len(api.watches("podgroups")) == max(len(namespaces), 1), "kopf watches")
        yield framed
    finally:
        framed.stop.set()
        await framed.ends()


async def test_it_tells_that_it_has_listed_then_of_each_group_and_each_change(api: FakeApi) -> None:
    """The listing comes first; a group that goes is told of once more, as gone."""
    api.create("podgroups", a_group("old", 1))
    async with framing(api) as framed:
        await framed.tells("listed", "old 1")
        api.create("podgroups", a_group("web", 2))
        await framed.tells("listed", "old 1", "web 2")
        api.patch("podgroups", "web", {"spec": {"replicas": 3}})
        await framed.tells("listed", "old 1", "web 2", "web 3")
        api.delete("podgroups", "web")
        await framed.tells("listed", "old 1", "web 2", "web 3", "web gone")


async def test_it_writes_nothing_and_reads_no_more_than_it_must(api: FakeApi) -> None:
    """No annotation, no finalizer, no Event, no CRD is asked for; nothing of the PodGroup is changed."""
    created = api.create("podgroups", a_group("web", 2))
    async with framing(api) as framed:
        await framed.tells("listed", "web 2")
        assert api.get("podgroups", "web") == created
        assert api.writes == []
        assert {request.resource for request in api.requests if request.resource} == {RESOURCE}
        assert {request.user_agent for request in api.requests} == {f"podgroup-operator/{__version__} (kopf)"}


@pytest.mark.parametrize(
    "mark",
    [
        {"finalizers": ["kopf.zalando.org/KopfFinalizerMarker"]},
        {"annotations": {"kopf.zalando.org/last-handled-configuration": "{"}},
        {"annotations": {"kopf.zalando.org/last-handled-configuration": '{"spec": {"replicas": 9}}'}},
        {"annotations": {"kopf.zalando.org/touch-dummy": "x", "kopf.zalando.org/create": "{"}},
    ],
    ids=["its finalizer", "what it has handled, broken", "what it has handled", "its progress"],
)
async def test_what_another_kopf_operator_has_left_on_a_group_is_left_there(api: FakeApi, mark: dict[str, Any]) -> None:
    """Nothing of it is taken away, nothing is written, and the group is still heard of, to its end."""
    group = a_group("web", 2)
    group["metadata"] |= mark
    api.create("podgroups", group)
    async with framing(api) as framed:
        await framed.tells("listed", "web 2")
        api.patch("podgroups", "web", {"spec": {"replicas": 3}})
        await framed.tells("listed", "web 2", "web 3")
        api.delete("podgroups", "web")
        await api.until(lambda: len(framed.told) == 4, "its deletion is told of")
        assert {request.method for request in api.requests} == {"GET"}


async def test_many_groups_come_in_pages(api: FakeApi) -> None:
    """Which are one list: it is told of once, and each group once."""
    names_ = [f"web-{number:02}" for number in range(25)]
    for name in names_:
        api.create("podgroups", a_group(name, 1))
    async with framing(api) as framed:
        await api.until(lambda: len(framed.told) == 26, "all are told of")
        assert framed.told[0] == "listed"
        assert sorted(framed.told[1:]) == [f"{name} 1" for name in names_]
        assert [request.query["limit"] for request in api.requests if request.verb == "list"] == ["10"] * 3


async def test_it_serves_only_the_namespaces_that_it_is_given(api: FakeApi) -> None:
    """Each is listed and watched by itself."""
    api.create("podgroups", a_group("here", 1))
    api.create("podgroups", a_group("there", 1), "kube-system")
    async with framing(api, "default") as framed:
        await framed.tells("listed", "here 1")
        assert {request.namespace for request in api.requests if request.resource} == {"default"}


async def test_after_410_it_lists_anew_and_says_so(api: FakeApi) -> None:
    """It never says that a group vanished in the gap: the listing is the only sign."""
    api.create("podgroups", a_group("gone", 1))
    api.create("podgroups", a_group("stays", 1))
    async with framing(api) as framed:
        await framed.tells("listed", "gone 1", "stays 1")
        framed.told.clear()
        api.strike(ErrorEvent(410), "podgroups")
        api.delete("podgroups", "gone")
        await framed.tells("listed", "stays 1")


async def test_a_watch_that_breaks_or_ends_is_opened_again_where_it_was(api: FakeApi) -> None:
    """Without a list, and nothing is missed."""
    async with framing(api) as framed:
        api.strike(CutLine(), "podgroups")
        api.create("podgroups", a_group("first", 1))
        await framed.tells("listed", "first 1")
        await api.until(lambda: bool(api.watches("podgroups")), "kopf watches again")
        for watch in api.watches("podgroups"):
            watch.end()
        api.create("podgroups", a_group("second", 1))
        await framed.tells("listed", "first 1", "second 1")


@pytest.mark.parametrize("code", [500, 429, 403])
async def test_an_error_event_ends_it_at_once_and_it_says_why(
    api: FakeApi, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    """In one line and without a traceback: to start it again is the supervisor's part."""
    async with framing(api) as framed:
        api.strike(ErrorEvent(code, message="no more"), "podgroups")
        await asyncio.wait_for(framed.ended.wait(), 2)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.message.startswith("kopf has given up: ")
    assert "no more" in record.message
    assert record.exc_info is None


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_it_ends_where_reading_is_forbidden(api: FakeApi, verb: str) -> None:
    """By itself it would ask again for ever; its supervisor is to find out what is missing."""
    api.access.deny(verb, "podgroups.selfheal.dev")
    framed = Framed(api)
    framed.start()
    await framed.ends()
    assert len([request for request in api.requests if request.verb == verb]) == 1


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_it_ends_where_its_credentials_are_not_accepted(api: FakeApi, verb: str) -> None:
    """By itself it would ask again without a pause; the credentials are to be read anew."""
    rule = api.faults.add(Answer(401), verb=verb, times=None)
    framed = Framed(api)
    framed.start()
    await framed.ends()
    assert framed.renewals >= 1
    assert rule.hits <= A_FEW, "it ends, but may ask again until it has"


async def test_it_is_patient_with_a_server_in_trouble(api: FakeApi) -> None:
    """Lists that are refused with 503 are asked for again, and only the one that is answered is told of as a list."""
    rule = api.faults.add(Answer(503), verb="list", times=4)
    async with framing(api) as framed:
        assert (rule.hits, framed.told) == (4, ["listed"])
        assert framed.troubles[:5] == [*["PodGroups cannot be read: HTTP 503. It is tried again."] * 4, ""]
        assert framed.requests >= 6


async def test_it_tells_of_a_server_that_does_not_answer(api: FakeApi) -> None:
    """And that it is there again."""
    async with framing(api) as framed:
        framed.troubles.clear()
        await api.go_down()
        await api.until(lambda: bool(framed.troubles), "it tells")
        assert "cannot be read: Cannot connect to host" in framed.troubles[-1]
        await api.come_up()
        await api.until(lambda: framed.troubles[-1] == "", "it tells")


async def test_it_follows_nobody_elsewhere(api: FakeApi) -> None:
    """Our credentials are for the API server alone."""
    api.faults.add(Answer(302, text="elsewhere"), verb="list", times=None)
    framed = Framed(api)
    framed.start()
    try:
        await api.until(lambda: bool(framed.troubles), "it tells")
        assert "HTTP 302" in framed.troubles[-1]
    finally:
        framed.stop.set()
        await framed.ends()

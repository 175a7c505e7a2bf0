"""Whatever becomes of its lists and watches, the informer goes on, and misses nothing."""

import asyncio
from itertools import pairwise

import pytest

from fakeapi import Answer, Cut, CutLine, ErrorEvent, FakeApi, Hold, Silence
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.observe import informer
from shell.informed import Informed, create, running

SHORT_SILENCE = 0.2  # seconds

pytestmark = pytest.mark.usefixtures("hurried_informer")


async def test_a_list_that_grows_old_between_chunks_begins_anew(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk that gets 410 is no reason to work with half a list."""
    monkeypatch.setattr(informer, "FIRST_PAGE", 2)
    create(api, "a", "b", "c")
    second = asyncio.Event()
    api.faults.add(Hold(second), verb="list", nth=2)
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: len(informed.asked("list")) == 2, "the second chunk is asked for")
        create(api, "d")
        api.compact()
        second.set()
        await informed.has("a", "b", "c", "d")
        assert [request.code for request in api.requests[:3]] == [200, 410, 200]


@pytest.mark.parametrize("fault", [CutLine(), CutLine(events=1)])
async def test_a_line_that_is_cut_is_read_again(watching: Informed, fault: CutLine) -> None:
    """Half an event is no event; the watch goes on from the last whole one, without a list but for its version."""
    watching.api.strike(fault, "pods")
    create(watching.api, "b", "c")
    await watching.has("a", "b", "c")
    lists = [request.query["limit"] for request in watching.api.requests if request.verb == "list"]
    assert lists == [str(informer.FIRST_PAGE), "1"]


@pytest.mark.parametrize("answer", [None, Answer(410)], ids=["410 in the stream", "410 as the answer"])
async def test_a_version_that_is_too_old_means_a_new_list(
    watching: Informed, answer: Answer | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What vanished, changed and came in the gap is noticed, at once: 410 is everyday life and no failure."""
    monkeypatch.setattr(informer, "TOO_SOON", 0.0)  # the list is an old one
    api, reopened = watching.api, asyncio.Event()
    create(api, "b")
    await watching.has("a", "b")
    api.faults.add(Hold(reopened), verb="watch")
    if answer:
        api.faults.add(answer, verb="watch")
    api.strike(CutLine(), "pods")
    await api.until(lambda: len(watching.asked("watch")) == 2, "the watch is opened again")
    api.delete("pods", "a")
    api.patch("pods", "b", {"metadata": {"labels": {"x": "y"}}})
    create(api, "c")
    api.compact()
    watching.told.clear()
    reopened.set()
    await watching.has("b", "c")
    assert [(pod.name, dict(pod.labels)) for pod in watching.told] == [
        ("b", {"x": "y"}),
        ("c", {}),
        ("a", {}),
    ]
    await api.until(lambda: len(api.watches("pods")) == 1, "the old watch is closed")


@pytest.mark.parametrize("code", [500, 429, 403, 504])
async def test_an_error_in_the_stream_is_survived(watching: Informed, code: int) -> None:
    """It is answered with a new list; the event that ends kopf does not end the informer."""
    watching.api.strike(ErrorEvent(code), "pods")
    create(watching.api, "b")
    await watching.has("a", "b")


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_a_refusal_is_survived(api: FakeApi, cluster: Cluster, verb: str, code: int) -> None:
    """Whatever is refused is asked for again until it is granted, and only then the cache is in sync."""
    api.faults.add(Answer(code), verb=verb, times=3)
    create(api, "a")
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: bool(api.watches("pods")), "the watch is granted")
        assert [request.code for request in api.requests if request.verb == verb] == [code, code, code, 200]
        assert informed.informer.synced.is_set()
        create(api, "b")
        await informed.has("a", "b")


async def test_it_has_not_synced_before_it_has_listed(api: FakeApi, cluster: Cluster) -> None:
    """While lists are refused nobody is told that the cache may be used."""
    rule = api.faults.add(Answer(403), verb="list", times=None)
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: rule.hits >= 3, "the list is refused three times")
        assert not informed.informer.synced.is_set()


async def test_a_cut_connection_is_survived(api: FakeApi, cluster: Cluster) -> None:
    """A list and a watch that get no answer at all are asked for again."""
    api.faults.add(Cut(), verb="list", times=2)
    api.faults.add(Cut(), verb="watch", times=2)
    create(api, "a")
    async with running(Informed(api, cluster)) as informed:
        await informed.has("a")
        await api.until(lambda: bool(api.watches("pods")), "the watch is open")


@pytest.mark.parametrize("refuse", [True, False], ids=["connections refused", "503 for everything"])
async def test_an_outage_is_survived(watching: Informed, caplog: pytest.LogCaptureFixture, *, refuse: bool) -> None:
    """When the server is back the cache is right again; the log has told of each try from the second on."""
    await watching.api.go_down(refuse=refuse)
    watching.api.delete("pods", "a")
    create(watching.api, "b")
    await watching.api.until(lambda: len(caplog.messages) >= 3, "several tries have failed")
    assert all(text.startswith("Cannot read /api/v1/pods: ") for text in caplog.messages)
    assert all(text.endswith("Trying again in 0.0 s.") for text in caplog.messages)
    assert watching.troubles[-1].startswith("/api/v1/pods cannot be read: ")
    await watching.api.come_up()
    await watching.has("b")
    assert watching.troubles[-1] == ""


async def test_one_failure_is_not_worth_a_line(watching: Informed, caplog: pytest.LogCaptureFixture) -> None:
    """Watches break every day."""
    watching.api.strike(CutLine(), "pods")
    create(watching.api, "b")
    await watching.has("a", "b")
    assert caplog.messages == []


async def test_silence_is_a_dead_line(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch on which not even a bookmark comes is opened anew, and what it did not tell is told.

    The limit is 28 s, for a server that is asked to end a watch after 24 at most; here all is 140 times as fast.
    """
    monkeypatch.setattr(informer, "SILENCE", SHORT_SILENCE)
    api.bookmark_seconds = SHORT_SILENCE / 5
    create(api, "a")
    async with running(Informed(api, cluster)) as informed:
        await informed.has("a")
        await api.until(lambda: bool(api.watches("pods")), "the informer watches")
        api.strike(Silence(), "pods")
        create(api, "b")
        await informed.has("a", "b")


async def test_bookmarks_are_no_silence(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch on which only bookmarks come stays open."""
    monkeypatch.setattr(informer, "SILENCE", SHORT_SILENCE)
    api.bookmark_seconds = SHORT_SILENCE / 10
    loop = asyncio.get_running_loop()
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: bool(api.watches("pods")), "the informer watches")
        end = loop.time() + 2 * SHORT_SILENCE
        await api.until(lambda: loop.time() > end, "two silences have passed")
        assert len(informed.asked("watch")) == 1


async def test_pauses_grow(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause after each failure in a row is twice as long or at least half of that, and the longest one repeats."""
    pauses = (0.02, 0.04, 0.08)
    monkeypatch.setattr(informer, "FIRST_PAUSE", pauses[0])
    monkeypatch.setattr(informer, "LONGEST_PAUSE", pauses[-1])
    rule = api.faults.add(Answer(500), verb="list", times=None)
    async with running(Informed(api, cluster)):
        await api.until(lambda: rule.hits == 5, "five lists are refused")
    at = [request.at for request in api.requests]
    waited = [after - before for before, after in pairwise(at)]
    assert all(seconds >= pause / 2 for seconds, pause in zip(waited, (*pauses, pauses[-1]), strict=True))


async def test_the_server_may_ask_for_a_longer_pause(api: FakeApi, cluster: Cluster) -> None:
    """A Retry-After that is longer than our own pause is kept."""
    rule = api.faults.add(Answer(429, retry_after=1), verb="list")
    create(api, "a")
    async with running(Informed(api, cluster)) as informed:
        await informed.has("a")
    refused, answered = [request.at for request in api.requests if request.verb == "list"]
    assert rule.hits == 1
    assert answered - refused >= 1


@pytest.mark.parametrize("fault", [ErrorEvent(500), ErrorEvent(410), Answer(410), Answer(503)])
async def test_a_watch_that_is_refused_right_after_its_list_is_no_reason_to_list_without_a_pause(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, fault: ErrorEvent | Answer
) -> None:
    """That each list works makes the pauses no shorter: they grow until a list has grown old."""
    monkeypatch.setattr(informer, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(informer, "LONGEST_PAUSE", 0.08)
    api.faults.add(fault, verb="watch", times=None)
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: len(informed.asked("list")) == 5, "five lists")
    at = [request.at for request in api.requests if request.verb == "list"]
    waited = [after - before for before, after in pairwise(at)]
    assert all(seconds >= pause / 2 for seconds, pause in zip(waited, (0.02, 0.04, 0.08, 0.08), strict=True))


async def test_a_list_that_worked_ends_a_row_of_failures(
    api: FakeApi, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """The next trouble, after days, begins with a short pause and without a line; no event has to come between."""
    api.faults.add(Answer(500), verb="list", times=2)
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: bool(api.watches("pods")), "the informer watches")
        caplog.clear()
        api.strike(CutLine(), "pods")
        await api.until(lambda: len(informed.asked("watch")) == 2, "the informer watches again")
    assert caplog.messages == []

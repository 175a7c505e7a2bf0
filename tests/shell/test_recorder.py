"""Events reach people without delaying a heal, and a flood of them becomes a few."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count

import pytest

from builders import desired
from fakeapi import Answer, Cut, FakeApi, Hold
from podgroup_operator.api.writer import Writes
from podgroup_operator.observe import told
from podgroup_operator.observe.memory import Memories
from podgroup_operator.tell.recorder import Recorder

EVENTS = "events.events.k8s.io"
WEB = desired(namespace="default")
API = desired(namespace="default", name="api", uid="of-api")
BURST = 25


@pytest.fixture
async def recorder(writes: Writes, memories: Memories, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Recorder]:
    """Give a recorder that sends; the 10 s after which a group may send one more Event are 0.2 s here."""
    monkeypatch.setattr(told, "SECONDS_AN_EVENT", 0.2)
    recorder = Recorder(writes, memories, "test-1")
    task = asyncio.create_task(recorder.run())
    yield recorder
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def notes(api: FakeApi, group: str = "web") -> list[str]:
    """Give what was told of a group, in the order in which it was sent."""
    events = [change.object for change in api.history(EVENTS)]
    return [event["note"] for event in events if event["regarding"]["name"] == group]


@pytest.fixture
def memories() -> Memories:
    """Give what is remembered of groups, among it how many Events each may still send."""
    return Memories()


async def test_an_event_says_what_happened_to_whom_and_who_says_so(api: FakeApi, recorder: Recorder) -> None:
    """It is an events.k8s.io/v1 Event as `kubectl describe` finds it, with a time to the microsecond."""
    recorder.record(WEB, "Warning", "FailedCreate", "Error creating: exceeded quota")
    await api.until(lambda: bool(api.list(EVENTS)), "the Event is there")
    (event,) = api.list(EVENTS)
    assert event["regarding"] == {
        "apiVersion": "selfheal.dev/v1",
        "kind": "PodGroup",
        "name": "web",
        "namespace": "default",
        "uid": WEB.uid,
    }
    assert (event["type"], event["reason"], event["note"]) == (
        "Warning",
        "FailedCreate",
        "Error creating: exceeded quota",
    )
    assert (event["reportingController"], event["reportingInstance"]) == ("selfheal.dev/podgroup-operator", "test-1")
    assert (event["metadata"]["namespace"], event["action"]) == ("default", "Reconcile")
    assert len(event["eventTime"]) == len("2026-01-02T03:04:05.678901Z")


async def test_a_note_is_cut_to_what_the_api_takes(api: FakeApi, recorder: Recorder) -> None:
    """1024 bytes, and no half character at their end."""
    recorder.record(WEB, "Normal", "Long", "a" + "ü" * 1000)
    await api.until(lambda: bool(notes(api)), "the Event is there")
    assert notes(api) == ["a" + "ü" * 511]


async def test_events_come_in_order_and_each_has_a_name_of_its_own(api: FakeApi, recorder: Recorder) -> None:
    """However fast they come."""
    for number in range(20):
        recorder.record(WEB, "Normal", "Count", str(number))
    await api.until(lambda: len(notes(api)) == 20, "all are there")
    assert notes(api) == [str(number) for number in range(20)]


async def test_a_burst_is_told_and_the_rest_is_added_up(api: FakeApi, recorder: Recorder) -> None:
    """Of 100 creations 25 are told one by one, and the other 75 in one Event when the next is due."""
    for number in range(100):
        recorder.record(WEB, "Normal", "SuccessfulCreate", f"Created pod: web-{number}")
    await api.until(lambda: len(notes(api)) > BURST, "the rest is told")
    assert notes(api)[BURST:] == ["(combined) SuccessfulCreate happened 75 more times"]


async def test_what_was_held_back_is_told_though_others_never_rest(api: FakeApi, recorder: Recorder) -> None:
    """However many other groups have something to tell, every moment one of them."""
    for _ in range(BURST + 5):
        recorder.record(WEB, "Normal", "SuccessfulCreate", "Created pod")

    others = (replace(API, uid=f"other-{number}") for number in count())

    def others_never_rest() -> bool:
        recorder.record(next(others), "Normal", "SuccessfulCreate", "Created pod")
        return len(notes(api)) > BURST

    await api.until(others_never_rest, "the rest is told", seconds=2)
    assert notes(api)[BURST] == "(combined) SuccessfulCreate happened 5 more times"


async def test_groups_do_not_use_up_each_others_events(api: FakeApi, recorder: Recorder, memories: Memories) -> None:
    """A group that floods leaves the others their own burst; a group that is made anew has a new one."""
    for _ in range(100):
        recorder.record(WEB, "Normal", "SuccessfulCreate", "Created pod")
    recorder.record(API, "Warning", "FailedCreate", "no")
    memories.end((WEB.namespace, WEB.uid))
    recorder.record(WEB, "Normal", "SuccessfulCreate", "Created pod again")
    await api.until(lambda: "Created pod again" in notes(api), "the new group's Event is there")
    assert (notes(api, "api"), len(notes(api))) == (["no"], BURST + 1)


@pytest.mark.parametrize("fault", [Answer(403), Answer(500), Cut()])
async def test_an_event_that_cannot_be_sent_is_lost_and_the_next_is_not(
    api: FakeApi, recorder: Recorder, fault: Answer | Cut
) -> None:
    """Events are for people and worth no second try."""
    api.faults.add(fault, verb="create", resource=EVENTS)
    recorder.record(WEB, "Normal", "First", "first")
    recorder.record(WEB, "Normal", "Second", "second")
    await api.until(lambda: bool(notes(api)), "one is there")
    assert notes(api) == ["second"]


async def test_a_missing_permission_is_logged_once(
    api: FakeApi, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """Not for each Event that is lost; when it has been granted and is taken away again it is news again."""
    refused = api.faults.add(Answer(403, message="events is forbidden"), verb="create", resource=EVENTS, times=3)
    for number in range(4):
        recorder.record(WEB, "Normal", "Count", str(number))
    await api.until(lambda: notes(api) == ["3"], "the permission is there")
    assert refused.hits == 3
    lost = "Cannot write Events: events is forbidden. They are lost until that works again."
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [lost]
    api.faults.add(Answer(403, message="events is forbidden"), verb="create", resource=EVENTS)
    recorder.record(WEB, "Normal", "Count", "lost")
    recorder.record(WEB, "Normal", "Count", "4")
    await api.until(lambda: notes(api) == ["3", "4"], "the permission is there again")
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [lost, lost]


async def test_recording_waits_for_nothing(api: FakeApi, recorder: Recorder) -> None:
    """While the API server hangs, what is recorded is kept, and sent afterwards."""
    gate = asyncio.Event()
    api.faults.add(Hold(gate), verb="create", resource=EVENTS)
    for number in range(5):
        recorder.record(WEB, "Normal", "Count", str(number))
    await api.until(lambda: bool(api.writes), "the first is on its way")
    assert notes(api) == []
    gate.set()
    await api.until(lambda: len(notes(api)) == 5, "all are there")


async def test_the_events_of_one_namespace_do_not_wait_for_anothers(api: FakeApi, recorder: Recorder) -> None:
    """A webhook may let those of one hang for half a minute each."""
    api.create("namespaces", {"metadata": {"name": "mall"}})
    gate = asyncio.Event()
    held = api.faults.add(Hold(gate), verb="create", resource=EVENTS)
    recorder.record(WEB, "Normal", "SuccessfulCreate", "first")
    await api.until(lambda: held.hits == 1, "it hangs")
    recorder.record(WEB, "Normal", "SuccessfulCreate", "second")
    recorder.record(desired(namespace="mall", name="cart", uid="of-cart"), "Normal", "PodHealed", "elsewhere")
    await api.until(lambda: notes(api, "cart") == ["elsewhere"], "the other namespace's Event is there")
    assert notes(api) == []
    gate.set()
    await api.until(lambda: notes(api) == ["first", "second"], "in order")

"""The whole operator in trouble: streams that fail or lag, an API server that is away, a CRD that comes and goes."""

import asyncio
import threading
from functools import partial

import pytest

from fakeapi import Answer, CutLine, ErrorEvent, FakeApi, Hold, Silence
from fakeapi.client import a_group
from fakeapi.defaults import definition
from fakeapi.resources import PODGROUPS
from podgroup_operator import looks as looks_under_way
from podgroup_operator import metrics, preflight, waker
from podgroup_operator.lead.tenure import Tenure
from podgroup_operator.observe import informer, supervisor
from podgroup_operator.tell.recorder import Recorder
from shell.operating import DEADLINE, looks, operating
from shell.stage import names

CRD = "podgroups.selfheal.dev"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before something is tried again, or is given the time to be heard of: they teach nothing."""
    monkeypatch.setattr(supervisor, "RESTART_PAUSE", 0.01)
    monkeypatch.setattr(waker, "RELIST_DOUBT", 0.05)
    monkeypatch.setattr(looks_under_way, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(preflight, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(informer, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(informer, "LONGEST_PAUSE", 0.02)


def created(api: FakeApi) -> int:
    """Give how many pods were ever made."""
    return len([change for change in api.history("pods") if change.type == "ADDED"])


def skips() -> float:
    """Give how many looks were put off because the cache was behind."""
    return metrics.registry.get_sample_value("podgroup_stale_sync_skips_total") or 0


def has_skipped(before: float) -> bool:
    """Whether a look was put off since there were so many."""
    return skips() > before


async def pods(api: FakeApi, number: int) -> None:
    """Wait until there are so many pods."""
    await api.until(lambda: len(api.pods()) == number, f"{number} pods")


async def test_a_stream_of_pods_that_lags_causes_no_surplus(api: FakeApi) -> None:
    """While the operator does not hear of the pods that it made it makes no others, however often it is woken."""
    async with operating(api):
        api.create("podgroups", a_group("web", 3))
        await pods(api, 3)
        await api.until(lambda: "status" in api.get("podgroups", "web"), "the status is told")
        api.strike(Silence(), "pods")
        api.patch("podgroups", "web", {"spec": {"replicas": 6}})
        await pods(api, 6)
        for replicas in (8, 7, 5):
            skipped = skips()
            api.patch("podgroups", "web", {"spec": {"replicas": replicas}})
            await api.until(partial(has_skipped, skipped), "a look is put off")
        assert created(api) == 6
        api.release("pods")
        await pods(api, 5)
        assert created(api) == 6


async def test_pods_that_die_while_nobody_hears_are_replaced_once(api: FakeApi) -> None:
    """The stream hangs, half the pods go, the stream speaks again: as many are made as were lost."""
    async with operating(api):
        api.create("podgroups", a_group("web", 10))
        await pods(api, 10)
        await api.until(lambda: bool(api.watches("pods")), "pods are watched")
        api.strike(Silence(), "pods")
        for name in names(api.pods())[:5]:
            api.delete("pods", name)
        api.release("pods")
        await pods(api, 10)
        assert created(api) == 15


@pytest.mark.parametrize("fault", [ErrorEvent(410), ErrorEvent(500), ErrorEvent(429), ErrorEvent(403), CutLine()])
async def test_a_broken_stream_of_podgroups_is_survived(api: FakeApi, fault: ErrorEvent | CutLine) -> None:
    """Most of these end kopf; it is started again, and what came meanwhile is served."""
    async with operating(api):
        api.strike(fault, "podgroups")
        api.create("podgroups", a_group("web", 2))
        await pods(api, 2)


@pytest.mark.parametrize("code", [403, 429, 500, 503])
async def test_a_refused_stream_of_podgroups_is_survived(api: FakeApi, code: int) -> None:
    """Whether kopf tries again or gives up, the groups are listed and watched in the end."""
    api.faults.add(Answer(code), verb="watch", resource=CRD, times=2)
    async with operating(api):
        api.create("podgroups", a_group("web", 2))
        await pods(api, 2)


@pytest.mark.parametrize("refuse", [True, False], ids=["connections refused", "503 for everything"])
async def test_an_outage_is_survived(api: FakeApi, *, refuse: bool) -> None:
    """What was killed, scaled and created while the API server was away is put right when it is back."""
    async with operating(api):
        api.create("podgroups", a_group("web", 3))
        await pods(api, 3)
        await api.go_down(refuse=refuse)
        api.delete("pods", names(api.pods())[0])
        api.patch("podgroups", "web", {"spec": {"replicas": 4}})
        api.create("podgroups", a_group("new", 2))
        await api.come_up()
        await pods(api, 6)
        assert created(api) == 7


async def test_a_group_that_vanished_in_a_gap_gets_no_pods_any_more(api: FakeApi) -> None:
    """The watch of PodGroups is too old to resume, and the listing says nothing of the group: it is forgotten."""
    async with operating(api):
        api.create("podgroups", a_group("gone", 2))
        api.create("podgroups", a_group("stays", 1))
        await pods(api, 3)
        gate = asyncio.Event()
        reopened = api.faults.add(Hold(gate), verb="watch", resource=CRD)
        api.strike(CutLine(), "podgroups")
        await api.until(lambda: reopened.hits == 1, "the watch is opened again")
        api.delete("podgroups", "gone")
        api.compact()
        gate.set()
        read = f"/apis/selfheal.dev/v1/namespaces/default/{PODGROUPS.plural}/gone"
        await api.until(lambda: [each.code for each in api.requests if each.path == read][-1:] == [404], "it is read")
        for name in names(api.pods()):
            api.delete("pods", name)
        await api.until(lambda: any(name.startswith("stays") for name in names(api.pods())), "the other one is healed")
        assert [name for name in names(api.pods()) if name.startswith("gone")] == []


async def test_without_the_crd_it_waits_and_says_so(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """When the CRD is installed it begins; nothing has to be restarted."""
    api.delete("customresourcedefinitions", CRD)
    async with operating(api, ready=False) as running:
        words = await running.readiness(503, "kubectl apply -f crds/podgroups.yaml")
        assert words.strip() in caplog.messages
        api.create("customresourcedefinitions", definition(PODGROUPS))
        await running.readiness(200)
        api.create("podgroups", a_group("web", 1))
        await pods(api, 1)


async def test_a_crd_that_is_deleted_and_comes_back_is_served_again(api: FakeApi) -> None:
    """With the CRD go all groups; /readyz says what is missing until it is there again."""
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 1))
        await pods(api, 1)
        api.delete("customresourcedefinitions", CRD)
        for watch in api.watches("podgroups"):
            watch.end()
        await running.readiness(503, "knows no podgroups.selfheal.dev")
        api.create("customresourcedefinitions", definition(PODGROUPS))
        await running.readiness(200)
        api.create("podgroups", a_group("again", 1))
        await pods(api, 2)


async def test_without_a_permission_it_waits_and_says_so(api: FakeApi) -> None:
    """When it is granted it begins."""
    api.access.deny("create", "pods")
    async with operating(api, ready=False) as running:
        await running.readiness(503, "may not do this in all namespaces: create pods.")
        api.access.allow("create", "pods")
        await running.readiness(200)


@pytest.mark.parametrize("resource", ["pods", CRD])
@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_reading_that_is_forbidden_on_the_way_is_named_and_waited_for(
    api: FakeApi, resource: str, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that ends and must not begin again: /readyz and the log say what is missing, then it goes on."""
    plural = resource.partition(".")[0]
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 2))
        await pods(api, 2)
        await api.until(lambda: "status" in api.get("podgroups", "web"), "the status is told")
        api.access.deny(verb, resource)
        api.strike(ErrorEvent(410), plural)
        words = await running.readiness(503, f"may not do this in all namespaces: {verb} {resource}. Grant it")
        assert words.strip() in caplog.messages
        asked = len([request for request in api.requests if request.code == 403])
        await asyncio.sleep(0.2)
        assert len([request for request in api.requests if request.code == 403]) == asked
        api.delete("pods", names(api.pods())[0])
        api.access.allow(verb, resource)
        await running.readiness(200)
        await pods(api, 2)
        assert created(api) == 3


async def test_credentials_that_are_not_accepted_are_told_and_waited_for(api: FakeApi) -> None:
    """Every request is answered with 401 for a while: /readyz says so, few are sent, then it goes on."""
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 2))
        await pods(api, 2)
        expired = api.faults.add(Answer(401, message="Unauthorized"), times=None)
        for plural in ("podgroups", "pods"):
            api.strike(CutLine(), plural)
        api.delete("pods", names(api.pods())[0])
        await running.readiness(503, "The API server does not accept our credentials (Unauthorized). Give the operator")
        before = expired.hits
        await asyncio.sleep(0.5)  # the time in which requests are counted: that few come is not to be waited for
        assert expired.hits - before < 60  # a look each 0.02 s here; kopf alone would send hundreds
        assert await running.ask("/healthz") == (200, "ok\n")
        api.faults.clear()
        await running.readiness(200)
        await pods(api, 2)
        assert created(api) == 3


@pytest.mark.parametrize("plural", ["podgroups", "pods"])
async def test_readyz_tells_of_a_stream_that_cannot_be_read(api: FakeApi, plural: str) -> None:
    """After the start too, for as long as it lasts; alive it is all the time."""
    async with operating(api) as running:
        resource = CRD if plural == "podgroups" else plural
        api.faults.add(Answer(503), resource=resource, times=None)
        api.strike(CutLine(), plural)
        await running.readiness(503, "cannot be read")
        assert await running.ask("/healthz") == (200, "ok\n")
        api.faults.clear()
        await running.readiness(200)


@pytest.mark.parametrize("part", ["recorder", "informer", "tenure"])
async def test_an_error_that_nobody_foresaw_ends_the_process(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """In what all groups need: half an operator that says that it is well is worse than one that is started again."""

    async def fail(*_: object) -> None:
        raise ZeroDivisionError(part)

    whose = {"recorder": Recorder, "informer": informer.Informer, "tenure": Tenure}
    monkeypatch.setattr(whose[part], "run" if part != "informer" else "_list", fail)
    with pytest.raises(ExceptionGroup) as raised:
        await end_of_an_operator(api)
    assert raised.value.subgroup(ZeroDivisionError)


async def end_of_an_operator(api: FakeApi) -> None:
    """Run an operator until it ends by itself."""
    async with operating(api, ready=False) as running:
        await running.task


async def test_a_look_that_gets_no_answer_is_repeated(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """A status that cannot be written is told of in one line, and written later."""
    api.faults.add(Answer(500, message="etcd is full"), verb="patch", subresource="status", times=3)
    async with operating(api):
        api.create("podgroups", a_group("web", 1))
        await api.until(lambda: "status" in api.get("podgroups", "web"), "the status is told")
    assert "group=default/web its status cannot be written: etcd is full" in caplog.messages
    assert created(api) == 1


async def test_it_stops_while_it_waits(api: FakeApi) -> None:
    """Without an API server to speak to the end is as quick as with one."""
    await api.go_down()
    async with operating(api, ready=False) as running:
        await running.readiness(503, "The API server does not answer")
    await api.come_up()


async def test_a_kopf_that_hangs_is_left_behind(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has some seconds to end, here a moment; then the operator ends without it."""
    hung, released = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hung.set()
        released.wait(DEADLINE)

    monkeypatch.setattr(supervisor, "follow", hang)
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.05)
    async with operating(api, ready=False):
        await api.until(hung.is_set, "kopf hangs")
    assert not released.is_set()
    released.set()


async def test_a_lease_that_is_renewed_too_late_costs_no_group_its_look(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time to write is up just when a pod is lost, and a moment later there is more: the pod is replaced."""
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 2))
        await api.until(lambda: (api.get("podgroups", "web").get("status") or {}).get("replicas") == 2, "it is at rest")
        election, before = running.operator._election, looks("not_leading")  # noqa: SLF001 - whose the fence is
        monkeypatch.setattr(election, "remaining", lambda _: 0.0)
        api.delete("pods", names(api.pods())[0], grace=0)
        await api.until(lambda: looks("not_leading") > before, "a look was in vain")
        monkeypatch.undo()
        await pods(api, 2)

"""The whole operator from one time of leading to the next: what it no longer sends, keeps, or goes on with."""

import asyncio
import socket
import uuid

import pytest

from fakeapi import Answer, Delay, ErrorEvent, FakeApi, Hold, Silence
from fakeapi.client import a_group
from podgroup_operator import looks
from podgroup_operator.core.lease import WIDE
from podgroup_operator.lead import leader
from podgroup_operator.observe import informer
from podgroup_operator.observe.memory import Memory
from shell.operating import Running, operating
from shell.stage import names

LEASES = "leases.coordination.k8s.io"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "POLL", 0.02)
    monkeypatch.setattr(leader, "RENEWAL", 0.02)
    monkeypatch.setattr(looks, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(informer, "FIRST_PAUSE", 0.02)


async def settled(api: FakeApi, name: str, replicas: int, namespace: str = "default") -> None:
    """Make a group, and wait until it is at rest."""
    api.create("podgroups", a_group(name, replicas), namespace)

    def at_rest() -> bool:
        return (api.get("podgroups", name, namespace).get("status") or {}).get("replicas") == replicas

    await api.until(at_rest, f"{name} is at rest")


def depose(api: FakeApi, holder: str) -> None:
    """Give the Lease to somebody, or to nobody."""
    api.patch(LEASES, WIDE, {"spec": {"holderIdentity": holder, "leaseDurationSeconds": 12}})


async def test_after_sigterm_nothing_arrives_and_the_lease_is_given_back_when_all_is_answered(api: FakeApi) -> None:
    """In the middle of a large group whose creates take a while each."""
    slow = api.faults.add(Delay(0.15), verb="create", resource="pods", times=None)
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 400))
        await api.until(lambda: slow.hits > 7, "creates are under way")
        told = len(api.requests)
        running.stop()
        await running.task
        after = api.requests[told:]
    assert [request for request in after if request.resource == "pods" and request.writes] == []
    assert api.get(LEASES, WIDE)["spec"]["holderIdentity"] == ""
    assert all(request.code for request in api.requests if request.writes)
    (given_back,) = [request for request in after if request.writes and request.resource == LEASES][-1:]
    assert api.requests.index(given_back) == max(api.requests.index(each) for each in api.requests if each.writes)


async def test_the_lease_is_kept_if_a_write_was_not_answered(api: FakeApi) -> None:
    """It runs out instead: what is on its way may still arrive."""
    gate = asyncio.Event()
    held = api.faults.add(Hold(gate), verb="create", resource="pods", times=None)
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 2))
        await api.until(lambda: held.hits > 0, "a create hangs")
        running.stop()
        await running.task
    assert api.get(LEASES, WIDE)["spec"]["holderIdentity"] != ""
    gate.set()


@pytest.mark.parametrize("where", ["the read of its owner", "a create"])
async def test_a_look_that_hung_while_another_led_does_not_go_on(api: FakeApi, where: str) -> None:
    """Leading again, the operator sends nothing of what it had decided before."""
    async with operating(api) as running:
        await settled(api, "web", 4)
        gate = asyncio.Event()
        verb, resource = ("get", "podgroups.selfheal.dev") if where == "the read of its owner" else ("create", "pods")
        hung = api.faults.add(Hold(gate), verb=verb, resource=resource, times=1)
        for name in names(api.pods()):
            api.delete("pods", name, grace=0)
        await api.until(lambda: hung.hits == 1, "the look hangs")
        depose(api, "other/1")
        await api.until(lambda: not leads(running), "it has lost the Lease")
        before = api.get(LEASES, WIDE)["spec"]
        api.faults.add(Answer(503), verb="list", resource="pods", times=None)  # so that no new look begins
        depose(api, "")
        await api.until(lambda: leads(running), "it leads again")
        assert before["holderIdentity"] == "other/1"
        sent = len(api.writes)
        gate.set()
        await asyncio.sleep(0.3)  # the time in which the old look must not go on
        assert [request for request in api.writes[sent:] if request.resource == "pods"] == []
        api.faults.clear()
        await api.until(lambda: len(api.pods()) == 4, "a new look makes good what was lost", 10)
        assert len([change for change in api.history("pods") if change.type == "ADDED"]) == 8


def leads(running: Running) -> bool:
    """Whether an operator may write."""
    return running.operator._election.remaining("default") > 0  # noqa: SLF001 - what each write asks


async def test_a_container_that_is_started_again_goes_on_at_once(api: FakeApi) -> None:
    """Its Lease is its own, though it has not run out and nobody gave it back; all pods are listed before it writes."""
    pod = str(uuid.uuid4())
    spec = {"holderIdentity": f"{socket.gethostname()}/{pod}", "leaseDurationSeconds": 60}
    api.create(LEASES, {"metadata": {"name": WIDE}, "spec": spec})
    api.create("podgroups", a_group("web", 2))
    async with operating(api, pod_uid=pod):
        await api.until(lambda: len(api.pods()) == 2, "it leads")
    asked = [(each.verb, each.resource) for each in api.requests]
    taken = asked.index(("patch", LEASES))
    assert taken < asked.index(("list", "pods"), taken) < asked.index(("create", "pods"))


async def test_a_standby_keeps_no_group_in_its_queue(api: FakeApi) -> None:
    """Hundreds of groups come and go while another one leads; when it leads itself it knows all that there are."""
    api.create(LEASES, {"metadata": {"name": WIDE}, "spec": {"holderIdentity": "other/1", "leaseDurationSeconds": 60}})
    async with operating(api) as running:
        assert "Standing by: other/1 leads for all namespaces" in await running.readiness(200, "Standing by")
        for number in range(200):
            api.create("podgroups", a_group(f"job-{number}", 0))
            api.delete("podgroups", f"job-{number}")
        api.create("podgroups", a_group("web", 2))
        await api.until(lambda: len(running.operator._groups) == 1, "only one group is known")  # noqa: SLF001 - the cache
        assert len(running.operator._looks) == 0  # noqa: SLF001 - the queue
        assert api.pods() == []
        depose(api, "")
        await api.until(lambda: len(api.pods()) == 2, "the group is served")


async def test_many_groups_behind_a_slow_webhook_delay_no_other(api: FakeApi) -> None:
    """Two hundred groups whose creates are not answered leave a heal elsewhere its milliseconds."""
    for namespace in ("bad", "good"):
        api.create("namespaces", {"metadata": {"name": namespace}})
    async with operating(api):
        await settled(api, "web", 2, "good")
        gate = asyncio.Event()
        hung = api.faults.add(Hold(gate), verb="create", resource="pods", namespace="bad", times=None)
        for number in range(200):
            api.create("podgroups", a_group(f"g{number}", 2), "bad")
        await api.until(lambda: hung.hits >= 64, "as many hang as may")
        victim = names(api.pods("good"))[0]
        started = asyncio.get_running_loop().time()
        api.delete("pods", victim, "good", grace=0)
        await api.until(lambda: len(api.pods("good")) == 2, "the other group is healed")
        assert asyncio.get_running_loop().time() - started < 0.5
        gate.set()
        await api.until(lambda: len(api.pods("bad")) == 400, "the slow ones come too", 30)


async def test_a_tenure_begins_with_the_groups_that_miss_pods(api: FakeApi) -> None:
    """After a takeover all PodGroups are read; those that have what they ask for come last."""
    async with operating(api) as running:
        for number in range(20):
            await settled(api, f"g{number:02}", 1)
        depose(api, "other/1")
        await api.until(lambda: not leads(running), "it has lost the Lease")
        victim = api.list("podgroups")[-1]["metadata"]["name"]
        (lost,) = [name for name in names(api.pods()) if name.startswith(victim)]
        api.delete("pods", lost, grace=0)
        told = len(api.requests)
        depose(api, "")
        await api.until(lambda: len(api.pods()) == 20, "it is healed")
        read = [request.path.rpartition("/")[2] for request in api.requests[told:] if request.verb == "get"]
        groups = [name for name in read if name.startswith("g")]
        assert groups[0] == victim


def memory(running: Running) -> Memory:
    """What an operator remembers of the first group."""
    (_, memory), *_ = running.operator._pods.memories  # noqa: SLF001 - there is no other way to see that it begins anew
    return memory


async def begin_anew(api: FakeApi, running: Running, how: str) -> None:
    """Have an operator that leads begin a tenure, and wait until it has."""
    before = memory(running)
    if how == "the lead is lost and won back":
        depose(api, "other/1")
        await api.until(lambda: not leads(running), "it has lost the Lease")
        depose(api, "")
    else:
        api.strike(ErrorEvent(403, reason="Forbidden"), "pods")
    api.patch("pods", names(api.pods())[-1], {"metadata": {"annotations": {"news": how}}})  # lets the watch speak
    await api.until(lambda: memory(running) is not before, "a tenure begins", 10)


NEW_TENURES = ["the lead is lost and won back", "the pods may not be read for a moment"]


@pytest.mark.parametrize("how", NEW_TENURES)
async def test_a_delete_that_is_under_way_is_remembered_in_the_next_tenure(api: FakeApi, how: str) -> None:
    """It is done while the pods' stream lags: no second pod goes instead of the one that seems to be there.

    Another group does not wait for that answer.
    """
    api.kubelet.start()
    async with operating(api) as running:
        await settled(api, "app", 1)
        await settled(api, "web", 4)
        gate = asyncio.Event()
        deletes = api.faults.add(Hold(gate), verb="delete", resource="pods")
        api.patch("podgroups", "web", {"spec": {"replicas": 3}})
        await api.until(lambda: deletes.hits == 1, "a delete is under way")
        (victim,) = [each.name for each in api.writes if each.verb == "delete"]
        api.kubelet.stop()
        other = names(api.pods())[-1]
        assert other != victim
        api.set_pod(other, ready=False)  # by now this one would be chosen
        await begin_anew(api, running, how)
        await api.until(lambda: bool(api.watches("pods")), "the pods are watched")
        api.delete("pods", next(name for name in names(api.pods()) if name.startswith("app")), grace=0)
        await api.until(lambda: len(api.pods()) == 5, "the other group is healed")
        api.strike(Silence(), "pods")
        gate.set()
        await asyncio.sleep(1.0)  # the time in which no other one may be deleted
        api.release("pods")
        assert [(each.name, each.code) for each in api.writes if each.verb == "delete"] == [(victim, 200)]


@pytest.mark.parametrize("how", NEW_TENURES)
async def test_a_heal_that_the_status_does_not_show_is_counted_in_the_next_tenure(api: FakeApi, how: str) -> None:
    """Its status was refused: nobody else can have counted it."""
    async with operating(api) as running:
        await settled(api, "web", 3)
        refused = api.faults.add(Answer(503), resource="podgroups.selfheal.dev", subresource="status", times=None)
        api.delete("pods", names(api.pods())[0], grace=0)
        await api.until(lambda: refused.hits > 0, "it is healed, and cannot be told")
        await begin_anew(api, running, how)
        api.faults.clear()
        await api.until(lambda: total(api) == 1, "it is counted", 10)


def total(api: FakeApi) -> int:
    """How many replacements a status tells of."""
    return int(api.get("podgroups", "web")["status"]["healing"]["total"])


async def test_a_heal_right_before_sigterm_is_counted(api: FakeApi) -> None:
    """Its status was to be written a moment later; now that is the last thing that is, before the Lease is free."""
    async with operating(api) as running:
        await settled(api, "web", 3)
        api.delete("pods", names(api.pods())[0], grace=0)
        await api.until(lambda: len(api.pods()) == 3, "it is healed")
        running.stop()
        await running.task
    assert total(api) == 1
    assert api.get(LEASES, WIDE)["spec"]["holderIdentity"] == ""
    told = [each for each in api.writes if each.resource != LEASES][-1]
    assert (told.resource, told.subresource, api.writes[-1].resource) == ("podgroups.selfheal.dev", "status", LEASES)


async def test_the_lease_is_kept_if_the_last_status_is_not_answered(api: FakeApi) -> None:
    """It is waited for no longer than a second, and may arrive later."""
    gate = asyncio.Event()
    async with operating(api) as running:
        await settled(api, "web", 3)
        held = api.faults.add(Hold(gate), resource="podgroups.selfheal.dev", subresource="status", times=None)
        api.delete("pods", names(api.pods())[0], grace=0)
        await api.until(lambda: len(api.pods()) == 3, "it is healed")
        running.stop()
        await running.task
    assert held.hits > 0
    assert api.get(LEASES, WIDE)["spec"]["holderIdentity"] != ""
    gate.set()

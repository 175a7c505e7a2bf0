"""The whole operator: it comes up, serves every group, leaves alone what is at rest or not its own, and stops."""

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fakeapi import FakeApi, Hold
from fakeapi.client import a_group, a_pod
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.plan import plan
from podgroup_operator.core.view import View
from shell.operating import looks, operating
from shell.stage import names, slots

if TYPE_CHECKING:
    from fakeapi.resources import Obj


def is_ready(api: FakeApi, name: str = "web", namespace: str = "default") -> bool:
    """Whether a group's status says that it is Ready, of its present generation."""
    body = api.get("podgroups", name, namespace)
    status: Obj = body.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    return conditions.get("Ready") == "True" and status["observedGeneration"] == body["metadata"]["generation"]


def condition(api: FakeApi, name: str, kind: str) -> dict[str, Any]:
    """Give a group's condition of this type."""
    found: dict[str, Any] = next(
        each for each in api.get("podgroups", name)["status"]["conditions"] if each["type"] == kind
    )
    return found


async def ready(api: FakeApi, name: str = "web") -> None:
    """Wait until a group is Ready."""
    await api.until(lambda: is_ready(api, name), f"{name} is Ready")


def has_looked(before: float) -> bool:
    """Whether a look has ended since there were so many."""
    return looks() > before


async def test_a_group_lives(api: FakeApi) -> None:
    """Born, scaled, wounded and healed, deleted; Events tell of it, and nothing is left of it."""
    api.kubelet.start()
    api.collector.start()
    async with operating(api):
        api.create("podgroups", a_group("web", 3))
        await ready(api)
        api.patch("podgroups", "web", {"spec": {"replicas": 5}})
        await ready(api)
        victim = names(api.pods())[0]
        api.delete("pods", victim)
        await api.until(lambda: len(api.pods()) == 5 and victim not in names(api.pods()), "the pod is replaced")
        await ready(api)
        assert slots(api.pods()) == ["0", "1", "2", "3", "4"]
        reasons = {"SuccessfulCreate", "PodHealed"}
        await api.until(lambda: reasons <= {each["reason"] for each in api.list("events.events.k8s.io")}, "Events tell")
        api.delete("podgroups", "web")
        await api.until(lambda: not api.pods(), "all pods are gone")
        assert len([change for change in api.history("pods") if change.type == "ADDED"]) == 6


async def test_a_heal_takes_two_looks(api: FakeApi) -> None:
    """One that replaces the pod, one that tells of it when it is Ready; what comes in between changes no decision."""
    api.kubelet.start()
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 5))
        await ready(api)
        memory = running.operator._pods.memories.of(("default", api.get("podgroups", "web")["metadata"]["uid"]))  # noqa: SLF001 - what it waits for is its own
        for number in range(1, 4):
            await api.until(lambda: time.monotonic() > memory.told.quiet_until, "the last status is a while ago")
            looked = looks()
            api.delete("pods", names(api.pods())[number])
            await api.until(partial(has_healed, api, number), "it is healed, and Ready")
            assert looks() - looked <= 3  # the pod that ends may be the third
        assert looks() - looked <= 3


def has_healed(api: FakeApi, times: int) -> bool:
    """Whether the group has healed so often and is whole again."""
    status = api.get("podgroups", "web")["status"]
    return bool(status["healing"]["total"] == times and status["ready"] == "5/5")


async def test_what_was_there_before_is_served(api: FakeApi) -> None:
    """Groups and pods from before the start are listed, not only watched."""
    api.kubelet.start()
    api.create("podgroups", a_group("web", 2))
    api.create("pods", a_pod("stray", labels={"selfheal.dev/podgroup": "web"}))
    async with operating(api):
        await ready(api)
        assert "stray" in names(api.pods())
        assert len(api.pods()) == 2


@pytest.mark.parametrize("resource", ["pods", "podgroups.selfheal.dev"])
async def test_it_is_ready_when_it_has_read_everything_and_not_before(api: FakeApi, resource: str) -> None:
    """/readyz says why not; /healthz is well all the time."""
    gate = asyncio.Event()
    api.faults.add(Hold(gate), verb="list", resource=resource)
    async with operating(api, ready=False) as running:
        other = {"pods": "podgroups", "podgroups.selfheal.dev": "pods"}[resource]
        await api.until(lambda: bool(api.watches(other)), "the other kind has been read")
        assert await running.ask("/readyz") == (503, "The caches are being filled.\n")
        assert await running.ask("/healthz") == (200, "ok\n")
        gate.set()
        assert await running.readiness(200) == "ok\n"


async def test_it_writes_nothing_for_a_group_at_rest(api: FakeApi) -> None:
    """Whatever wakes it: no pod, no status, no Event, and nothing on the PodGroup but its status."""
    api.kubelet.start()
    async with operating(api):
        api.create("podgroups", a_group("web", 3))
        await ready(api)
        await api.until(lambda: len(api.list("events.events.k8s.io")) == 3, "an Event for each pod is sent")
        before = len(api.writes)
        for number in range(5):
            looked = looks()
            api.patch("pods", names(api.pods())[0], {"metadata": {"annotations": {"touched": str(number)}}})
            api.patch("podgroups", "web", {"metadata": {"annotations": {"touched": str(number)}}})
            await api.until(partial(has_looked, looked), "it was looked at")
        assert api.writes[before:] == []
        metadata = api.get("podgroups", "web")["metadata"]
        assert (metadata["annotations"], "finalizers" in metadata) == ({"touched": "4"}, False)


async def test_it_serves_only_its_namespaces(api: FakeApi) -> None:
    """With --namespace it lists and watches groups and pods there, and a group elsewhere gets nothing."""
    api.kubelet.start()
    for namespace in ("shop", "mall", "street"):
        api.create("namespaces", {"metadata": {"name": namespace}})
        api.create("podgroups", a_group("web", 1), namespace)
    async with operating(api, "shop", "mall"):
        for namespace in ("shop", "mall"):
            await api.until(partial(is_ready, api, "web", namespace), "it is Ready")
        assert api.pods("street") == []
        served = [request for request in api.requests if not request.path.endswith("/leases")]
        read = {request.path for request in served if request.verb in ("list", "watch")}
        assert {path.split("/")[-2] for path in read} == {"shop", "mall"}


@pytest.mark.parametrize("replicas", ["two", -1, {"a": 1}, 2**63])
async def test_a_group_that_cannot_be_read_says_so_and_harms_no_other(
    api: FakeApi, caplog: pytest.LogCaptureFixture, replicas: object
) -> None:
    """Nothing is done for it, no pod of it is touched, and it is told in its status and once in the log."""
    api.kubelet.start()
    api.create("podgroups", a_group("odd", 2))
    async with operating(api):
        await ready(api, "odd")
        api.patch("podgroups", "odd", {"spec": {"replicas": replicas}})
        api.create("podgroups", a_group("web", 2))
        await ready(api)
        await api.until(lambda: condition(api, "odd", "Stalled")["status"] == "True", "it is told")
        stalled = condition(api, "odd", "Stalled")
        assert (stalled["reason"], stalled["observedGeneration"]) == ("SpecUnreadable", 2)
        assert stalled["message"].startswith("spec.replicas cannot be read. ")
        assert condition(api, "odd", "Ready")["status"] == "False"
        assert len(api.pods()) == 4
        api.patch("podgroups", "odd", {"spec": {"replicas": 3}})
        await ready(api, "odd")
        assert condition(api, "odd", "Stalled")["status"] == "False"
    told = "PodGroup default/odd: spec.replicas cannot be read and count as not set."
    assert caplog.messages.count(told) <= 1, "the log is told once, whatever tests ran before"


async def test_a_strangers_pod_harms_nobody(api: FakeApi) -> None:
    """A Ready time of the year 0, which an API server stores, neither ends the operator nor keeps it from starting."""
    odd = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "0000-01-01T00:00:00Z"}]}
    api.kubelet.start()
    api.create("pods", a_pod("before"))
    api.patch("pods", "before", {"status": odd}, subresource="status")
    async with operating(api):
        api.create("pods", a_pod("after"))
        api.patch("pods", "after", {"status": odd}, subresource="status")
        api.create("podgroups", a_group("web", 2))
        await ready(api)


async def test_a_group_whose_status_cannot_be_read_lives(api: FakeApi) -> None:
    """What cannot be read in it is written over."""
    api.kubelet.start()
    api.create("podgroups", a_group("web", 2))
    odd: Obj = {"conditions": [{"type": "Ready"}, 5], "healing": {"total": "x", "lastTime": "0000-01-01T00:00:00Z"}}
    api.patch("podgroups", "web", {"status": odd}, subresource="status")
    async with operating(api):
        await api.until(lambda: api.get("podgroups", "web")["status"].get("ready") == "2/2", "it is told anew")
        await ready(api)
        assert api.get("podgroups", "web")["status"]["healing"] == {"total": 0}


async def test_a_group_whose_look_fails_harms_no_other(
    api: FakeApi, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is told with its traceback, the look is repeated with pauses, and a remedy is noticed at once."""
    api.kubelet.start()

    def poisoned(view: View) -> Plan:
        if view.desired.name == "poisoned" and view.desired.replicas == 2:
            raise ZeroDivisionError
        return plan(view)

    monkeypatch.setattr("podgroup_operator.reconcile.plan", poisoned)
    api.create("podgroups", a_group("poisoned", 2))
    async with operating(api):
        api.create("podgroups", a_group("web", 2))
        await ready(api)
        told = [record for record in caplog.records if "group=default/poisoned unexpected error" in record.message]
        assert len(told) == 1
        assert told[0].exc_info
        api.patch("podgroups", "poisoned", {"spec": {"replicas": 3}})
        await ready(api, "poisoned")


async def test_a_group_whose_writes_hang_delays_no_other(api: FakeApi) -> None:
    """A hundred deletes that are not answered, as in a webhook of their namespace, leave room for another's heal."""
    api.kubelet.start()
    async with operating(api):
        api.create("podgroups", a_group("poisoned", 100))
        api.create("podgroups", a_group("web", 2))
        await ready(api, "poisoned")
        await ready(api)
        gate = asyncio.Event()
        hanging = api.faults.add(Hold(gate), verb="delete", name=lambda name: name.startswith("poisoned"), times=None)
        api.patch("podgroups", "poisoned", {"spec": {"replicas": 0}})
        await api.until(lambda: hanging.hits == 1, "the first one hangs")
        victim = next(name for name in names(api.pods()) if name.startswith("web"))
        api.delete("pods", victim)
        await api.until(lambda: api.get("podgroups", "web")["status"]["healing"]["total"] == 1, "web is healed")
        assert hanging.hits == 1
        gate.set()
        await api.until(lambda: len(api.pods()) == 2, "the others are deleted in the end")


async def test_two_operators_at_once_make_no_pod_too_many(api: FakeApi) -> None:
    """Each computes the same names, and neither touches what the other has done."""
    api.kubelet.start()
    async with operating(api), operating(api):
        api.create("podgroups", a_group("web", 20))
        await ready(api)
        for name in names(api.pods())[:10]:
            api.delete("pods", name)
        await api.until(lambda: len([c for c in api.history("pods") if c.type == "ADDED"]) >= 30, "all are replaced")
        await ready(api)
        await api.until(lambda: len(api.pods()) == 20, "the old ones are gone")
    assert len([change for change in api.history("pods") if change.type == "ADDED"]) == 30
    assert [request for request in api.writes if request.verb == "delete"] == []


async def test_it_tells_what_it_does_and_stops_when_told(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """One line for each look that did something, with its numbers; it closes its watches and its port."""
    caplog.set_level(logging.INFO)
    async with operating(api) as running:
        api.create("podgroups", a_group("web", 2))
        await api.until(lambda: len(api.pods()) == 2, "two pods")
    line = "group=default/web replicas=2 missing=2 adopts=0 releases=0 created=2/2 held=0 removed=0/0 failures=0"
    assert line in caplog.messages
    assert caplog.messages[-1] == "Stopped."
    assert running.task.done()
    await api.until(lambda: not api.watches("pods") and not api.watches("podgroups"), "all watches are closed")

"""Leader election on the API: the Lease is taken, renewed, lost, given back; and nothing is written without it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import pytest

from fakeapi.faults import Answer, Delay
from podgroup_operator.api.cluster import Cluster, pods_path
from podgroup_operator.api.login import Connection
from podgroup_operator.api.refusals import NotLeading, Unreachable
from podgroup_operator.api.writer import Writes
from podgroup_operator.core.lease import DEADLINE, DURATION, SHARED, STALE, WIDE
from podgroup_operator.lead import leader, rivals
from podgroup_operator.lead.guard import Guard
from podgroup_operator.lead.leader import Candidate, unheard
from podgroup_operator.lead.leases import LeaseObject

if TYPE_CHECKING:
    from fakeapi import FakeApi

PATH = f"/apis/coordination.k8s.io/v1/namespaces/default/leases/{WIDE}"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a"},
    "spec": {"containers": [{"name": "a", "image": "a"}]},
}


class Clock:
    """Monotonic seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of all candidates."""
    return Clock()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let candidates look at the Lease again and again at once; what time it is, is for the test to say."""
    monkeypatch.setattr(leader, "POLL", 0.005)
    monkeypatch.setattr(leader, "RENEWAL", 0.005)


class Running:
    """A candidate with a connection of its own."""

    def __init__(self, api: FakeApi, name: str, clock: Clock) -> None:
        self.cluster = Cluster(Connection(api.url, None, lambda: ""))
        self.troubles: list[str] = []
        self.said: list[str] = []
        lease = LeaseObject(self.cluster, "default", WIDE)
        self.candidate = Candidate(lease, name, self.troubles.append, clock, say=self.said.append)
        self.writes = Writes(self.cluster, self)

    async def __aenter__(self) -> Self:
        await self.cluster.__aenter__()
        self.task = asyncio.create_task(self.candidate.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.cluster.__aexit__(None, None, None)

    async def stop(self) -> None:
        """End its work as a killed process does."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def tenure(self, _: str) -> int:
        """Its time of leading."""
        return self.candidate.tenure

    def remaining(self, _: str) -> float:
        """For how long it may write."""
        return self.candidate.remaining()

    def leads(self) -> bool:
        """Whether it may write."""
        return self.candidate.remaining() > 0


async def seen_by(api: FakeApi, one: Running, two: Running) -> None:
    """Wait until one leads and the other has seen that."""
    await asyncio.wait_for(one.candidate.gained(), 5)
    await api.until(lambda: any("Standing by: one" in said for said in two.said[-1:]), "the other one has seen it")


async def lease(running: Running) -> dict[str, Any]:
    """The Lease's spec."""
    spec: dict[str, Any] = (await running.cluster.get(PATH))["spec"]
    return spec


async def test_the_first_creates_the_lease_and_the_second_waits(api: FakeApi, clock: Clock) -> None:
    """One leads; the other does not, however often it asks, as long as the first renews."""
    async with Running(api, "one", clock) as one:
        await asyncio.wait_for(one.candidate.gained(), 5)
        async with Running(api, "two", clock) as two:
            for _ in range(20):
                clock.now += 1
                await asyncio.sleep(0.02)
                assert one.leads()
                assert not two.leads()
        assert (await lease(one))["holderIdentity"] == "one"
        assert two.said[-1] == (
            "Standing by: one, perhaps an operator of version 0.1.0, leads for all namespaces (Lease "
            "default/podgroup-operator)."
        )
        assert one.said[-1] == ""


async def test_a_dead_leaders_lease_is_taken_after_its_time(api: FakeApi, clock: Clock) -> None:
    """Not before its duration has passed since it was last seen to change, and then at once."""
    async with Running(api, "one", clock) as one:
        await asyncio.wait_for(one.candidate.gained(), 5)
        await one.stop()
        async with Running(api, "two", clock) as two:
            await asyncio.sleep(0.05)
            clock.now += DURATION - 1
            await asyncio.sleep(0.05)
            assert not two.leads()
            clock.now += 2
            await asyncio.wait_for(two.candidate.gained(), 5)
            assert not one.leads()
            assert (await lease(two))["leaseTransitions"] == 1


@pytest.mark.parametrize("by", ["", SHARED], ids=["nobody", "those of single namespaces"])
async def test_a_lease_that_somebody_deletes_is_not_taken_before_its_holders_time_is_up(
    api: FakeApi, clock: Clock, by: str
) -> None:
    """That one may not have noticed, even if others that are not in its way have made the Lease anew."""
    async with Running(api, "one", clock) as one, Running(api, "two", clock) as two:
        await seen_by(api, one, two)
        await one.stop()
        api.delete("leases.coordination.k8s.io", WIDE)
        if by:
            api.create("leases.coordination.k8s.io", {"metadata": {"name": WIDE}, "spec": {"holderIdentity": by}})
        for _ in range(int(DURATION)):
            await asyncio.sleep(0.02)
            assert not two.leads()
            clock.now += 1
        assert not one.leads()
        clock.now += 1
        await asyncio.wait_for(two.candidate.gained(), 5)


async def test_without_an_election_too_the_holder_of_a_lease_that_somebody_deletes_is_waited_for(
    api: FakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still write until its time is up."""
    monkeypatch.setattr(rivals, "LOOK", 0.005)
    async with Running(api, "one", clock) as one:
        await asyncio.wait_for(one.candidate.gained(), 5)
        await one.stop()
        reads = api.faults.add(Delay(0), verb="get", name=WIDE, times=None)
        waiting = asyncio.create_task(rivals.none_leads(LeaseObject(one.cluster, "default", WIDE), clock))
        await api.until(lambda: reads.hits > 0, "it looks")
        await asyncio.sleep(0.02)
        api.delete("leases.coordination.k8s.io", WIDE)
        seen = reads.hits
        await api.until(lambda: reads.hits > seen + 1, "it has missed it")
        clock.now += DURATION
        await asyncio.sleep(0.05)
        assert not waiting.done()
        clock.now += 1
        await asyncio.wait_for(waiting, 5)


async def test_a_leader_makes_its_lease_anew_at_once(api: FakeApi, clock: Clock) -> None:
    """It does not wait for itself, and has led all the time."""
    async with Running(api, "one", clock) as one, Running(api, "two", clock) as two:
        await seen_by(api, one, two)
        for _ in range(3):
            api.delete("leases.coordination.k8s.io", WIDE)
            await api.until(lambda: bool(api.list("leases.coordination.k8s.io")), "it is there again")
            assert (await lease(one))["holderIdentity"] == "one"
            assert one.leads()
            assert one.candidate.tenure == 1


async def test_a_lease_that_is_given_back_is_taken_at_once(api: FakeApi, clock: Clock) -> None:
    """Nobody waits for the end of a leader that has said goodbye."""
    async with Running(api, "one", clock) as one:
        await asyncio.wait_for(one.candidate.gained(), 5)
        await one.stop()
        await one.candidate.release()
        assert not one.leads()
        async with Running(api, "two", clock) as two:
            await asyncio.wait_for(two.candidate.gained(), 5)


async def test_a_leader_that_was_paused_writes_nothing(api: FakeApi, clock: Clock) -> None:
    """After a pause longer than its time a write is refused before it is sent, though it has not yet asked again."""
    async with Running(api, "one", clock) as one:
        await asyncio.wait_for(one.candidate.gained(), 5)
        await one.stop()
        writer = one.writes.writer("default", "web")
        await writer.create(pods_path("default"), POD)
        clock.now += DEADLINE + 0.1
        with pytest.raises(NotLeading):
            await writer.delete(pods_path("default", "a"), uid="whatever")
        assert [pod["metadata"]["name"] for pod in (await one.cluster.get(pods_path("default")))["items"]] == ["a"]


async def test_a_leader_that_cannot_renew_steps_down(api: FakeApi, clock: Clock) -> None:
    """When the API server is away for longer than the lease lasts, it leads no more; when it is back, it leads anew."""
    async with Running(api, "one", clock) as one:
        await asyncio.wait_for(one.candidate.gained(), 5)
        assert set(one.troubles) == {""}
        await api.go_down()
        clock.now += DEADLINE + 0.1
        await asyncio.wait_for(one.candidate.lost(), 5)
        assert one.troubles[-1].startswith("The Lease default/podgroup-operator cannot be kept: Cannot connect to host")
        await api.come_up()
        await asyncio.wait_for(one.candidate.gained(), 5)
        await api.until(lambda: one.troubles[-1] == "", "all is well")


async def test_a_lease_that_is_held_together_is_renewed_by_whoever_is_first(
    api: FakeApi, cluster: Cluster, clock: Clock
) -> None:
    """That another one was faster is as good as a renewal; not if so long has passed that it may be version 0.1.0."""
    guard = Guard(LeaseObject(cluster, "default", WIDE), unheard, unheard, clock=clock)
    await guard.attempt()
    assert guard.remaining() == DEADLINE
    writes = api.faults.add(Answer(409, reason="Conflict"), verb="patch", name=WIDE, times=None)
    for passed, left in ((STALE - 1, DEADLINE - STALE + 1), (1, DEADLINE), (DEADLINE + 1, -1)):
        clock.now += passed
        await guard.attempt()
        assert guard.remaining() == left
    assert writes.hits == 2


async def test_those_that_hold_a_lease_together_do_not_take_it_from_one_that_may_still_write(
    api: FakeApi, cluster: Cluster, clock: Clock
) -> None:
    """Who serves all has crashed, perhaps: another one that does may have it once they have, so they wait its time."""
    leases = "leases.coordination.k8s.io"
    api.create(leases, {"metadata": {"name": WIDE}, "spec": {"holderIdentity": "other/1", "leaseDurationSeconds": 12}})
    guard = Guard(LeaseObject(cluster, "default", WIDE), unheard, unheard, clock=clock)
    await guard.attempt()
    clock.now += 1
    api.patch(leases, WIDE, {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}})
    await guard.attempt()
    assert guard.remaining() == DEADLINE - 1
    clock.now += DURATION
    await guard.attempt()
    assert (guard.remaining(), api.get(leases, WIDE)["spec"]["holderIdentity"]) == (-5, "other/1")
    clock.now += 0.1
    await guard.attempt()
    assert (guard.remaining(), api.get(leases, WIDE)["spec"]["holderIdentity"]) == (DEADLINE, SHARED)


async def test_who_cannot_see_who_came_before_it_does_not_lead(api: FakeApi, cluster: Cluster, clock: Clock) -> None:
    """The look around after the Lease was taken fails: it leads when one that follows on the Lease has not."""
    looks: list[bool] = []

    async def look() -> None:
        looks.append(not api.list("leases.coordination.k8s.io"))
        if len(looks) == 2:
            raise Unreachable("no answer")

    candidate = Candidate(LeaseObject(cluster, "default", WIDE), "host/me", unheard, clock, first=look)
    await candidate.attempt()
    assert (looks, candidate.remaining()) == ([True, False], 0)
    running = asyncio.create_task(candidate.run())
    await asyncio.wait_for(candidate.gained(), 5)
    assert looks[:3] == [True, False, False]
    running.cancel()


async def test_whoever_does_not_lead_may_still_ask(api: FakeApi, clock: Clock) -> None:
    """Reading, and asking about one's rights, take no lease."""
    async with Running(api, "one", clock) as one:
        await asyncio.wait_for(one.candidate.gained(), 5)
        review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
        async with Running(api, "two", clock) as two:
            assert await two.cluster.get(pods_path("default"))
            assert await two.cluster.ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
            assert not two.leads()

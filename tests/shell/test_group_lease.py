"""Two operators without an election, moved by hand: a group's own lease lets one of them write its pods at a time."""

import asyncio
from typing import Any

import pytest

from fakeapi import Answer, Cut, Hold
from fakeapi.client import a_group, a_pod
from podgroup_operator import group_lease
from podgroup_operator.api.cluster import NotLeading, Unreachable
from podgroup_operator.core.lease import DEADLINE, DURATION, POLL
from podgroup_operator.group_lease import INTERVAL
from podgroup_operator.lead.leader import Alone
from podgroup_operator.tell import report
from shell.sharing import PODGROUPS, Sharing
from shell.stage import NAMESPACE, Stage


def leases(stage: Stage) -> list[Any]:
    """What has been written into the group's lease, in order."""
    bodies = [request.body or {} for request in stage.writes("patch", PODGROUPS)]
    return [(body["status"]["lease"] or {}).get("holderIdentity") for body in bodies if "lease" in body["status"]]


async def test_a_lease_is_taken_before_the_first_write_and_given_back_after_the_last(one: Sharing) -> None:
    """One write takes it, one status gives it back, and the group bears no trace of it then."""
    await one.settle()
    assert leases(one) == ["one", None]
    kinds = [request.resource for request in one.api.writes if not request.dry_run]
    assert kinds[:3] == [PODGROUPS, "pods", "pods"]
    assert "lease" not in one.status()
    assert one.caught_up == 1


async def test_with_an_election_no_lease_is_taken(stage: Stage) -> None:
    """A leader writes and reads nothing more than before."""
    stage.api.create("podgroups", a_group("web", 2))
    await stage.settle()
    assert leases(stage) == []
    assert [request.verb for request in stage.api.requests if request.resource == "pods"] == ["create"] * 3


async def test_a_group_at_rest_costs_nothing(one: Sharing) -> None:
    """A look that finds nothing to do neither takes the lease nor lists."""
    await one.settle()
    before = len(one.api.requests)
    one.hear()
    await one.look()
    assert len(one.api.requests) == before


async def test_a_lease_that_cannot_be_given_back_yet_is_not_taken_again(
    one: Sharing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status was told a moment ago, and another pod is lost before the next may be: our lease is still ours."""
    await one.settle()
    monkeypatch.setattr(report, "STATUS_INTERVAL", 60.0)
    for _ in range(3):
        one.lose()
        one.hear()
        await one.look()
        one.hear()
        await one.look()
    assert len(one.writes("create")) == 5
    assert leases(one)[2:] == ["one"]


async def test_a_cache_that_lags_by_a_pod_s_whole_life_makes_no_surplus(one: Sharing, two: Sharing) -> None:
    """It shows the old pods' end and not the new pods; the list that follows the lease shows these."""
    await one.settle()
    two.hear()
    one.lose()
    two.hear_pods()
    await one.settle()
    one.lose()
    await one.settle()
    two.hear_groups()
    await two.look()
    assert len(one.api.pods()) == 2
    assert len(one.writes("create")) == 4
    assert leases(one)[-2:] == ["two", None]


async def test_who_was_slower_waits(one: Sharing, two: Sharing) -> None:
    """Both have seen the same; the second one's request for the lease is refused, and then it sees whose it is."""
    await one.settle()
    two.hear()
    one.lose()
    one.hear()
    two.hear_pods()
    await one.take()
    assert await two.look() == INTERVAL
    assert one.holder() == "one"
    assert await two.look() == POLL
    assert len(one.writes("create")) == 2
    await one.settle()
    assert await two.settle() is None
    assert len(one.writes("create")) == 3


async def test_a_dead_operator_s_lease_is_taken_after_its_time(one: Sharing, two: Sharing) -> None:
    """Not before it has been seen unchanged for its whole duration, by the clock of the one that waits."""
    await one.take()
    two.hear()
    assert await two.look() == POLL
    two.monotonic += DURATION
    assert await two.look() == POLL
    two.monotonic += 0.1
    await two.settle()
    assert leases(one) == ["one", "two", None]
    assert len(one.api.pods()) == 2


async def test_a_lease_that_is_renewed_is_not_taken(one: Sharing, two: Sharing) -> None:
    """Each renewal starts the time of those who wait anew."""
    await one.take()
    two.hear()
    await two.look()
    for _ in range(3):
        two.monotonic += DURATION - 1
        one.monotonic += DEADLINE - 1
        await one.take()
        two.hear()
        assert await two.look() == POLL
    assert one.caught_up == 1


async def test_an_operator_that_was_paused_writes_nothing(one: Sharing, two: Sharing) -> None:
    """Its time is over while it lists: another one has made the pods when it goes on."""
    one.hear()

    async def sleep_long() -> None:
        one.monotonic += DURATION + 1
        two.hear()
        await two.look()
        two.monotonic += DURATION + 1
        await two.settle()

    one.leases._catch_up = sleep_long  # noqa: SLF001 - what happens while it lists
    with pytest.raises(NotLeading):
        await one.look()
    assert len(one.writes("create")) == 2
    assert leases(one) == ["one", "two", None]
    one.leases._catch_up = one.catch_up  # noqa: SLF001 - see above
    await one.settle()
    assert len(one.writes("create")) == 2


async def test_a_request_may_take_no_longer_than_the_lease_lasts(one: Sharing) -> None:
    """It is given up in time, and counts as not answered."""
    await one.take()
    one.monotonic += DEADLINE - 0.1
    gate = asyncio.Event()
    one.api.faults.add(Hold(gate), verb="create", resource="pods")
    async with asyncio.timeout(2), one.leases.writing(one.group()) as cluster:
        with pytest.raises(Unreachable, match="longer than this operator may write"):
            await cluster.create(f"/api/v1/namespaces/{NAMESPACE}/pods", a_pod("a"))
    gate.set()
    assert one.leases.giving_back(one.group()) == {}


@pytest.mark.parametrize("fault", [Cut(after=True), Answer(504, after=True)], ids=["no answer", "a late answer"])
async def test_after_an_unanswered_write_the_lease_is_kept(one: Sharing, two: Sharing, fault: Cut | Answer) -> None:
    """What is not answered may be done yet: until that is impossible nobody else acts, and then it is given back."""
    one.api.faults.add(fault, verb="create", resource="pods", nth=2)  # the first is a dry run
    one.hear()
    await one.look()
    one.now += 100
    await one.settle()
    assert (len(one.api.pods()), one.holder()) == (2, "one")
    one.lose()
    two.hear()
    assert await two.look() == POLL
    one.monotonic += DURATION + 1
    await one.settle()
    assert one.holder() == ""
    assert len(one.api.pods()) == 2


async def test_while_it_works_for_long_it_renews(one: Sharing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan of many pods may take longer than the lease lasts."""
    monkeypatch.setattr(group_lease, "RENEWAL", 0.001)
    await one.take()
    async with one.leases.writing(one.group()) as cluster:
        for _ in range(5):
            one.monotonic += DEADLINE - 1
            renewals = len(leases(one))
            await one.api.until(lambda: len(leases(one)) > renewals + 1, "it renews")  # noqa: B023 - called at once
        await cluster.create(f"/api/v1/namespaces/{NAMESPACE}/pods", a_pod("a"))


async def test_a_lease_that_could_not_be_answered_is_listed_for(one: Sharing) -> None:
    """If the answer is lost the lease is ours all the same, but who knows since when: the pods are listed first."""
    one.api.faults.add(Cut(after=True), verb="patch", resource=PODGROUPS)
    one.hear()
    with pytest.raises(Exception, match="disconnected"):
        await one.look()
    assert (one.holder(), one.caught_up) == ("one", 0)
    await one.settle()
    assert one.caught_up == 1
    assert (len(one.api.pods()), one.holder()) == (2, "")


async def test_a_lease_is_not_asked_for_again_and_again(one: Sharing) -> None:
    """Its answers are lost, and the news of what was done wakes the group each time."""
    one.api.faults.add(Cut(after=True), verb="patch", resource=PODGROUPS, times=None)
    one.hear()
    with pytest.raises(Exception, match="disconnected"):
        await one.look()
    one.monotonic += INTERVAL / 2
    one.hear_groups()
    assert await one.look() == INTERVAL / 2
    assert leases(one) == ["one"]


async def test_who_ends_gives_all_leases_back(one: Sharing, two: Sharing) -> None:
    """The next operator need not wait, though nothing may be written any more."""
    await one.take()
    one.cluster.fence = lambda: 0.0
    await Alone(one.leases.release).release()
    assert one.holder() == ""
    await two.settle()
    assert len(one.api.pods()) == 2


async def test_what_is_wanted_may_change_while_the_lease_is_taken(one: Sharing) -> None:
    """The lease is kept, and the group looked at again for what is wanted now."""
    one.hear()

    async def meanwhile() -> None:
        one.api.patch("podgroups", "web", {"spec": {"replicas": 1}})
        one.hear_groups()

    one.leases._catch_up = meanwhile  # noqa: SLF001 - what happens while it lists
    assert await one.look() == 0
    assert one.api.pods() == []
    await one.settle()
    assert (len(one.api.pods()), leases(one)) == (1, ["one", None])

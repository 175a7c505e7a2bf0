"""Scopes: several operators, some of all namespaces and some of single ones, and never two that lead in one of them.

The times of an election are a twentieth of what they are, for all of them alike.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from fakeapi import Answer, FakeApi, Hold
from fakeapi.client import a_group
from fakeapi.errors import StatusError
from fakeapi.resources import Obj
from podgroup_operator import preflight, scope
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.core import lease as rules
from podgroup_operator.core.lease import NARROW, SHARED, WIDE, Lease, Sighting
from podgroup_operator.lead import election, guard, leader, leases, neighbours, pursuit, rivals
from podgroup_operator.lead.election import Election
from podgroup_operator.lead.leadership import Alone
from podgroup_operator.lead.rivals import Rival
from podgroup_operator.scopes import Scopes
from podgroup_operator.tell.endpoints import Health
from shell.operating import Running, operating
from shell.stage import names

if TYPE_CHECKING:
    from podgroup_operator.scope import Scope

LEASES = "leases.coordination.k8s.io"
BRIEF = 1 / 20


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (rules, election, guard, leader, leases, pursuit):
        for name in ("DURATION", "DEADLINE", "RENEWAL", "STALE", "POLL", "LEFT_OUT", "RECENT"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, getattr(module, name) * BRIEF)
    monkeypatch.setattr(rivals, "LOOK", 0.02)
    monkeypatch.setattr(preflight, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(scope, "LONGEST_PAUSE", 0.05)


@pytest.fixture(autouse=True)
def _namespaces(api: FakeApi) -> None:
    for namespace in ("shop", "mall", "ops", "elsewhere"):
        api.create("namespaces", {"metadata": {"name": namespace}})
    api.kubelet.start()
    api.collector.start()


async def serves(api: FakeApi, namespace: str) -> None:
    """Wait until a group there is made whole, and again after a pod of it was lost."""
    if "web" not in names(api.list("podgroups", namespace)):
        api.create("podgroups", a_group("web", 2), namespace)
    await api.until(lambda: len(api.pods(namespace)) == 2, f"two pods in {namespace}")
    victim = names(api.pods(namespace))[0]
    api.delete("pods", victim, namespace, grace=0)
    await api.until(lambda: len(set(names(api.pods(namespace))) - {victim}) == 2, f"{namespace} is healed")


def leads(running: Running, namespace: str) -> bool:
    """Whether an operator may write in a namespace."""
    return running.operator._election.remaining(namespace) > 0  # noqa: SLF001 - what each write asks


@asynccontextmanager
async def never_two(namespace: str) -> AsyncIterator[list[Running]]:
    """See that of the operators that are in the list no two lead in a namespace."""
    operators: list[Running] = []

    async def look() -> None:
        while True:
            assert sum(leads(each, namespace) for each in operators) <= 1
            await asyncio.sleep(0.001)

    looking = asyncio.create_task(look())
    yield operators
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert looking.cancelled(), looking.exception()


@pytest.mark.parametrize("wide_first", [True, False])
async def test_who_serves_all_leaves_out_what_another_one_serves(api: FakeApi, *, wide_first: bool) -> None:
    """In whatever order they start; both say so, it serves the rest, and the whole when the other one has gone."""
    async with AsyncExitStack() as wide_stack, AsyncExitStack() as narrow_stack, never_two("shop") as operators:
        order = [True, False] if wide_first else [False, True]
        found: dict[bool, Running] = {}
        for is_wide in order:
            stack, served = (wide_stack, ()) if is_wide else (narrow_stack, ("shop",))
            place = "ops" if is_wide else "elsewhere"
            running = await stack.enter_async_context(operating(api, *served, lease_namespace=place))
            operators.append(running)
            found[is_wide] = running
            await serves(api, "shop")
        wide, narrow = found[True], found[False]
        await api.until(lambda: leads(narrow, "shop"), "the one of the namespace leads there")
        holder = api.get(LEASES, NARROW, "shop")["spec"]["holderIdentity"]
        told = await wide.readiness(200, "Namespace shop is left out")
        assert told == f"ok\nNamespace shop is left out: {holder} serves it (Lease shop/{NARROW}).\n"
        await serves(api, "mall")
        await serves(api, "shop")
        assert (leads(wide, "mall"), leads(wide, "shop")) == (True, False)
        operators.remove(narrow)
        await narrow_stack.aclose()
        await api.until(lambda: leads(wide, "shop"), "it is served by who serves all")
        assert await wide.readiness(200) == "ok\n"
        await serves(api, "shop")


async def test_a_lease_of_a_namespace_that_somebody_deletes_lets_no_two_serve_it(api: FakeApi) -> None:
    """Its holder may not have noticed yet: who serves all waits until that one's time is up, then serves it."""
    async with (
        operating(api, lease_namespace="ops") as wide,
        operating(api, "shop", lease_namespace="elsewhere") as narrow,
        never_two("shop") as operators,
    ):
        operators += [wide, narrow]
        await wide.readiness(200, "Namespace shop is left out")
        await serves(api, "shop")
        gate = asyncio.Event()
        holder = api.get(LEASES, NARROW, "shop")["spec"]["holderIdentity"]
        api.faults.add(Hold(gate), verb="get", resource=LEASES, namespace="shop", times=None)
        api.delete(LEASES, NARROW, "shop")
        why = f"{holder} may not know yet that its Lease was deleted"
        told = await wide.readiness(200, "was deleted")
        assert told == f"ok\nNamespace shop is left out: {why} (Lease shop/{NARROW}).\n"
        await api.until(lambda: leads(wide, "shop"), "it is served by who serves all")
        gate.set()
        await wide.readiness(200, "Namespace shop is left out")


async def test_a_lease_that_was_given_back_and_deleted_is_in_nobodys_way(api: FakeApi) -> None:
    """Nobody writes by it any more; nor by one that was left long ago."""
    free = {"leaseDurationSeconds": 1000}
    api.create(LEASES, {"metadata": {"name": NARROW}, "spec": {"holderIdentity": "", **free}}, "shop")
    api.create(LEASES, {"metadata": {"name": NARROW}, "spec": {"holderIdentity": "killed/1", **free}}, "mall")
    async with operating(api, lease_namespace="ops") as wide:
        await wide.readiness(200, "Namespace shop is left out")
        api.delete(LEASES, NARROW, "shop")
        await wide.readiness(200, "ok\nNamespace mall is left out")
        await api.until(lambda: leads(wide, "mall"), "mall was left")
        assert leads(wide, "shop")
        api.delete(LEASES, NARROW, "mall")
        for _ in range(10):
            await wide.operator._election.neighbours.look()  # noqa: SLF001 - what each renewal does
            assert leads(wide, "mall")


async def test_operators_of_different_namespaces_lead_side_by_side(api: FakeApi) -> None:
    """Though their Leases of today's name are in one namespace; there they hold it together."""
    async with (
        operating(api, "shop", lease_namespace="ops") as shop,
        operating(api, "mall", lease_namespace="ops") as mall,
    ):
        for running, namespace in ((shop, "shop"), (mall, "mall")):
            await serves(api, namespace)
            assert await running.ask("/readyz") == (200, "ok\n")
        assert leads(shop, "shop")
        assert leads(mall, "mall")
        assert api.get(LEASES, WIDE, "ops")["spec"]["holderIdentity"] == SHARED


async def test_where_two_serve_a_namespace_one_leads_and_the_other_says_who(api: FakeApi) -> None:
    """The rest of what each serves is its own."""
    async with AsyncExitStack() as first, never_two("shop") as operators:
        one = await first.enter_async_context(operating(api, "shop", lease_namespace="ops"))
        await serves(api, "shop")
        async with operating(api, "shop", "mall", lease_namespace="elsewhere") as other:
            operators += [one, other]
            await serves(api, "mall")
            holder = api.get(LEASES, NARROW, "shop")["spec"]["holderIdentity"]
            told = await other.readiness(200, "Standing by")
            assert told == f"ok\nStanding by: {holder} leads for namespace shop (Lease shop/{NARROW}).\n"
            operators.remove(one)
            await first.aclose()
            await serves(api, "shop")
            assert leads(other, "shop")


async def test_an_operator_of_version_0_1_0_keeps_later_ones_away(api: FakeApi) -> None:
    """It holds today's name for whatever it serves; when it is gone the later one leads, and it never again."""
    old = {"holderIdentity": "podgroup-operator-7d9f-abcde-1-0a1b2c3d", "leaseDurationSeconds": 1}
    api.create(LEASES, {"metadata": {"name": WIDE}, "spec": old}, "ops")
    renewing = asyncio.create_task(renew(api, "ops", old))
    async with operating(api, "shop", lease_namespace="ops") as running:
        told = await running.readiness(200, "Standing by")
        assert "podgroup-operator-7d9f-abcde-1-0a1b2c3d, perhaps an operator of version 0.1.0" in told
        api.create("podgroups", a_group("web", 2), "shop")
        await asyncio.sleep(1.5)  # the time in which nothing may happen
        assert api.pods("shop") == []
        renewing.cancel()
        await serves(api, "shop")
        assert api.get(LEASES, WIDE, "ops")["spec"]["holderIdentity"] == SHARED


async def renew(api: FakeApi, namespace: str, spec: dict[str, object]) -> None:
    """Renew today's Lease for ever, as another operator does."""
    count = 0
    while True:
        count += 1
        renewed = {**spec, "renewTime": f"2026-01-01T00:00:00.{count:06d}Z"}
        api.patch(LEASES, WIDE, {"spec": renewed}, namespace)
        await asyncio.sleep(0.05)


async def test_without_the_right_to_its_own_lease_a_namespace_is_served_by_todays(api: FakeApi) -> None:
    """As by version 0.1.0, whose Role it may still have; it is said what that costs."""
    api.access.forbid_by_name(NARROW)
    async with operating(api, "shop", lease_namespace="ops") as running:
        await serves(api, "shop")
        assert "others that serve namespace shop are not seen" in await running.readiness(200)
        assert "/" in api.get(LEASES, WIDE, "ops")["spec"]["holderIdentity"]


async def test_without_the_right_to_see_others_all_are_served(api: FakeApi) -> None:
    """That costs this alone, and is said."""
    api.access.deny("list", LEASES)
    async with operating(api, lease_namespace="ops") as running:
        await serves(api, "shop")
        assert neighbours.BLIND in await running.readiness(200, "cannot be seen")


async def test_without_an_election_it_does_not_start_beside_a_leader(api: FakeApi) -> None:
    """It says who leads and what to do; a Lease that is given back, or not renewed any more, is in nobody's way."""
    async with operating(api, lease_namespace="ops"):
        await serves(api, "shop")
        holder = api.get(LEASES, WIDE, "ops")["spec"]["holderIdentity"]
        with pytest.raises(ExceptionGroup) as raised:
            await end_of_a_lonely_one(api)
    (rival,) = raised.value.exceptions
    while isinstance(rival, ExceptionGroup):
        (rival,) = rival.exceptions
    assert isinstance(rival, Rival)
    assert str(rival) == (
        f"{holder} leads by the Lease ops/{WIDE}, and renews it. Stop that operator first, or leave --no-leader-elect "
        "out, so that this one stands by."
    )
    async with operating(api, lease_namespace="ops", leader_elect=False):
        await serves(api, "shop")
    api.patch(LEASES, WIDE, {"spec": {"holderIdentity": "killed/1", "leaseDurationSeconds": 1}}, "ops")
    async with operating(api, lease_namespace="ops", leader_elect=False):
        await serves(api, "mall")


@pytest.mark.parametrize("wide_first", [True, False])
async def test_without_an_election_too_who_serves_all_leaves_out_what_another_one_serves(
    api: FakeApi, *, wide_first: bool
) -> None:
    """In whatever order they start it says so, serves the rest, and the whole when the other one has gone."""
    async with AsyncExitStack() as wide_stack, AsyncExitStack() as narrow_stack:
        lonely = operating(api, lease_namespace="ops", leader_elect=False)
        if wide_first:
            wide = await wide_stack.enter_async_context(lonely)
            await serves(api, "shop")
        narrow = await narrow_stack.enter_async_context(operating(api, "shop", lease_namespace="elsewhere"))
        await api.until(lambda: leads(narrow, "shop"), "the one of the namespace leads there")
        if not wide_first:
            wide = await wide_stack.enter_async_context(lonely)
            assert not leads(wide, "shop")
        holder = api.get(LEASES, NARROW, "shop")["spec"]["holderIdentity"]
        told = await wide.readiness(200, "Namespace shop is left out")
        assert told == f"ok\nNamespace shop is left out: {holder} serves it (Lease shop/{NARROW}).\n"
        assert (leads(narrow, "shop"), leads(wide, "shop"), leads(wide, "mall")) == (True, False, True)
        await serves(api, "mall")
        await serves(api, "shop")
        await narrow_stack.aclose()
        await api.until(lambda: leads(wide, "shop"), "it is served by who serves all")
        await serves(api, "shop")


async def test_without_an_election_nothing_is_written_before_it_is_known_who_serves_what(api: FakeApi) -> None:
    """The list of the others is refused for a while, and asked for until it is answered."""
    async with operating(api, "shop", lease_namespace="elsewhere") as narrow:
        await api.until(lambda: leads(narrow, "shop"), "the one of the namespace leads there")
        api.faults.add(Answer(500), verb="list", resource=LEASES, times=2)
        async with operating(api, lease_namespace="ops", leader_elect=False, ready=False) as wide:
            while not leads(wide, "mall"):
                assert not leads(wide, "shop")
                await asyncio.sleep(0.001)
            assert not leads(wide, "shop")


async def test_without_an_election_it_asks_again_where_it_is_not_told_what_it_may_see(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API server that is just being rolled ends no operator."""
    review, refused = api.access.review, list[Obj]()

    def busy(body: Obj) -> Obj:
        if body["spec"]["resourceAttributes"].get("name") in {WIDE, NARROW} and len(refused) < 3:
            refused.append(body)
            raise StatusError(503, "etcdserver: leader changed")
        return review(body)

    monkeypatch.setattr(api.access, "review", busy)
    monkeypatch.setattr(election, "ASK_AGAIN", 0.02)
    async with operating(api, lease_namespace="ops", leader_elect=False):
        await serves(api, "shop")
    assert len(refused) == 3


async def test_without_an_election_nothing_is_asked_for_that_is_forbidden(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    """That it may not see others its log says; it is for who runs it to know that there are none."""
    caplog.set_level("INFO")
    api.access.deny("list", LEASES)
    async with operating(api, lease_namespace="ops", leader_elect=False) as running:
        await serves(api, "shop")
        assert await running.readiness(200) == "ok\n"
    assert neighbours.BLIND in caplog.messages
    assert [request for request in api.requests if request.code == 403] == []


async def end_of_a_lonely_one(api: FakeApi) -> None:
    """Run an operator without an election until it ends by itself."""
    async with operating(api, lease_namespace="ops", leader_elect=False, ready=False) as running:
        await running.task


class Listing:
    """The scope of all namespaces: its lists of pods end when a test says so."""

    namespace, is_open = "", True

    def __init__(self) -> None:
        self.lists: list[asyncio.Event] = []

    async def catch_up(self) -> None:
        """List the pods."""
        self.lists.append(asyncio.Event())
        await self.lists[-1].wait()


async def test_a_namespace_that_is_taken_while_its_pods_are_listed_is_listed_anew(cluster: Cluster) -> None:
    """It comes back a second time before the list ends; that does not show what its own operator has written."""
    own, all_of_them, begun = Election(cluster, "ops", "host/1", Health(), wide=True), Listing(), list[str]()
    own._leaderships[""] = Alone()  # noqa: SLF001 - no Lease is needed for this
    scopes = Scopes(own, asyncio.create_task)
    scopes.add(cast("Scope", all_of_them))

    def begin(namespace: str, *, others: bool) -> None:
        assert others
        begun.append(namespace)

    welcoming = asyncio.create_task(scopes.welcome_back(begin))
    for _ in range(2):
        own.neighbours._seen = {"shop": Sighting(Lease("other/1", 12, 0, 1), 0)}  # noqa: SLF001 - as a look finds it
        own.neighbours._leave_out(frozenset({"shop"}))  # noqa: SLF001
        own.neighbours._leave_out(frozenset())  # noqa: SLF001
        await asyncio.sleep(0.01)
    all_of_them.lists[0].set()
    await asyncio.sleep(0.01)
    assert (begun, own.left_out("shop"), len(all_of_them.lists)) == ([], True, 2)
    all_of_them.lists[1].set()
    await asyncio.sleep(0.01)
    assert (begun, own.left_out("shop")) == (["shop"], False)
    welcoming.cancel()


async def test_a_namespace_that_goes_takes_no_other_with_it(api: FakeApi) -> None:
    """Its Role is gone: it is named, the others are served, also after a restart; when it is back so is its service."""
    for _ in range(2):
        async with operating(api, "shop", "mall", lease_namespace="ops") as running:
            api.access.open("mall")
            await serves(api, "mall")
            api.access.shut("mall")
            for plural in ("pods", "podgroups"):
                for watch in api.watches(plural):
                    watch.end()
            told = await running.readiness(200, "in namespace mall: get podgroups.selfheal.dev")
            assert told.startswith("ok\n")
            await serves(api, "shop")
            name = f"new{len(api.list('podgroups', 'shop'))}"
            api.create("podgroups", a_group(name, 1), "shop")
            await api.until(lambda: any(each.startswith(name) for each in names(api.pods("shop"))), "a new group")  # noqa: B023
            api.access.open("mall")
            await running.readiness(200)
            await serves(api, "mall")
            api.delete("podgroups", name, "shop")
        api.access.shut("mall")


async def test_without_the_right_to_events_pods_are_kept(api: FakeApi) -> None:
    """It is said, and heals go on."""
    api.access.deny("create", "events.events.k8s.io")
    async with operating(api, lease_namespace="ops") as running:
        await serves(api, "shop")
        assert "may not do this in all namespaces: create events.events.k8s.io." in await running.readiness(200)
        api.access.allow("create", "events.events.k8s.io")
        await api.until(lambda: not running.operator._health.worth_knowing, "it is found out that it may now")  # noqa: SLF001

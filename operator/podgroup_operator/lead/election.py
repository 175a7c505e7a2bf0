"""All Leases of one operator: which it strives for, and what it may write where by those that it holds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from podgroup_operator.api.cluster import Cluster, describe
from podgroup_operator.api.refusals import FORBIDDEN, Refused, Unreachable
from podgroup_operator.core.lease import DEADLINE, NARROW, RENEWAL, WIDE
from podgroup_operator.lead.guard import Guard
from podgroup_operator.lead.leader import Candidate, nothing
from podgroup_operator.lead.leadership import Alone, Leadership
from podgroup_operator.lead.leases import LeaseObject
from podgroup_operator.lead.neighbours import BLIND, Neighbours, nobody_serves_all
from podgroup_operator.lead.rivals import none_leads

ASK_AGAIN = 1.0  # seconds, where the API server does not say whether others lead

logger = logging.getLogger(__name__)

Spawn = Callable[[Coroutine[Any, Any, None]], object]


class Report(Protocol):
    """Who is told how it goes."""

    def tell(self, who: str, what: str, scope: str = "") -> None:
        """Note what somebody waits for."""

    def remark(self, who: str, what: str) -> None:
        """Note what is worth knowing though all is well."""


class Election:
    """The authority behind each write: leadership of all namespaces, as "", or of each that is served.

    Args:
        cluster: the API.
        lease_namespace: where the Lease of an operator of all namespaces is.
        identity: who we are, as no other operator is.
        report: told how it goes.
        wide: whether all namespaces are served.

    Attributes:
        neighbours: the operators of single namespaces beside one of all.
    """

    def __init__(self, cluster: Cluster, lease_namespace: str, identity: str, report: Report, *, wide: bool) -> None:
        self._cluster = cluster
        self._identity = identity
        self._report = report
        self._wide = wide
        self._wide_lease = LeaseObject(cluster, lease_namespace, WIDE)
        self._leaderships: dict[str, Leadership] = {}
        self._guard: Guard | None = None
        self._by_wide_lease: Candidate | None = None
        self.neighbours = Neighbours(cluster, partial(report.remark, NARROW))

    def stand(self, namespace: str, spawn: Spawn, *, narrow: bool) -> Leadership:
        """Strive for leadership of a namespace that is served, or of all.

        Args:
            namespace: which; "" is all.
            spawn: has it done in the background.
            narrow: whether the Lease of this namespace alone may be held; if not, the one of all has to serve.
        """
        if narrow:
            leadership = self._narrow(namespace, spawn)
            spawn(leadership.run())
        else:
            leadership = self._by_wide_lease or self._of_all()
            if self._by_wide_lease is None:
                self._by_wide_lease = leadership
                spawn(leadership.run())
        self._leaderships[namespace] = leadership
        return leadership

    async def stand_alone(
        self, namespace: str, spawn: Spawn, readable: Callable[[LeaseObject], Awaitable[bool]]
    ) -> Leadership:
        """Lead without an election.

        Args:
            namespace: where; "" is all but what others of single namespaces serve.
            spawn: has something done in the background.
            readable: tells whether we may read a Lease; of no namespace, those of its name in all namespaces.

        Raises:
            Rival: somebody else leads there.
        """
        leases = [LeaseObject(self._cluster, namespace, NARROW)] if namespace else []
        for lease in (*leases, self._wide_lease):
            if await self._is_readable(lease, readable):
                await self._none_leads(lease)
        if not namespace and await self._is_readable(LeaseObject(self._cluster, "", NARROW), readable):
            seen = asyncio.Event()
            spawn(self._look_around(seen))
            await seen.wait()
        elif not namespace:
            logger.info("%s", BLIND)
        return self._leaderships.setdefault(namespace, Alone())

    async def release(self) -> None:
        """Give back what is held, but what others hold too."""
        await asyncio.gather(*(leadership.release() for leadership in set(self._leaderships.values())))

    def scope(self, namespace: str) -> str:
        """Tell as part of what a namespace is served."""
        return "" if self._wide else namespace

    def left_out(self, namespace: str) -> bool:
        """Tell whether a namespace is not served by us, or has not been caught up with since."""
        return namespace in self.neighbours.away

    def tenure(self, namespace: str) -> int:
        """Give the number of the present time of leading there, or of the last one."""
        leadership = self._leaderships.get(self.scope(namespace))
        return leadership.tenure + self.neighbours.returns[namespace] if leadership else 0

    def remaining(self, namespace: str) -> float:
        """Give the seconds for which we may write there without asking again; 0 or less: we may not."""
        leadership = self._leaderships.get(self.scope(namespace))
        return 0.0 if leadership is None or namespace in self.neighbours.left_out else leadership.remaining()

    def _of_all(self) -> Candidate:
        return Candidate(
            self._wide_lease,
            self._identity,
            partial(self._report.tell, WIDE),
            whom="all namespaces" if self._wide else "what it serves",
            say=partial(self._report.remark, WIDE),
            first=self.neighbours.look if self._wide else nothing,
        )

    def _narrow(self, namespace: str, spawn: Spawn) -> Candidate:
        if self._guard is None:
            trouble, say = partial(self._report.tell, WIDE), partial(self._report.remark, WIDE)
            self._guard = Guard(self._wide_lease, trouble, say)
            spawn(self._guard.run())
        return Candidate(
            LeaseObject(self._cluster, namespace, NARROW),
            self._identity,
            partial(self._report.tell, NARROW, scope=namespace),
            whom=f"namespace {namespace}",
            say=partial(self._report.remark, f"{NARROW} {namespace}"),
            within=self._guard.remaining,
            unopposed=partial(nobody_serves_all, self._cluster),
        )

    async def _look_around(self, seen: asyncio.Event) -> None:
        """Leave out for ever what others serve, late by a pause, for nobody waits for us, who hold no Lease.

        Args:
            seen: set when it is known who is there.
        """
        while True:
            try:
                async with asyncio.timeout(DEADLINE / 2):
                    await self.neighbours.look()
                seen.set()
            except (Refused, Unreachable, TimeoutError) as error:
                logger.warning("It cannot be seen who serves single namespaces; asked again: %s", describe(error))
            await asyncio.sleep(RENEWAL)

    async def _is_readable(self, lease: LeaseObject, readable: Callable[[LeaseObject], Awaitable[bool]]) -> bool:
        while True:
            try:
                return await readable(lease)
            except (Refused, Unreachable) as error:
                logger.warning("It cannot be seen who leads by the Lease %s; asked again: %s", lease, describe(error))
            await asyncio.sleep(ASK_AGAIN)

    async def _none_leads(self, lease: LeaseObject) -> None:
        while True:
            try:
                await none_leads(lease)
            except Unreachable:
                await asyncio.sleep(ASK_AGAIN)
            except Refused as refusal:
                if refusal.code == FORBIDDEN:
                    return
                await asyncio.sleep(ASK_AGAIN)
            else:
                return

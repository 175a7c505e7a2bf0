"""Namespaces that an operator of all namespaces leaves out: others serve them, and say so by a Lease there.

They are looked for at the beginning of each renewal of our own Lease, by one list of the Leases of that name. So the
time for which we may write by our own Lease never goes beyond what that list has shown, and who takes a namespace waits
for as long. A namespace is left out until its Lease has not been changed for so long that nobody else of its own comes.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from podgroup_operator.api.cluster import Cluster, object_path
from podgroup_operator.api.refusals import FORBIDDEN, Refused
from podgroup_operator.core.lease import NARROW, SHARED, WIDE, Sighting, is_left, see
from podgroup_operator.lead import boot
from podgroup_operator.lead.leases import ROOT, read_lease

Json = dict[str, Any]

ASK_AGAIN = 60.0  # seconds after it was forbidden to see them
BLIND = (
    f"It cannot be seen whether others serve single namespaces: grant list leases.coordination.k8s.io {NARROW} in all "
    "namespaces with a ClusterRole. Until then run no operator with --namespace beside this one."
)

logger = logging.getLogger(__name__)


async def all_named(cluster: Cluster, name: str) -> list[Json]:
    """List the Leases of a name in all namespaces (RBAC takes the field selector for the object's name)."""
    page = await cluster.get(object_path(ROOT, "leases", "", ""), {"fieldSelector": f"metadata.name={name}"})
    return list(page.get("items") or ())


async def nobody_serves_all(cluster: Cluster) -> bool:
    """Tell whether there is no operator of all namespaces; without the right to see that, no.

    Raises:
        Refused: the API server's no, if it is not that we may not see it.
        Unreachable: there was no answer.
    """
    try:
        holders = [read_lease(lease).holder for lease in await all_named(cluster, WIDE)]
    except Refused as refusal:
        if refusal.code != FORBIDDEN:
            raise
        return False
    return all(holder in {"", SHARED} for holder in holders)


class Neighbours:
    """The operators of single namespaces beside us.

    Args:
        cluster: the API.
        say: told which namespaces are left out, and for whom, in sentences; "" when none is.
        clock: seconds that nobody sets.

    Attributes:
        left_out: the namespaces that we do not serve.
        away: these, and those that have come back and were not yet caught up with.
        returns: how many times each has come back to us.
    """

    def __init__(self, cluster: Cluster, say: Callable[[str], None], clock: Callable[[], float] = boot.seconds) -> None:
        self._cluster = cluster
        self._say = say
        self._clock = clock
        self._seen: dict[str, Sighting] = {}
        self._ask_from = -math.inf
        self._told = ""
        self._returned = asyncio.Queue[str]()
        self.left_out: frozenset[str] = frozenset()
        self.away: frozenset[str] = frozenset()
        self.returns = Counter[str]()

    async def returned(self) -> str:
        """Wait for a namespace that has come back to us; give it."""
        return await self._returned.get()

    def welcome(self, namespace: str) -> None:
        """Note that a namespace that came back has been caught up with, unless it has been taken again."""
        self.away = self.away - {namespace} | self.left_out

    async def look(self) -> None:
        """Find out who is there.

        Raises:
            Refused: the API server's no, if it is not that we may not see them.
            Unreachable: there was no answer.
        """
        if self._clock() < self._ask_from:
            return
        try:
            leases = await all_named(self._cluster, NARROW)
        except Refused as refusal:
            if refusal.code != FORBIDDEN:
                raise
            self._ask_from = self._clock() + ASK_AGAIN
            self._tell(BLIND)
            return
        now = self._clock()
        found = {item["metadata"]["namespace"]: read_lease(item) for item in leases}
        # Where a Lease was deleted that had been left to us before, nobody is waited for.
        missed = self.left_out - found.keys()
        sightings = ((each, see(self._seen.get(each), found.get(each), now)) for each in (*found, *missed))
        self._seen = {namespace: seen for namespace, seen in sightings if seen}
        self._leave_out(frozenset(namespace for namespace, seen in self._seen.items() if not is_left(seen, now)))

    def _leave_out(self, namespaces: frozenset[str]) -> None:
        before, self.left_out = self.left_out, namespaces
        self.away |= namespaces
        for namespace in before - namespaces:
            self.returns[namespace] += 1
            self._returned.put_nowait(namespace)
        self._tell(" ".join(self._sentence(namespace) for namespace in sorted(namespaces)))

    def _sentence(self, namespace: str) -> str:
        seen = self._seen[namespace]
        if seen.lease is None and seen.lost:
            why = f"{seen.lost.holder} may not know yet that its Lease was deleted"
        elif seen.holder:
            why = f"{seen.holder} serves it"
        else:
            why = "it was given back, and another one of its own may take it"
        return f"Namespace {namespace} is left out: {why} (Lease {namespace}/{NARROW})."

    def _tell(self, what: str) -> None:
        self._say(what)
        if what != self._told:
            self._told = what
            logger.info("%s", what or "No namespace is left out any more.")

"""A small lease for each PodGroup, in its status: who writes its pods when operators run without an election.

An operator that has something to do for a group takes the group's lease first, by a write that nobody's other write
may have come before; then it lists the pods, which shows all that earlier holders have done, and decides anew. It
writes only while its time lasts, by its own monotonic clock, and gives the lease back in the status that it writes
when nothing is left to do. A lease whose holder has died is taken when it has been seen unchanged for long enough.
The rules are those of the Lease that leaders share (`core/lease.py`). A group with nothing to do costs nothing.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from podgroup_operator.api.cluster import (
    CONFLICT,
    NOT_FOUND,
    UNPROCESSABLE,
    Cluster,
    Refused,
    Unreachable,
    podgroups_path,
)
from podgroup_operator.api.restored import Restored
from podgroup_operator.api.wire import read_lease, write_lease
from podgroup_operator.core.lease import DEADLINE, DURATION, POLL, RENEWAL, Sighting, Step, next_step, see
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.workqueue import Key

Json = dict[str, Any]

INTERVAL = 0.25  # seconds before a lease is asked for again that was refused, or not answered though its news may come

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tenancy:
    """What we know of one group's lease. Times are seconds of our monotonic clock.

    Attributes:
        seen: the lease as it was seen last.
        retry_at: when it may be asked for again, if it was not granted.
        until: for how long we may write.
        caught_up: our cache of pods has been made fresh since we took it.
        kept_until: it is not given back before, for a write of ours was not answered and may be done yet.
    """

    seen: Sighting | None = None
    retry_at: float = 0.0
    until: float = 0.0
    caught_up: bool = False
    kept_until: float = 0.0


class GroupLeases:
    """The leases of all groups, as one operator sees them.

    Args:
        cluster: the API.
        groups: the cache of PodGroups, which hears of our writes first.
        identity: who we are, as no other operator is, nor an earlier run of ours.
        catch_up: makes the cache of pods no older than the call.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        groups: GroupStore,
        identity: str,
        catch_up: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._groups = groups
        self._identity = identity
        self._catch_up = catch_up
        self._clock = clock
        self._tenancies: dict[str, Tenancy] = defaultdict(Tenancy)

    def see(self, group: Group) -> Tenancy:
        """Note since when a group's lease is as it is; to be called at each look."""
        tenancy = self._tenancies[group.uid]
        tenancy.seen = see(tenancy.seen, read_lease(group.body), self._clock())
        return tenancy

    def forget(self, uid: str) -> None:
        """Drop what is known of a group that is gone."""
        self._tenancies.pop(uid, None)

    async def take(self, group: Group) -> float | None:
        """Take a group's lease and catch up with what others have done, unless we have it and did.

        Returns:
            The seconds to wait if another operator has it, or changed the group meanwhile, or if it was not granted
            a moment ago; None: it is ours.

        Raises:
            Refused, Unreachable: it cannot be taken.
        """
        tenancy = self.see(group)
        step = next_step(tenancy.seen, self._identity, self._clock())
        if step is Step.WAIT:
            return POLL
        if step is not Step.RENEW:
            tenancy.until, tenancy.caught_up = 0.0, False
        if tenancy.until - self._clock() < DEADLINE / 2:
            if self._clock() < tenancy.retry_at:
                return tenancy.retry_at - self._clock()
            if not await self._write(group, tenancy):
                return INTERVAL
        if not tenancy.caught_up:
            await self._catch_up()
            tenancy.caught_up = True
        return None

    @contextlib.asynccontextmanager
    async def writing(self, group: Group) -> AsyncIterator[Cluster]:
        """Give the API for as long as a group's lease is ours, and renew it meanwhile."""
        tenancy = self._tenancies[group.uid]

        def keep() -> None:
            tenancy.kept_until = self._clock() + DURATION

        renewal = asyncio.ensure_future(self._renew(group.key, tenancy))
        try:
            yield self._cluster.fenced(lambda: tenancy.until - self._clock(), keep)
        finally:
            renewal.cancel()

    def giving_back(self, group: Group) -> Json:
        """Give what to write into a group's status so that its lease is free; nothing if it is not ours to give."""
        kept = self._clock() < self._tenancies[group.uid].kept_until
        return {"lease": None} if self._holds(group) and not kept else {}

    def gives_back(self, group: Group) -> None:
        """Note that this is about to be sent; it counts from now on, for it may be done though it is not answered."""
        self._tenancies[group.uid].until = 0.0

    async def release(self) -> None:
        """Give all leases back, when no write of ours is under way any more."""
        held = [group for uid in self._tenancies if (group := self._groups.named(uid)) and self._holds(group)]
        await asyncio.gather(*(self._release(group) for group in held))

    async def _release(self, group: Group) -> None:
        status = self.giving_back(group)
        if status:
            self.gives_back(group)
            try:
                await self._cluster.claim("PATCH", f"{podgroups_path(*group.key)}/status", patch(group, status))
            except (Refused, Unreachable) as error:
                logger.warning("The lease of group=%s/%s could not be given back: %s", *group.key, error)

    def _holds(self, group: Group) -> bool:
        lease = read_lease(group.body)
        return lease is not None and lease.holder == self._identity

    async def _renew(self, key: Key, tenancy: Tenancy) -> None:
        """Renew a lease that is ours for ever; trouble is for the next time, and in the end the fence stops all."""
        while True:
            await asyncio.sleep(RENEWAL)
            group = self._groups.get(key)
            if group and self._holds(group):
                with contextlib.suppress(Refused, Unreachable, Restored):  # the look itself finds out as well
                    await self._write(group, tenancy)

    async def _write(self, group: Group, tenancy: Tenancy) -> bool:
        """Write ourselves into a group's lease; tell whether nobody had changed the group meanwhile."""
        asked = self._clock()
        tenancy.retry_at = asked + INTERVAL
        listing = self._groups.listing
        status = {"lease": write_lease(self._identity, time.time())}
        api, path = self._cluster.fenced(lambda: asked + DEADLINE / 2 - self._clock()), podgroups_path(*group.key)
        try:
            body = await api.patch(f"{path}/status", patch(group, status))
        except Refused as refusal:
            if refusal.code not in {NOT_FOUND, CONFLICT, UNPROCESSABLE}:
                raise
            if refusal.code == CONFLICT:  # the news of what has changed may be late
                self._groups.answered(group, await self._cluster.get(path), listing)
            return False
        self._groups.answered(group, body, listing)
        tenancy.seen = see(tenancy.seen, read_lease(body), self._clock())
        tenancy.until, tenancy.retry_at = asked + DEADLINE, 0.0
        return True


def patch(group: Group, status: Json) -> Json:
    """Write a patch of a group's status that is refused if anything of the group has changed since it was seen."""
    version = group.body["metadata"]["resourceVersion"]
    return {"metadata": {"uid": group.uid, "resourceVersion": version}, "status": status}

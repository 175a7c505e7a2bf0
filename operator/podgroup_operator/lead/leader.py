"""The leader's Lease: taken, renewed, given back, and asked before each write.

`core/lease.py` decides; here it is done. Losing the Lease stops all writes at once, for `fence` counts the time that
is left by our own clock, also across a pause of the whole process; the caches stay full, so whoever leads next starts
within a second.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import Any, Protocol

from podgroup_operator.api.cluster import CONFLICT, NOT_FOUND, Cluster, Refused, Unreachable, object_path
from podgroup_operator.core.lease import DEADLINE, DURATION, POLL, RENEWAL, Lease, Sighting, Step, next_step, see
from podgroup_operator.core.manifest import micro_time

NAME = "podgroup-operator"
ROOT = "/apis/coordination.k8s.io/v1"

Json = dict[str, Any]

logger = logging.getLogger(__name__)


class Leadership(Protocol):
    """Whether this operator may act."""

    async def run(self) -> None:
        """Strive for leadership for ever."""

    async def gained(self) -> None:
        """Return when this operator may act, now or later."""

    async def lost(self) -> None:
        """Return when it may not act, now or later."""

    async def release(self) -> None:
        """Let another one lead."""

    @property
    def tenure(self) -> int:
        """Give the number of the present time of leading, or of the last one."""

    def remaining(self) -> float:
        """Give the seconds for which it may act without asking again; 0 or less: it may not."""


class Alone:
    """No election: this operator may always act."""

    tenure = 0

    async def run(self) -> None:
        """Strive for nothing."""

    async def gained(self) -> None:
        """Return at once."""

    async def lost(self) -> None:
        """Never return."""
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Have nothing to give back."""

    def remaining(self) -> float:
        """Give no limit."""
        return math.inf


class Candidate:
    """An operator that leads while it holds the Lease.

    Args:
        cluster: the API.
        namespace: where the Lease is.
        identity: who we are, as no other operator is.
        trouble: told why the Lease cannot be had or kept, a sentence; "" when nothing is in the way.
        clock: monotonic seconds.

    Attributes:
        tenure: how many times we have begun to lead.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        identity: str,
        trouble: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._identity = identity
        self._trouble = trouble
        self._clock = clock
        self._seen: Sighting | None = None
        self._until = 0.0
        self._leading, self._following = asyncio.Event(), asyncio.Event()
        self._following.set()
        self._holder = ""
        self.tenure = 0

    def remaining(self) -> float:
        """Give the seconds for which we may act without another renewal; 0 or less: we may not."""
        return self._until - self._clock()

    async def gained(self) -> None:
        """Return when we lead, now or later."""
        await self._leading.wait()

    async def lost(self) -> None:
        """Return when we do not lead, now or later."""
        await self._following.wait()

    async def run(self) -> None:
        """Take the Lease when it is free, and renew it as long as we have it."""
        while True:
            await self._try()
            if self._leading.is_set() and self.remaining() <= 0:
                logger.warning("The Lease could not be renewed in time; nothing is written until it is ours again.")
                self._step_down()
            await asyncio.sleep(RENEWAL if self._leading.is_set() else POLL)

    async def release(self) -> None:
        """Give the Lease back, so that the next one need not wait for its end."""
        if not self._leading.is_set():
            return
        self._step_down()
        try:
            # After a renewal that failed it may be nobody's by now, or gone: then there is nothing to give back.
            if next_step(self._seen, self._identity, self._clock()) is Step.RENEW:
                await self._write(Step.RENEW, holder="")
        except (Refused, Unreachable) as error:
            logger.warning("The Lease could not be given back: %s", error)

    def _step_down(self) -> None:
        self._until = 0.0
        self._leading.clear()
        self._following.set()

    async def _try(self) -> None:
        """Read the Lease and do about it what is to be done; trouble is for the next time."""
        try:
            async with asyncio.timeout(DEADLINE / 2):
                await self._read_and_step()
            self._trouble("")
        except TimeoutError:
            self._fail("the API server does not answer")
        except Unreachable as error:
            self._fail(str(error))
        except Refused as refusal:
            if refusal.code != CONFLICT:  # somebody was faster
                self._fail(str(refusal))

    def _fail(self, why: str) -> None:
        logger.warning("The Lease %s/%s: %s", self._namespace, NAME, why)
        self._trouble(f"The Lease {self._namespace}/{NAME} cannot be kept: {why.rstrip('.')}. It is tried again.")

    async def _read_and_step(self) -> None:
        asked = self._clock()
        self._seen = see(self._seen, await self._read(), self._clock())
        step = next_step(self._seen, self._identity, self._clock())
        if step is Step.WAIT:
            self._tell(self._seen.lease.holder if self._seen else "")
            self._step_down()  # should another one have taken it while we were away
            return
        self._seen = await self._write(step, holder=self._identity)
        self._until = asked + DEADLINE
        self._tell(self._identity)
        if not self._leading.is_set():
            self.tenure += 1
        self._following.clear()
        self._leading.set()

    def _tell(self, holder: str) -> None:
        if holder != self._holder:
            self._holder = holder
            logger.info("%s leads.", "This operator" if holder == self._identity else holder or "Nobody")

    def _path(self, name: str = "") -> str:
        return object_path(ROOT, "leases", self._namespace, name)

    async def _read(self) -> Lease | None:
        try:
            return read_lease(await self._cluster.get(self._path(NAME)))
        except Refused as refusal:
            if refusal.code == NOT_FOUND:
                return None
            raise

    async def _write(self, step: Step, holder: str) -> Sighting:
        """Write ourselves, or nobody, into the Lease, if nobody else has changed it meanwhile."""
        now = micro_time(time.time())
        spec: Json = {"holderIdentity": holder, "leaseDurationSeconds": int(DURATION), "renewTime": now}
        if step is not Step.RENEW:
            spec |= {"acquireTime": now, "leaseTransitions": self._seen.lease.transitions + 1 if self._seen else 0}
        if self._seen is None:
            body: Json = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}}
            answer = await self._cluster.claim("POST", self._path(), {**body, "spec": spec})
        else:
            patch = {"metadata": {"resourceVersion": str(self._seen.lease.version)}, "spec": spec}
            answer = await self._cluster.claim("PATCH", self._path(NAME), patch)
        return Sighting(read_lease(answer), self._clock())


def read_lease(body: Json) -> Lease:
    """Reduce a Lease to what decides."""
    spec = body.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or DURATION),
        transitions=int(spec.get("leaseTransitions") or 0),
        version=int(body["metadata"]["resourceVersion"]),
    )

"""Acting: the plan, and nothing but the plan, carried out on the API.

404 and 409 are answers, not errors: what was to go is gone, what was to be made is there. Creates, removals and claims
go side by side, each in a lane of its own: what one is refused holds up no other.
"""

import asyncio
import time
from collections.abc import Callable

from podgroup_operator.act.claims import Claiming
from podgroup_operator.act.creates import Creating
from podgroup_operator.act.progress import Progress
from podgroup_operator.act.removals import Removing
from podgroup_operator.api.cluster import NOT_FOUND, Cluster, Refused, Unreachable, podgroups_path
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.plan import Outcome, Plan
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.memory import Memory


def looks_orphaned(plan: Plan) -> bool:
    """Tell whether this is also what a group looks like that has been deleted and of which kopf has yet to tell.

    The garbage collector deletes its pods, or frees them, within milliseconds; the news of that and of the group's
    own end come by two streams, in any order.
    """
    return bool(plan.adopts) or any(create.loss and create.loss.cause is Cause.DELETED for create in plan.creates)


class Application:
    """One plan being carried out for one group.

    Attributes:
        owner_gone: the PodGroup was not there any more when it was read.
    """

    def __init__(
        self,
        group: Group,
        memory: Memory,
        cluster: Cluster,
        writer: Writer,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.owner_gone = False
        self._desired = group.desired
        self._cluster = cluster
        self._progress = Progress(memory, monotonic)
        self._claiming = Claiming(group.desired, writer, self._progress)
        self._creating = Creating(group, cluster, writer, self._progress)
        self._removing = Removing(writer, self._progress)

    @property
    def fenced(self) -> bool:
        """Tell whether something was not sent, for this operator may not write any more."""
        return self._progress.fenced

    async def carry_out(self, plan: Plan) -> Outcome:
        """Do everything that the plan says, as far as the API server lets us."""
        lives = not looks_orphaned(plan) or await self._owner_lives(exactly=bool(plan.adopts))
        claims = asyncio.ensure_future(self._claiming.carry_out(plan, adopt=lives))
        await asyncio.gather(claims, self._create(plan, claims, lives=lives), self._removing.carry_out(plan))
        self._progress.settle(plan)
        return self._progress.outcome

    async def _create(self, plan: Plan, claims: "asyncio.Future[None]", *, lives: bool) -> None:
        """Create what depends on nothing, then what replaces pods that have to be released first."""
        if not lives:
            return
        released = {release.pod.name for release in plan.releases}
        later = [create for create in plan.creates if create.loss and create.loss.pod in released]
        await self._creating.carry_out(create for create in plan.creates if create not in later)
        if later:
            await asyncio.wait([claims])
            kept = self._claiming.unreleased
            await self._creating.carry_out(create for create in later if create.loss and create.loss.pod not in kept)

    async def _owner_lives(self, *, exactly: bool) -> bool:
        """Read the owner: a stale view must not take in or make pods for one that is gone.

        Before an adoption that is read uncached, as ReplicaSet does it. Where pods were deleted an answer from the API
        server's own cache will do, and costs half: the garbage collector has the owner's end from such a cache too, and
        deletes the pods after that, so what is asked when they are gone is asked later still.

        Args:
            exactly: whether it is read uncached.
        """
        path = podgroups_path(self._desired.namespace, self._desired.name)
        try:
            body = await self._cluster.get(path, None if exactly else {"resourceVersion": "0"})
        except Refused as refusal:
            self.owner_gone = refusal.code == NOT_FOUND
            if not self.owner_gone:
                self._progress.failed(Lane.CREATE, names.REASON_CREATE_FAILED, "Error reading the PodGroup", refusal)
            return False
        except Unreachable as error:
            self._progress.failed(Lane.CREATE, names.REASON_CREATE_FAILED, "Error reading the PodGroup", error)
            return False
        metadata = body["metadata"]
        self.owner_gone = metadata["uid"] != self._desired.uid
        return not self.owner_gone and "deletionTimestamp" not in metadata

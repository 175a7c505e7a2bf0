"""Acting: the plan, and nothing but the plan, carried out on the API.

404 and 409 are answers, not errors: what was to go is gone, what was to be made is there. Creates, removals and claims
go side by side, each in a lane of its own: what one is refused holds up no other.
"""

import asyncio
import time
from collections.abc import Callable

from podgroup_operator.act.changes import Changing
from podgroup_operator.act.claims import Claiming
from podgroup_operator.act.creates import Creating
from podgroup_operator.act.owner import Owner
from podgroup_operator.act.progress import Progress
from podgroup_operator.act.removals import Removing
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.refusals import Refused, Unreachable
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.model.plan import Outcome, Plan
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.memory import Memory


class Application:
    """One plan being carried out for one group."""

    def __init__(
        self,
        group: Group,
        owner: Owner,
        memory: Memory,
        cluster: Cluster,
        writer: Writer,
        monotonic: Callable[[], float] = time.monotonic,
        now: float = 0.0,
    ) -> None:
        self._owner = owner
        self._progress = Progress(memory, monotonic)
        self._claiming = Claiming(group, cluster, writer, self._progress)
        self._creating = Creating(group, cluster, writer, self._progress)
        self._removing = Removing(writer, self._progress)
        self._changing = Changing(memory.written.comparison, cluster, writer, self._progress, now)

    @property
    def fenced(self) -> bool:
        """Tell whether something was not sent, for this operator may not write any more."""
        return self._progress.fenced

    async def carry_out(self, plan: Plan) -> Outcome:
        """Do everything that the plan says, as far as the API server lets us."""
        lives = asyncio.ensure_future(self._owner_lives(plan))
        claims = asyncio.ensure_future(self._claiming.carry_out(plan, lives))
        await asyncio.gather(self._create(plan, claims, lives), claims, self._remove_and_change(plan), lives)
        self._progress.settle(plan)
        return self._progress.outcome

    async def _create(self, plan: Plan, claims: "asyncio.Future[None]", lives: "asyncio.Future[bool]") -> None:
        """Create what depends on nothing, then what replaces pods that have to be released first."""
        released = {release.pod.name for release in plan.releases}
        later = [create for create in plan.creates if create.loss and create.loss.pod in released]
        soon = [create for create in plan.creates if create not in later]
        for lane in (Lane.CREATE, Lane.SURGE):  # what replaces a loss has the room first that a quota leaves
            await self._creating.carry_out([create for create in soon if create.lane is lane], lives)
        if later:
            await asyncio.wait([claims])
            kept = self._claiming.unreleased
            await self._creating.carry_out(
                [create for create in later if create.loss and create.loss.pod not in kept], lives
            )

    async def _remove_and_change(self, plan: Plan) -> None:
        await asyncio.gather(self._removing.carry_out(plan), self._changing.carry_out(plan))

    async def _owner_lives(self, plan: Plan) -> bool:
        """Ask whether pods may be made and taken in; what keeps us from knowing keeps us from making any."""
        try:
            return await self._owner.lives(plan)
        except (Refused, Unreachable) as error:
            self._progress.failed(Lane.CREATE, names.REASON_CREATE_FAILED, "Error reading the PodGroup", error)
            return False

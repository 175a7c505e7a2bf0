"""A scope: what is served by one watch of pods and one Lease, a namespace or all of them together.

What is missing in one scope, a Role or the namespace itself, is waited for there, and told; the others are served.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from podgroup_operator.backoff import Backoff
from podgroup_operator.lead.leadership import Leadership
from podgroup_operator.lead.tenure import Tenure
from podgroup_operator.preflight import Findings, Preflight
from podgroup_operator.tell.endpoints import FILLING, Health

if TYPE_CHECKING:
    from podgroup_operator.core.model.pod import Pod
    from podgroup_operator.core.model.revision import Revision
    from podgroup_operator.observe.informer import Informer

PREFLIGHT, PODS = "preflight", "pods"
REVISIONS_PATIENCE = 10.0  # seconds; without them a group is healed and scaled, and nothing is rolled out
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds before it is asked again for what is not needed

logger = logging.getLogger(__name__)


class Begin(Protocol):
    """Begins to serve the groups of a scope ("" is all) in which others may have written since we did, or not."""

    def __call__(self, scope: str, /, *, others: bool) -> None:
        """Begin."""


class Scope:
    """One scope.

    Args:
        namespace: which; "" is all.
        preflight: asks whether all is there.
        health: told what is missing.
        lead: gives the leadership for this scope, by what was found out about it.
        begin: called at the start of each tenure, and after each interruption, with the namespace.
        returned: called when all is there, again or for the first time, with the namespace.
        spawn: has something done in the background.

    Attributes:
        informer: of its pods.
        revisions: of its groups' revisions.
    """

    def __init__(
        self,
        namespace: str,
        preflight: Preflight,
        health: Health,
        lead: Callable[[str, Findings], Awaitable[Leadership]],
        begin: Begin,
        returned: Callable[[str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self.namespace = namespace
        self.informer: Informer[Pod]
        self.revisions: Informer[Revision]
        self._revised = asyncio.Event()
        self._preflight = preflight
        self._health = health
        self._lead = lead
        self._begin = begin
        self._returned = returned
        self._spawn = spawn
        self._followed = False
        self._recovery: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()
        self._findings: Findings | None = None
        self._remarked = ""
        self._readable = asyncio.Event()
        self._tenure: Tenure | None = None
        health.tell(PODS, FILLING, namespace)

    @property
    def is_open(self) -> bool:
        """Tell whether its groups may be looked at."""
        return self._tenure is not None and self._tenure.is_open

    async def prepare(self, *, anew: bool = True) -> Findings:
        """Return when we may do here all that we must; several may wait, one of them says what for.

        Args:
            anew: whether to ask though it was asked before.
        """
        async with self._asking:
            if anew or self._findings is None:
                self._findings = await self._preflight.wait(self.namespace, self._say)
                self._remark(self._findings.remark)
            return self._findings

    def _remark(self, what: str) -> None:
        """Tell what is missed though not needed, and log it when it is new."""
        if what and what != self._remarked:
            logger.warning("%s", what)
        self._remarked = what
        self._health.remark(f"{PREFLIGHT} {self.namespace}", what)

    async def _mind(self, remark: str) -> None:
        """Ask again, ever more seldom, for what is missed though not needed."""
        pauses = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while remark:
            await asyncio.sleep(pauses.next())
            findings = await self._preflight.find(self.namespace)
            if not findings.lack:
                remark = findings.remark
                self._remark(remark)

    async def is_ready(self, seconds: float, *, anew: bool) -> bool:
        """Tell whether nothing is missing; what is not found out in so many seconds is waited for in the background.

        Args:
            seconds: how long to wait.
            anew: whether to ask again though nothing was missing when it was asked last.
        """
        if self._recovery is None or (anew and self._recovery.done()):
            self._recovery = self._spawn(self._recover())
        await asyncio.wait({self._recovery}, timeout=seconds)
        return self._recovery.done()

    async def _recover(self) -> None:
        await self.prepare(anew=self._followed)
        self._followed = True
        self._returned(self.namespace)

    async def permission(self) -> None:
        """Wait until its pods may be read again; until then nothing is decided from what was read before."""
        self._readable.clear()
        if self._tenure:
            self._tenure.interrupt()
        await self.prepare()
        self._readable.set()
        self._returned(self.namespace)

    async def unrevised(self) -> None:
        """Go on without revisions, which may not be read; return when they may."""
        self._revised.set()
        self._health.remark(f"revisions {self.namespace}", "")  # which right is missing is told instead
        pauses, findings = Backoff(FIRST_PAUSE, LONGEST_PAUSE), await self._preflight.find(self.namespace)
        while findings.unrevised or findings.lack:
            if findings.unrevised:
                self._remark(findings.remark)
            await asyncio.sleep(pauses.next())
            findings = await self._preflight.find(self.namespace)
        self._remark(findings.remark)

    def now_revised(self) -> None:
        """Note that all revisions are known; groups that were served without them are looked at anew."""
        self._revised.set()
        if self.is_open:
            self._begin(self.namespace, others=False)

    async def run(self) -> None:
        """Read its pods, lead, and serve its groups, for ever."""
        findings = await self.prepare(anew=False)
        if findings.unseen:
            logger.warning("%s", findings.unseen)
        self._health.remark(f"lease {self.namespace}", findings.unseen)
        self._readable.set()
        self._returned(self.namespace)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._mind(findings.remark))
            tasks.create_task(self.informer.run())
            tasks.create_task(self.revisions.run())
            await self.informer.synced.wait()
            self._health.tell(PODS, "", self.namespace)
            with contextlib.suppress(TimeoutError):  # pods are healed though revisions cannot be read
                async with asyncio.timeout(REVISIONS_PATIENCE):
                    await self._revised.wait()
            leadership = await self._lead(self.namespace, findings)
            self._tenure = Tenure(leadership, self._open, self.catch_up)
            tasks.create_task(self._tenure.run())

    def _open(self, others: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        self._begin(self.namespace, others=others)

    async def catch_up(self) -> None:
        """Return when the cache of its pods is as fresh as the API server was when this was called."""
        await self._readable.wait()
        await self.informer.refresh()

    def _say(self, what: str) -> None:
        self._health.tell(PREFLIGHT, what, self.namespace)

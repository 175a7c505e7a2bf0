"""The running operator: everything put together, started and stopped."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from podgroup_operator import __version__, metrics
from podgroup_operator.api.cluster import Cluster, pods_path
from podgroup_operator.api.login import Connection, connect
from podgroup_operator.api.outage import Outage
from podgroup_operator.api.wire import read_pod
from podgroup_operator.api.writer import Writes
from podgroup_operator.core.model import Pod
from podgroup_operator.hopeless import Hopeless
from podgroup_operator.lead.election import Election
from podgroup_operator.lead.identity import Identity
from podgroup_operator.lead.leader import Leadership
from podgroup_operator.lead.leases import LeaseObject
from podgroup_operator.looks import Looks
from podgroup_operator.observe.groups import GroupStore
from podgroup_operator.observe.informer import Informer
from podgroup_operator.observe.pods import PodStore
from podgroup_operator.observe.pulse import Pulse
from podgroup_operator.observe.supervisor import Supervisor
from podgroup_operator.preflight import LEASES, Findings, Permission, Preflight, missing
from podgroup_operator.reconcile import Reconciler
from podgroup_operator.scope import Scope
from podgroup_operator.settings import Settings
from podgroup_operator.tell.endpoints import START, Endpoints, Health
from podgroup_operator.tell.recorder import Recorder
from podgroup_operator.workqueue import Key

RELIST_DOUBT = 1.0  # seconds that kopf has to speak of each group after it has listed them
RECOVERY_SPREAD = 1.0  # seconds within which all that has waited for the end of an outage is tried
STILL_SECONDS = 1.5  # seconds that writes under way have to be answered when we are told to end
TELL_SECONDS = 0.2  # seconds that looks under way have after that to tell what they have done
TOGETHER = 0.5  # seconds that a namespace has to show that nothing is missing there before the others are followed
KOPF = "kopf"

Json = dict[str, Any]

logger = logging.getLogger(__name__)


class Follower(Protocol):
    """What follows PodGroups: kopf, supervised."""

    namespaces: Sequence[str]
    following: asyncio.Event
    pulse: Pulse

    def again(self) -> None:
        """Begin again: there are other namespaces to follow."""

    async def run(self) -> None:
        """Follow for ever."""


Follow = Callable[
    [
        Callable[[str], None],
        Callable[[Json, bool], None],
        Callable[[str], None],
        Callable[[], Awaitable[Sequence[str]]],
    ],
    Follower,
]
"""Makes a follower; its arguments are those of `Supervisor` after the connection."""


class CannotListen(Hopeless):
    """The address for /healthz, /readyz and /metrics cannot be had; a sentence says why, and what to do."""


class Operator:
    """One operator on one API server.

    Args:
        settings: what the user wants.
        stop: set when it is to end.
        connection: the API server; by default it is found as the settings say.
        cluster: what sends requests to it.
        follow: makes what follows PodGroups.
        clock: gives the time in seconds since the epoch.

    Raises:
        LoginError: with a sentence for the user.
    """

    def __init__(
        self,
        settings: Settings,
        stop: asyncio.Event | None = None,
        connection: Connection | None = None,
        cluster: Cluster | None = None,
        follow: Follow | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._stop = stop or asyncio.Event()
        self._connection = connection or connect(settings.kubeconfig)
        self._cluster = cluster or Cluster(self._connection)
        self._groups = GroupStore()
        self._pods = PodStore(self._wake, clock)
        identity = Identity(settings.pod_uid)
        self._health = Health(scopes=settings.namespaces or ("",))
        lease_namespace = settings.lease_namespace or self._connection.namespace
        self._election = Election(
            self._cluster, lease_namespace, str(identity), self._health, wide=not settings.namespaces
        )
        self._writes = Writes(self._cluster, self._election)
        self._recorder = Recorder(self._writes, self._pods.memories, str(identity))
        self._reconciler = Reconciler(
            self._cluster, self._writes, self._groups, self._pods, self._recorder, clock, refresh=self._refresh
        )
        self._pods.foreseen = self._reconciler.foresee
        self._cluster.outage = Outage(self._recovered)
        self._looks = Looks(self._reconciler.reconcile, self._is_open)
        self._tasks = asyncio.TaskGroup()
        self._again = False  # PodGroups are to be followed in another namespace too
        preflight = Preflight(self._cluster, lease_namespace if settings.leader_elect else "")
        self._scopes = {namespace: self._scope(namespace, preflight) for namespace in self._health.scopes}
        follow = follow or partial(Supervisor, self._connection)
        self._follower = follow(self._listed, self._seen, self._trouble, self._followed)
        pulses = (scope.informer.pulse for scope in self._scopes.values())
        self._health.pulses += [self._follower.pulse, *pulses]

    def _scope(self, namespace: str, preflight: Preflight) -> Scope:
        scope = Scope(namespace, preflight, self._health, self._lead, self._begin, self._returned, self._spawn)
        path = pods_path(namespace)
        trouble = partial(self._health.tell, path, scope=namespace)
        scope.informer = Informer[Pod](self._cluster, path, namespace, read_pod, self._pods, scope.permission, trouble)
        return scope

    async def run(self) -> None:
        """Work until told to stop.

        Raises:
            CannotListen: with a sentence for the user.
            ExceptionGroup: with `Restored` in it, if the store behind the API server has gone back; with `Rival` in
                it, if another operator leads and there is no election.
        """
        endpoints = Endpoints(self._settings.http, self._health)
        try:
            port = await endpoints.start()
        except OSError as error:
            why = f"Cannot listen on {self._settings.http}: {error}. Choose another address with --http."
            raise CannotListen(why) from error
        logger.info("podgroup-operator %s serves %s, http on port %d", __version__, self._connection.server, port)
        logger.info("%s", self._settings)
        self._show_metrics()
        try:
            async with self._cluster:
                if await self._unless_stopped(self._live()):
                    await self._election.release()  # else what is on its way could arrive while another leads
        finally:
            await endpoints.stop()
        logger.info("Stopped.")

    def _show_metrics(self) -> None:
        metrics.queue_depth.set_function(lambda: len(self._looks))
        metrics.groups.set_function(lambda: len(self._groups))
        metrics.pods.set_function(lambda: len(self._pods))
        metrics.leading.set_function(lambda: any(scope.is_open for scope in self._scopes.values()))

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run something to its end, or until we are to stop; tell whether no write was cut off by that."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        self._writes.close()
        still = await self._writes.still(STILL_SECONDS)
        await self._looks.close(TELL_SECONDS)
        stop.cancel()
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return still

    async def _live(self) -> None:
        """Work for ever; an error that nobody foresaw ends the process, with its traceback."""
        async with self._tasks:
            self._spawn(self._recorder.run())
            self._spawn(self._looks.run())
            self._spawn(self._follower.run())
            self._spawn(self._welcome_back())
            for scope in self._scopes.values():
                self._spawn(scope.run())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(work)

    async def _lead(self, namespace: str, findings: Findings) -> Leadership:
        """Strive for leadership of a scope."""
        if self._settings.leader_elect:
            return self._election.stand(namespace, self._spawn, narrow=findings.narrow)
        return await self._election.stand_alone(namespace, self._may_read)

    async def _may_read(self, lease: LeaseObject) -> bool:
        permission = Permission("get", *LEASES, name=lease.name)
        return not await missing(self._cluster, lease.namespace, [permission])

    async def _followed(self) -> Sequence[str]:
        """Wait until some scope can be followed; give the namespaces that can, none for all."""
        anew, self._again = not self._again, False  # who comes back must not have the others asked, and wait for them
        while True:
            scopes = self._scopes.values()
            ready = await asyncio.gather(*(scope.is_ready(TOGETHER, anew=anew) for scope in scopes))
            if any(ready):
                return [name for name, yes in zip(self._scopes, ready, strict=True) if yes and name]

    def _returned(self, namespace: str) -> None:
        if namespace:
            self._spawn(self._follow_too(namespace))

    async def _follow_too(self, namespace: str) -> None:
        """Have a namespace followed in which nothing is missing any more."""
        await self._follower.following.wait()
        if namespace not in self._follower.namespaces:
            self._again = True
            self._follower.again()

    async def _welcome_back(self) -> None:
        """Serve a namespace that an operator of its own has left to us."""
        while True:
            namespace = await self._election.neighbours.returned()
            await self._scopes[""].catch_up()
            self._election.neighbours.welcome(namespace)
            if self._is_open(namespace):
                self._look_at_all(namespace.__eq__)

    async def _refresh(self, namespace: str) -> None:
        """List all pods of a group's scope anew."""
        await self._scopes[self._election.scope(namespace)].informer.refresh()

    def _is_open(self, namespace: str) -> bool:
        """Tell whether groups of a namespace may be looked at."""
        scope = self._scopes.get(self._election.scope(namespace))
        return scope is not None and scope.is_open and not self._election.left_out(namespace)

    def _begin(self, scope: str) -> None:
        """Begin to lead: what we remember of our writes is old, and what kopf told us may be."""
        self._look_at_all(lambda namespace: scope in ("", namespace))

    def _look_at_all(self, within: Callable[[str], bool]) -> None:
        """Have all groups read afresh in some namespaces, those first that miss pods."""
        self._reconciler.start_anew(within)
        for key in sorted(self._groups.listed(within), key=self._at_rest):
            self._looks.add(key)

    def _at_rest(self, key: Key) -> bool:
        """Tell whether a group seems to have all pods that it asks for."""
        group = self._groups.get(key)
        if group is None:
            return True
        memory = self._pods.memories.known(group.owner)
        pods = memory.seen.pods.values() if memory else ()
        return sum(pod.deleted is None and pod.finished is None for pod in pods) >= group.desired.replicas

    def _trouble(self, what: str) -> None:
        before = self._health.waits_for(KOPF)
        if what and not before:
            self._groups.listed()  # a server that is away may come back with another history: until then none is sure
        if before and not what:
            self._doubt()
        self._health.tell(KOPF, what)

    def _doubt(self, namespace: str = "") -> None:
        """Have all groups of a namespace read afresh, of all if it is "", of which kopf does not speak soon."""
        for key in self._groups.listed(lambda each: namespace in ("", each)):
            self._looks.add_after(key, RELIST_DOUBT)

    def _listed(self, namespace: str = "") -> None:
        self._health.tell(START, "")
        self._doubt(namespace)

    def _seen(self, body: Json, gone: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        if gone:
            group = self._groups.named(body["metadata"]["uid"])
            if group:
                self._reconciler.forget(group)
                self._looks.forget(group.key)
            return
        try:
            before = self._groups.named(body["metadata"]["uid"])
            group = self._reconciler.hear(body)
            if group is not before:  # else it is what we have written ourselves
                self._looks.add(group.key)
        except Exception:
            logger.exception("PodGroup %s cannot be read; this is a bug, please report it", body["metadata"]["uid"])
            metrics.reconciles.labels("bug").inc()

    def _recovered(self) -> None:
        """Try what waits because the API server was away, not all of it at the same moment."""
        for key in self._reconciler.recovered():
            self._looks.add_after(key, random.uniform(0, RECOVERY_SPREAD))  # noqa: S311 - spreads, protects nothing

    def _wake(self, pod: Pod, urgent: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
        """Have everyone looked at whom a pod concerns, in a while if it is not urgent; tell whether that is anybody."""
        keys = tuple(self._groups.concerned(pod))
        for key in keys:
            group = None if urgent else self._groups.get(key)
            memory = self._pods.memories.known(group.owner) if group else None
            pause = memory.told.quiet_until - time.monotonic() if memory else 0.0
            if pause > 0:
                self._looks.add_after(key, pause)
            else:
                self._looks.add(key)
        return bool(keys)

"""The running operator: everything put together, started and stopped."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from podgroup_operator import __version__, metrics
from podgroup_operator.api.cluster import Cluster, pods_path, revisions_path
from podgroup_operator.api.login import Connection, connect
from podgroup_operator.api.outage import Outage
from podgroup_operator.api.wire.node import read_node
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.wire.revision import read_revision
from podgroup_operator.api.writer import Writes
from podgroup_operator.backoff import Backoff
from podgroup_operator.core import names
from podgroup_operator.core.model.node import Node
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.revision import Revision
from podgroup_operator.core.storm import Brake
from podgroup_operator.hopeless import Hopeless
from podgroup_operator.lead.election import Election
from podgroup_operator.lead.identity import Identity
from podgroup_operator.lead.leadership import Leadership
from podgroup_operator.lead.leases import LeaseObject
from podgroup_operator.looks import Looks
from podgroup_operator.observe.groups import GroupStore
from podgroup_operator.observe.informer import Collection, Informer
from podgroup_operator.observe.nodes import NodeStore
from podgroup_operator.observe.pods import PodStore
from podgroup_operator.observe.revisions import Owner, RevisionStore
from podgroup_operator.observe.supervisor import Supervisor
from podgroup_operator.preflight import LEASES, NODES, Findings, Permission, Preflight, forbidden, missing
from podgroup_operator.reconcile import Reconciler
from podgroup_operator.scope import Scope
from podgroup_operator.scopes import Follow, Scopes
from podgroup_operator.settings import Settings
from podgroup_operator.tell.endpoints import Endpoints, Health
from podgroup_operator.tell.last import tell_last
from podgroup_operator.tell.recorder import Recorder
from podgroup_operator.waker import Waker

STILL_SECONDS = 1.5  # seconds that writes under way have to be answered when we are told to end
TELL_SECONDS = 0.2  # seconds that looks under way have after that to tell what they have done
NODES_PATH = "/api/v1/nodes"
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds before it is asked again whether nodes may be read
UNSEEN_NODES = "Until then pods of lost nodes are replaced when Kubernetes deletes them."
LAST_SECONDS = 1.0  # seconds that statuses have after that to show it

logger = logging.getLogger(__name__)


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
        self._tasks = asyncio.TaskGroup()
        self._groups = GroupStore(settings.pod_annotations)
        self._pods = PodStore(self._wake, clock, monotonic=time.monotonic)
        brake = Brake(settings.storm_percent, settings.storm_cooldown)
        self._nodes = NodeStore(self._pods.now, brake, self._node_seen)
        self._pods.clock_set = self._nodes.clock_set
        self._revisions = RevisionStore(self._revision_deleted, self._revised)
        identity = Identity(settings.pod_uid)
        self._health = Health(scopes=settings.namespaces or ("",))
        lease_namespace = settings.lease_namespace or self._connection.namespace
        self._election = Election(
            self._cluster, lease_namespace, str(identity), self._health, wide=not settings.namespaces
        )
        self._scopes = Scopes(self._election, self._spawn)
        self._writes = Writes(self._cluster, self._election)
        self._recorder = Recorder(self._writes, self._pods.memories, str(identity))
        self._reconciler = Reconciler(
            self._cluster,
            self._writes,
            self._groups,
            self._pods,
            self._recorder,
            clock,
            refresh=self._scopes.refresh,
            revisions=self._revisions,
            nodes=self._nodes,
        )
        self._pods.foreseen = self._reconciler.foresee
        self._looks = Looks(self._reconciler.reconcile, self._scopes.is_open)
        self._waker = Waker(self._groups, self._pods.memories, self._reconciler, self._looks, self._health)
        self._cluster.outage = Outage(self._waker.recovered)
        preflight = Preflight(self._cluster, lease_namespace if settings.leader_elect else "")
        for namespace in self._health.scopes:
            self._scopes.add(self._scope(namespace, preflight))
        follow = follow or partial(Supervisor, self._connection)
        self._scopes.follower = follow(
            self._waker.listed, self._waker.group_seen, self._waker.trouble, self._scopes.ready
        )
        pulses = (scope.informer.pulse for scope in self._scopes)
        self._health.pulses += [self._scopes.follower.pulse, *pulses]

    def _scope(self, namespace: str, preflight: Preflight) -> Scope:
        scope = Scope(
            namespace, preflight, self._health, self._lead, self._waker.begin, self._scopes.returned, self._spawn
        )
        path = pods_path(namespace)
        trouble = partial(self._health.tell, path, scope=namespace)
        scope.informer = Informer[Pod](
            self._cluster, Collection(path, namespace), read_pod, self._pods, scope.permission, trouble
        )
        scope.revisions = Informer[Revision](
            self._cluster,
            Collection(revisions_path(namespace), namespace, names.LABEL_PODGROUP),
            read_revision,
            self._revisions,
            scope.unrevised,
            partial(self._health.remark, f"revisions {namespace}"),
        )
        return scope

    def _node_seen(self, name: str) -> None:
        self._waker.node_seen(name)  # which is made later than the store of nodes

    def _revision_deleted(self, owner: Owner) -> bool:
        group = self._groups.named(owner[1])
        if group:
            self._looks.add(group.key)
        return group is not None

    def _revised(self, scope: str) -> None:
        self._scopes.of(scope).now_revised()

    def _wake(self, pod: Pod, urgent: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
        return self._waker.pod_seen(pod, urgent)  # which is made later than the store of pods

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
        metrics.unfinished_seconds.set_function(lambda: sum(self._looks.unfinished()))
        metrics.longest_seconds.set_function(lambda: max(self._looks.unfinished(), default=0.0))
        metrics.groups.set_function(lambda: len(self._groups))
        metrics.pods.set_function(lambda: len(self._pods))
        metrics.leading.set_function(lambda: any(scope.is_open for scope in self._scopes))

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run something to its end, or until we are to stop; tell whether no write was cut off by that."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        self._writes.close()
        still = await self._writes.still(STILL_SECONDS)
        await self._looks.close(TELL_SECONDS)
        stop.cancel()
        if not task.done():
            still = await self._tell_last() and still
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return still

    async def _tell_last(self) -> bool:
        """Tell of what only this process knows; tell whether that was answered in time."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await tell_last(self._groups, self._pods.memories, self._writes)
        except TimeoutError:
            return False
        return True

    async def _live(self) -> None:
        """Work for ever; an error that nobody foresaw ends the process, with its traceback."""
        async with self._tasks:
            self._spawn(measure_lag())
            self._spawn(self._recorder.run())
            self._spawn(self._looks.run())
            self._spawn(self._scopes.follower.run())
            self._spawn(self._scopes.welcome_back(self._waker.begin))
            for scope in self._scopes:
                self._spawn(scope.run())
            if not self._settings.namespaces:  # a Role cannot grant nodes
                self._spawn(self._nodes_informer().run())

    def _nodes_informer(self) -> Informer[Node]:
        what, tell = Collection(NODES_PATH, ""), partial(self._health.remark, "nodes")
        return Informer[Node](self._cluster, what, read_node, self._nodes, self._nodes_unseen, tell)

    async def _nodes_unseen(self) -> None:
        """Go on without nodes, which may not be read; return when they may."""
        pauses = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while lacking := await missing(self._cluster, "", NODES):
            self._health.remark("nodes", f"{forbidden('', lacking)}. {UNSEEN_NODES}")
            await asyncio.sleep(pauses.next())
        self._health.remark("nodes", "")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(work)

    async def _lead(self, namespace: str, findings: Findings) -> Leadership:
        """Strive for leadership of a scope."""
        if self._settings.leader_elect:
            return self._election.stand(namespace, self._spawn, narrow=findings.narrow)
        return await self._election.stand_alone(namespace, self._spawn, self._may_read)

    async def _may_read(self, lease: LeaseObject) -> bool:
        permission = Permission("get" if lease.namespace else "list", *LEASES, name=lease.name)
        return not await missing(self._cluster, lease.namespace, [permission])


async def measure_lag() -> None:
    """Note for ever how late the event loop wakes somebody."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 1.0
        await asyncio.sleep(1.0)
        metrics.loop_lag.observe(max(loop.time() - due, 0.0))

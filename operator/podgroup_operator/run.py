"""The running operator: everything put together, started and stopped."""

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import time
import uuid
from collections.abc import Coroutine
from functools import partial
from typing import Any

from podgroup_operator import __version__, metrics
from podgroup_operator.api.cluster import Cluster, NotLeading, Refused, Unreachable, pods_path
from podgroup_operator.api.login import connect, own_namespace
from podgroup_operator.api.outage import Outage
from podgroup_operator.api.restored import Restored
from podgroup_operator.api.wire import read_pod
from podgroup_operator.api.writer import Writes
from podgroup_operator.core.model import Pod
from podgroup_operator.lead.leader import NAME as LEASE
from podgroup_operator.lead.leader import Alone, Candidate, Leadership
from podgroup_operator.lead.tenure import Tenure
from podgroup_operator.observe.groups import GroupStore
from podgroup_operator.observe.informer import Informer
from podgroup_operator.observe.pods import PodStore
from podgroup_operator.observe.supervisor import Supervisor
from podgroup_operator.preflight import wait_until_ready
from podgroup_operator.reconcile import Reconciler
from podgroup_operator.settings import Settings
from podgroup_operator.tell.endpoints import FILLING, START, Endpoints, Health
from podgroup_operator.tell.recorder import Recorder
from podgroup_operator.workqueue import Key, WorkQueue

WORKERS = 64  # looks under way at once; they wait for the network, not for the processor, and some may wait for long
RELIST_DOUBT = 1.0  # seconds that kopf has to speak of each group after it has listed them
RECOVERY_SPREAD = 1.0  # seconds within which all that has waited for the end of an outage is tried
STILL_SECONDS = 1.5  # seconds that writes under way have to be answered when we are told to end
ERROR_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)  # seconds before a look that raised is repeated
KOPF = "kopf"

logger = logging.getLogger(__name__)


class Operator:
    """One operator on one API server."""

    def __init__(self, settings: Settings) -> None:
        """Find the API server; everything else waits for `run`.

        Raises:
            LoginError: with a sentence for the user.
        """
        self._settings = settings
        self._connection = connect(settings.kubeconfig)
        self._cluster = Cluster(self._connection)
        self._queue = WorkQueue()
        self._groups = GroupStore()
        self._pods = PodStore(self._wake, time.time)
        identity = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"  # in a container each is process 1
        self._health = Health()
        self._lease_namespace = (settings.lease_namespace or own_namespace()) if settings.leader_elect else ""
        self._leadership: Leadership = self._elect(identity) if settings.leader_elect else Alone()
        self._writes = Writes(self._cluster, self._leadership)
        self._recorder = Recorder(self._writes, self._pods.memories, identity)
        self._reconciler = Reconciler(
            self._cluster, self._writes, self._groups, self._pods, self._recorder, refresh=self._refresh
        )
        self._cluster.outage = Outage(self._recovered)
        self._tenure = Tenure(self._leadership, self._begin, self._catch_up)
        self._stop = asyncio.Event()
        self._errors: dict[Key, int] = {}
        self._preparing = asyncio.Lock()
        self._filling = FILLING  # until kopf has listed the PodGroups
        self._kopf = Supervisor(
            self._connection, settings.namespaces, self._listed, self._seen, self._kopf_trouble, self._prepare
        )
        self._informers = [self._informer(namespace) for namespace in settings.namespaces or ("",)]
        self._health.pulses += [self._kopf.pulse, *(informer.pulse for informer in self._informers)]

    def _informer(self, namespace: str) -> Informer[Pod]:
        path = pods_path(namespace)
        trouble = partial(self._health.tell, path)
        return Informer(self._cluster, path, namespace, read_pod, self._pods, self._prepare, trouble)

    def _elect(self, identity: str) -> Candidate:
        return Candidate(self._cluster, self._lease_namespace, identity, partial(self._health.tell, LEASE))

    @property
    def stopping(self) -> bool:
        """Tell whether we have been told to stop."""
        return self._stop.is_set()

    async def run(self) -> None:
        """Work until told to stop by SIGTERM or SIGINT.

        Raises:
            ExceptionGroup: with `Restored` in it, if the store behind the API server has gone back.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        endpoints = Endpoints(self._settings.http, self._health)
        port = await endpoints.start()
        logger.info("podgroup-operator %s serves %s, http on port %d", __version__, self._connection.server, port)
        logger.info("%s", self._settings)
        self._show_metrics()
        try:
            async with self._cluster:
                if await self._unless_stopped(self._live()):
                    await self._leadership.release()  # else what is on its way could arrive while another leads
        finally:
            await endpoints.stop()
        logger.info("Stopped.")

    def _show_metrics(self) -> None:
        metrics.queue_depth.set_function(lambda: len(self._queue))
        metrics.groups.set_function(lambda: len(self._groups))
        metrics.pods.set_function(lambda: len(self._pods))

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run something to its end, or until we are to stop; tell whether no write was cut off by that."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        self._writes.close()
        still = await self._writes.still(STILL_SECONDS)
        stop.cancel()
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return still

    async def _live(self) -> None:
        """Prepare, then work for ever; an error that nobody foresaw ends the process, with its traceback."""
        await self._prepare()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._recorder.run())
            for informer in self._informers:
                tasks.create_task(informer.run())
            for informer in self._informers:
                await informer.synced.wait()
            tasks.create_task(self._leadership.run())
            tasks.create_task(self._tenure.run())
            for _ in range(WORKERS):
                tasks.create_task(self._work())
            await self._kopf.run()

    async def _prepare(self) -> None:
        """Wait until everything that we need is there; several may wait, one of them says what for."""

        def say(missing: str) -> None:
            self._health.tell(START, missing or self._filling)

        async with self._preparing:
            await wait_until_ready(self._cluster, self._settings.namespaces, say, self._lease_namespace)

    async def _catch_up(self) -> None:
        """Refresh the cache of pods; who leads from the beginning has just filled it."""
        if self._settings.leader_elect:
            await self._refresh()

    async def _refresh(self) -> None:
        """List all pods anew."""
        await asyncio.gather(*(informer.refresh() for informer in self._informers))

    def _begin(self) -> None:
        """Begin to lead: what we remember of our writes is old, and what kopf told us may be."""
        self._reconciler.start_anew()
        self._doubt(0.0)

    def _recovered(self) -> None:
        """Try what waits because the API server was away, not all of it at the same moment."""
        for key in self._reconciler.recovered():
            self._queue.add_after(key, random.uniform(0, RECOVERY_SPREAD))  # noqa: S311 - spreads, protects nothing

    def _kopf_trouble(self, what: str) -> None:
        if self._health.waits.get(KOPF) and not what:
            self._doubt(RELIST_DOUBT)  # a server that was away may come back with another history
        self._health.tell(KOPF, what)

    def _doubt(self, patience: float) -> None:
        """Have all groups read afresh of which kopf does not speak within these seconds."""
        for key in self._groups.listed():
            self._queue.add_after(key, patience)

    def _listed(self) -> None:
        self._filling = ""
        if self._health.waits[START] == FILLING:
            self._health.tell(START, "")
        self._doubt(RELIST_DOUBT)

    def _seen(self, body: dict[str, Any], gone: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        if gone:
            group = self._groups.named(body["metadata"]["uid"])
            if group:
                self._reconciler.forget(group)
            return
        try:
            self._queue.add(self._reconciler.hear(body).key)
        except Exception:
            logger.exception("PodGroup %s cannot be read; this is a bug, please report it", body["metadata"]["uid"])
            metrics.reconciles.labels("bug").inc()

    def _wake(self, pod: Pod, urgent: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
        """Have everyone looked at whom a pod concerns, in a while if it is not urgent; tell whether that is anybody."""
        keys = tuple(self._groups.concerned(pod))
        for key in keys:
            group = None if urgent else self._groups.get(key)
            memory = self._pods.memories.known(group.owner) if group else None
            pause = memory.told.quiet_until - time.monotonic() if memory else 0.0
            if pause > 0:
                self._queue.add_after(key, pause)
            else:
                self._queue.add(key)
        return bool(keys)

    async def _work(self) -> None:
        """Look at one group after the other, for ever."""
        while True:
            key = await self._queue.get()
            await self._tenure.opened()
            try:
                delay = await self._look(key)
            finally:
                self._queue.done(key)
            if delay is not None:
                self._queue.add_after(key, delay)

    async def _look(self, key: Key) -> float | None:
        """Look at a group; an error in one must not touch the others."""
        started = time.monotonic()
        try:
            delay = await self._reconciler.reconcile(key)
        except Restored:
            raise
        except NotLeading:
            # Who leads next looks at all groups, but we may lead again before we have noticed that we did not.
            result, delay = "not_leading", self._pause(key)
        except (Refused, Unreachable) as error:
            logger.warning("group=%s/%s %s", *key, error)
            result, delay = "error", self._pause(key)
        except Exception:
            logger.exception("group=%s/%s unexpected error; this is a bug, please report it", *key)
            result, delay = "bug", self._pause(key)
        else:
            self._errors.pop(key, None)
            result = "success"
        metrics.reconciles.labels(result).inc()
        metrics.reconcile_seconds.observe(time.monotonic() - started)
        return delay

    def _pause(self, key: Key) -> float:
        """Find the pause before the next look at a group that has raised errors in a row."""
        errors = self._errors.get(key, 0)
        self._errors[key] = errors + 1
        return ERROR_PAUSES[min(errors, len(ERROR_PAUSES) - 1)]

"""What wakes a group: news of it or of its pods, a new tenure, the end of an outage.

Whoever is told of something says who is to be looked at, and never what has changed: the look sees for itself.
"""

import logging
import random
import time
from typing import Any

from podgroup_operator import metrics
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.looks import Looks
from podgroup_operator.observe.groups import GroupStore
from podgroup_operator.observe.memory import Memories
from podgroup_operator.reconcile import Reconciler
from podgroup_operator.tell.endpoints import START, Health
from podgroup_operator.workqueue import Key

RELIST_DOUBT = 1.0  # seconds that kopf has to speak of each group after it has listed them
RECOVERY_SPREAD = 1.0  # seconds within which all that has waited for the end of an outage is tried
KOPF = "kopf"

Json = dict[str, Any]

logger = logging.getLogger(__name__)


class Waker:
    """Has groups looked at.

    Args:
        groups: all that are known.
        memories: what is remembered of them.
        reconciler: looks at them.
        looks: has it do so.
        health: told whether PodGroups can be read.
    """

    def __init__(
        self, groups: GroupStore, memories: Memories, reconciler: Reconciler, looks: Looks, health: Health
    ) -> None:
        self._groups = groups
        self._memories = memories
        self._reconciler = reconciler
        self._looks = looks
        self._health = health

    def begin(self, scope: str, *, others: bool) -> None:
        """Have all groups of a scope read afresh, those first that miss pods.

        What we remember of our own writes is old when we begin to lead, and what kopf told us may be.

        Args:
            scope: a namespace; "" is all.
            others: whether others may have written there since we did.
        """

        def within(namespace: str) -> bool:
            return scope in ("", namespace)

        self._reconciler.start_anew(within, others=others)
        for key in sorted(self._groups.listed(within), key=self._at_rest):
            self._looks.forget(key)
            self._looks.add(key)

    def _at_rest(self, key: Key) -> bool:
        """Tell whether a group seems to have all pods that it asks for."""
        group = self._groups.get(key)
        if group is None:
            return True
        memory = self._memories.known(group.owner)
        pods = memory.seen.pods.values() if memory else ()
        return sum(pod.deleted is None and pod.finished is None for pod in pods) >= group.desired.replicas

    def trouble(self, what: str) -> None:
        """Note why PodGroups cannot be read, a sentence; "" when they can."""
        before = self._health.waits_for(KOPF)
        if what and not before:
            self._groups.listed()  # a server that is away may come back with another history: until then none is sure
        if before and not what:
            self._doubt()
        self._health.tell(KOPF, what)

    def listed(self, namespace: str = "") -> None:
        """Note that kopf is about to speak of all groups of a namespace, of all if it is ""."""
        self._health.tell(START, "")
        self._doubt(namespace)

    def _doubt(self, namespace: str = "") -> None:
        """Have all groups of a namespace read afresh, of all if it is "", of which kopf does not speak soon."""
        for key in self._groups.listed(lambda each: namespace in ("", each)):
            self._looks.add_after(key, RELIST_DOUBT)

    def group_seen(self, body: Json, gone: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        """Take a group's state, and whether it was its last."""
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

    def pod_seen(self, pod: Pod, urgent: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
        """Have everyone looked at whom a pod concerns, in a while if it is not urgent; tell whether that is anybody."""
        keys = tuple(self._groups.concerned(pod))
        for key in keys:
            group = None if urgent else self._groups.get(key)
            memory = self._memories.known(group.owner) if group else None
            pause = memory.told.quiet_until - time.monotonic() if memory else 0.0
            if pause > 0:
                self._looks.add_after(key, pause)
            else:
                self._looks.add(key)
        return bool(keys)

    def node_seen(self, name: str) -> None:
        """Have everyone looked at who has pods on a node of which there is news."""
        for owner, memory in self._memories:
            group = self._groups.named(owner[1])
            if group and any(pod.node == name for pod in memory.seen.pods.values()):
                self._looks.add(group.key)

    def recovered(self) -> None:
        """Try what waits because the API server was away, not all of it at the same moment."""
        for key in {*self._reconciler.recovered(), *self._looks.unanswered()}:
            self._looks.forget(key)
            self._looks.add_after(key, random.uniform(0, RECOVERY_SPREAD))  # noqa: S311 - spreads, protects nothing

"""Events: what happened to a group, as `kubectl describe` shows it.

They are sent in the background, for an Event must never delay a heal. Each group may send a burst of 25 and
then one every ten seconds (after client-go's spam filter, 25 and one every five minutes); what comes above
that is added up and told in one Event when the next is due, so that the creation of 5,000 pods is not 5,000
Events.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque

from podgroup_operator.api.cluster import object_path
from podgroup_operator.api.refusals import NotLeading, Refused, Unreachable
from podgroup_operator.api.writer import Writes
from podgroup_operator.core import names
from podgroup_operator.core.manifest import micro_time
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.observe import told
from podgroup_operator.observe.memory import Memories

CONTROLLER = f"{names.GROUP}/podgroup-operator"
MOST_WAITING = 1000  # of a namespace; where more cannot be sent the oldest are lost
NOTE_LIMIT = 1024  # bytes, by the API's validation

logger = logging.getLogger(__name__)


class Recorder:
    """Sends Events about PodGroups.

    Args:
        writes: through which they go.
        memories: where it is kept how many each group may still send.
        instance: who we are, for `reportingInstance`.
    """

    def __init__(self, writes: Writes, memories: Memories, instance: str) -> None:
        self._writes = writes
        self._instance = instance
        self._memories = memories
        self._outboxes: dict[str, deque[tuple[Desired, str, str, str]]] = {}
        self._sending = set[str]()
        self._mail = asyncio.Event()
        self._count = 0
        self._lost = False

    def record(self, desired: Desired, kind: str, reason: str, note: str) -> None:
        """Tell what happened to a group.

        Args:
            desired: the group.
            kind: Normal or Warning.
            reason: the machine-readable word.
            note: the sentence for people.
        """
        allowance = self._memories.of((desired.namespace, desired.uid)).told.allowance
        allowance.group = desired
        if allowance.take():
            self._post(desired, kind, reason, note)
        else:
            allowance.held_back[kind, reason] += 1

    async def run(self) -> None:
        """Send what is recorded for ever: of one namespace one after the other, so that none waits for another's."""
        due = time.monotonic() + told.SECONDS_AN_EVENT
        async with asyncio.TaskGroup() as tasks:
            while True:
                if time.monotonic() >= due:
                    self._release_held_back()
                    due = time.monotonic() + told.SECONDS_AN_EVENT
                for namespace in self._outboxes.keys() - self._sending:
                    self._sending.add(namespace)
                    tasks.create_task(self._deliver(namespace))
                await self._wait_for_mail(due - time.monotonic())

    async def _deliver(self, namespace: str) -> None:
        """Send what there is to tell in a namespace."""
        outbox = self._outboxes[namespace]
        while outbox:
            await self._send(*outbox.popleft())
        del self._outboxes[namespace]
        self._sending.discard(namespace)

    async def _wait_for_mail(self, seconds: float) -> None:
        """Wait until something is recorded (not `asyncio.wait_for`, which in Python 3.11 may swallow our own end)."""
        self._mail.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._mail.wait()

    def _release_held_back(self) -> None:
        for _, memory in self._memories:
            allowance = memory.told.allowance
            for (kind, reason), number in list(allowance.held_back.items()):
                if allowance.group and allowance.take():
                    del allowance.held_back[kind, reason]
                    self._post(allowance.group, kind, reason, f"(combined) {reason} happened {number} more times")

    def _post(self, desired: Desired, kind: str, reason: str, note: str) -> None:
        outbox = self._outboxes.setdefault(desired.namespace, deque(maxlen=MOST_WAITING))
        outbox.append((desired, kind, reason, note))
        self._mail.set()

    async def _send(self, desired: Desired, kind: str, reason: str, note: str) -> None:
        self._count += 1
        now = time.time()
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{desired.name}.{time.time_ns():x}{self._count % 4096:03x}",
                "namespace": desired.namespace,
            },
            "eventTime": micro_time(now),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": "Reconcile",
            "reason": reason,
            "type": kind,
            "note": note.encode()[:NOTE_LIMIT].decode(errors="ignore"),
            "regarding": {
                "apiVersion": names.API_VERSION,
                "kind": names.KIND,
                "name": desired.name,
                "namespace": desired.namespace,
                "uid": desired.uid,
            },
        }
        path = object_path("/apis/events.k8s.io/v1", "events", desired.namespace, "")
        try:
            await self._writes.writer(desired.namespace, desired.name).create(path, body)
        except NotLeading:
            return  # whoever leads now tells what it does itself
        except (Refused, Unreachable) as error:
            level = logging.DEBUG if self._lost else logging.WARNING
            logger.log(level, "Cannot write Events: %s. They are lost until that works again.", str(error).rstrip("."))
            self._lost = True
        else:
            self._lost = False

"""The stage: one operator's caches and its reconciler on the fake API, where nothing moves unless a test says so.

A running operator hears of changes, looks and is woken on its own, and a test could only wait and hope to meet the
moment that matters. Here the test brings each of these about by hand: what the caches have heard of (`hear`), when a
group is looked at (`look`), what time it is (`now`). The requests are real ones.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fakeapi import FakeApi
from fakeapi.routing import Request
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.wire.revision import read_revision
from podgroup_operator.api.writer import Unlimited, Writes
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.observe.memory import Memories, Memory
from podgroup_operator.observe.pods import PodStore
from podgroup_operator.observe.revisions import RevisionStore
from podgroup_operator.observe.seen import Seen
from podgroup_operator.reconcile import Reconciler
from podgroup_operator.tell.recorder import Recorder

if TYPE_CHECKING:
    from podgroup_operator.workqueue import Key

Json = dict[str, Any]

NAMESPACE = "default"
START = 1_800_000_000.0
SETTLED = 20  # looks after which a group that still changes something will never stop


class Notebook(Recorder):
    """Keeps the Events that it is asked to send; how they are sent is in test_recorder.py.

    Attributes:
        told: reason and note of each.
    """

    def __init__(self, writes: Writes, memories: Memories) -> None:
        super().__init__(writes, memories, "test")
        self.told: list[tuple[str, str]] = []

    def record(self, desired: Desired, kind: str, reason: str, note: str) -> None:
        """Write it down."""
        super().record(desired, kind, reason, note)
        self.told.append((reason, note))


class Stage:
    """One operator, moved by hand.

    Attributes:
        now: what its clock and the API server's say, in seconds since the epoch.
        woken: whom the cache of pods has woken, in order.
    """

    def __init__(self, api: FakeApi, cluster: Cluster) -> None:
        self.api = api
        self.cluster = cluster
        self.now = START
        self.woken: list[Key] = []
        self.groups = GroupStore()
        self.pods = PodStore(self._wake, lambda: self.now)
        self.writing = Writes(cluster, Unlimited())
        self.recorder = Notebook(self.writing, self.pods.memories)
        self.revisions = RevisionStore()
        self.reconciler = Reconciler(
            cluster,
            self.writing,
            self.groups,
            self.pods,
            self.recorder,
            lambda: self.now,
            monotonic=lambda: self.now,
            revisions=self.revisions,
        )
        self._heard = 0  # up to which version the cache of pods knows the history
        api.clock = lambda: datetime.fromtimestamp(self.now, UTC)

    def _wake(self, pod: Pod, _: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
        keys = list(self.groups.concerned(pod))
        self.woken += keys
        return bool(keys)

    def hear_groups(self) -> None:
        """Tell the cache of groups of every one that exists, as kopf does."""
        for body in self.api.list("podgroups"):
            self.groups.see(body)

    def hear_pods(self) -> None:
        """Bring the cache of pods up to date as the informer does: by a list at first, then by each change since."""
        if not self._heard:
            listed = [record for pod in self.api.pods() if (record := read_pod(pod))]
            self.pods.replace("", listed, self.api.version)
        for change in self.api.history("pods") if self._heard else ():
            if change.version > self._heard:
                record = read_pod(change.object)
                if change.type == "DELETED" or record is None:
                    self.pods.remove(change.object["metadata"]["uid"])
                else:
                    self.pods.upsert(record, born=change.type == "ADDED")
        self._heard = self.api.version
        self.pods.reached("", self._heard)

    def hear_revisions(self) -> None:
        """Tell the cache of revisions of every one that exists."""
        listed = [record for body in self.api.list("controllerrevisions") if (record := read_revision(body))]
        self.revisions.replace("", listed, self.api.version)

    def hear(self) -> None:
        """Bring all caches up to date."""
        self.hear_groups()
        self.hear_revisions()
        self.hear_pods()

    async def look(self, name: str = "web") -> float | None:
        """Look at a group; give the seconds after which it wants to be looked at again."""
        return await self.reconciler.reconcile((NAMESPACE, name))

    async def settle(self, name: str = "web") -> float | None:
        """Hear and look until that changes nothing any more; give what the last look gave.

        Raises:
            AssertionError: it never stops.
        """
        for _ in range(SETTLED):
            self.hear()
            before = self.api.version
            delay = await self.look(name)
            if self.api.version == before:
                return delay
        raise AssertionError(f"{name} still changes something after {SETTLED} looks.")

    def group(self, name: str = "web") -> Group:
        """Give a group as the cache has it."""
        group = self.groups.get((NAMESPACE, name))
        assert group, f"the cache has no group {name}"
        return group

    def family(self, name: str = "web") -> Seen:
        """Give the pods of a group as the cache has them."""
        return self.memory(name).seen

    def memory(self, name: str = "web") -> Memory:
        """Give what is remembered of a group."""
        return self.pods.memories.of(self.group(name).owner)

    def writes(self, verb: str, resource: str = "pods") -> list[Request]:
        """Give the requests that asked for a change, dry runs left out."""
        return [
            request
            for request in self.api.writes
            if (request.verb, request.resource) == (verb, resource) and not request.dry_run
        ]

    def status(self, name: str = "web") -> Json:
        """Give a group's status as the API has it."""
        status: Json = self.api.get("podgroups", name).get("status") or {}
        return status

    def condition(self, kind: str, name: str = "web") -> Json:
        """Give one condition of a group as the API has it; empty if there is none."""
        conditions: list[Json] = self.status(name).get("conditions") or []
        return next((each for each in conditions if each["type"] == kind), {})


def names(pods: list[Json]) -> list[str]:
    """Give the names of objects."""
    return [pod["metadata"]["name"] for pod in pods]


def slots(pods: list[Json]) -> list[str]:
    """Give the seats of pods, in order."""
    return sorted(pod["metadata"]["labels"]["selfheal.dev/slot"] for pod in pods)

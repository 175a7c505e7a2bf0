"""FakeApi: the fake API as a test holds it.

What a test does itself goes straight to the registry, by the same rules as a request but beside the request log
and the faults: the log then shows the operator's requests only. Everything handed out is a copy.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, Unpack

import orjson

from fakeapi import defaults
from fakeapi.access import Access
from fakeapi.collector import Collector
from fakeapi.deletion import timestamp
from fakeapi.faults import Faults, WatchFault
from fakeapi.filters import selecting
from fakeapi.kubelet import Kubelet, Report, with_conditions
from fakeapi.registry import MERGE, Admit, Registry
from fakeapi.resources import CRDS, NAMESPACES, NODES, PODS, RESOURCES, Obj, Resource, named
from fakeapi.routing import Request
from fakeapi.server import Server
from fakeapi.store import Change, Key, Store, key_of
from fakeapi.watch import Watch

Objects = list[Obj]
POLL_SECONDS = 0.01  # for conditions that change without a write
NODE_CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "1000"}


class FakeApi:
    """An in-memory Kubernetes API on a loopback port; start it, or use it as an async context manager.

    It begins with the namespaces default and kube-system, the definition of PodGroup, and Ready nodes.

    Attributes:
        access: denies rights, see `Access`.
        faults: makes requests fail, see `Faults`.
        kubelet: binds, starts and ends pods once it is started.
        collector: the garbage collector, once it is started.
        requests: every request that came over HTTP, see `Request`.
        store: the objects and their history.
    """

    def __init__(self, nodes: int = 3, resources: tuple[Resource, ...] = RESOURCES) -> None:
        self.store = Store()
        self.access = Access()
        self.faults = Faults()
        self._registry = Registry(self.store, resources)
        self._server = Server(self._registry, self.faults, self.access)
        self.kubelet = Kubelet(self._registry)
        self.collector = Collector(self._registry)
        for namespace in ("default", "kube-system"):
            self._registry.create(NAMESPACES, "", {"metadata": {"name": namespace}})
        for resource in resources:
            if resource.custom:
                self._registry.create(CRDS, "", defaults.definition(resource))
        for number in range(nodes):
            self._registry.create(NODES, "", {"metadata": {"name": f"node-{number}"}})
            self.set_node(f"node-{number}", ready=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on a free port."""
        await self._server.listen()

    async def stop(self) -> None:
        """Close all connections and the port."""
        self.kubelet.stop()
        self.collector.stop()
        await self._server.close()

    @property
    def url(self) -> str:
        """Give the server's address, such as http://127.0.0.1:40123."""
        return self._server.url

    @property
    def version(self) -> int:
        """Give the newest resourceVersion."""
        return self.store.version

    @property
    def requests(self) -> list[Request]:
        """Give the request log."""
        return self._server.requests

    @property
    def writes(self) -> list[Request]:
        """Give the requests that asked for a change."""
        return [request for request in self.requests if request.writes]

    @property
    def mutate(self) -> Callable[[Obj], None]:
        """What may change what a patch makes of a pod."""
        return self._registry.mutate

    @mutate.setter
    def mutate(self, mutate: Callable[[Obj], None]) -> None:
        self._registry.mutate = mutate

    @property
    def admit(self) -> Admit:
        """The admission of pods: a function from a pod to None or to the StatusError that refuses it."""
        return self._registry.admit

    @admit.setter
    def admit(self, admit: Admit) -> None:
        self._registry.admit = admit

    @property
    def protected(self) -> set[str]:
        """The names of the pods that a PodDisruptionBudget does not let go; may be changed."""
        return self._registry.protected

    @property
    def clock(self) -> Callable[[], datetime]:
        """The server's clock, from which creationTimestamp and the like are taken; may be replaced."""
        return self._registry.now

    @clock.setter
    def clock(self, clock: Callable[[], datetime]) -> None:
        self._registry.now = clock

    @property
    def bookmark_seconds(self) -> float:
        """The time between two bookmarks; 60 as on a real server, set it before the watch is opened."""
        return self._server.bookmark_seconds

    @bookmark_seconds.setter
    def bookmark_seconds(self, seconds: float) -> None:
        self._server.bookmark_seconds = seconds

    def create(self, resource: str, body: Obj, namespace: str = "default") -> Obj:
        """Create an object.

        Raises:
            StatusError: as the server would refuse it; so do the other verbs.
        """
        kind = self._named(resource)
        home = (body.get("metadata") or {}).get("namespace") or namespace
        return copy_of(self._registry.create(kind, home if kind.namespaced else "", copy_of(body)))

    def get(self, resource: str, name: str, namespace: str = "default") -> Obj:
        """Read an object."""
        return copy_of(self._registry.read(*self._place(resource, name, namespace)))

    def list(self, resource: str, namespace: str = "", labels: str = "", fields: str = "") -> Objects:
        """Read all objects, or those of a namespace, that the selectors select."""
        kind = self._named(resource)
        selects = selecting(kind, labels, fields)
        found = self.store.objects(kind, namespace)
        return [copy_of(obj) for obj in found if selects is None or selects(obj)]

    def pods(self, namespace: str = "", labels: str = "") -> Objects:
        """Read the pods."""
        return self.list("pods", namespace, labels)

    def patch(self, resource: str, name: str, patch: Obj, namespace: str = "default", subresource: str = "") -> Obj:
        """Apply a merge patch."""
        kind, key = self._place(resource, name, namespace)
        new = self._registry.patch(kind, key, copy_of(patch), form=MERGE, subresource=subresource)
        return copy_of(new)

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "default",
        *,
        grace: int | None = None,
        policy: str | None = None,
        uid: str | None = None,
    ) -> None:
        """Delete an object.

        Args:
            resource: its plural.
            name: its name.
            namespace: its namespace.
            grace: gracePeriodSeconds.
            policy: propagationPolicy: Background, Foreground or Orphan.
            uid: a precondition.
        """
        options: Obj = {"gracePeriodSeconds": grace, "propagationPolicy": policy}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        self._registry.delete(*self._place(resource, name, namespace), options)

    def set_pod(self, name: str, namespace: str = "default", **report: Unpack[Report]) -> Obj:
        """Report the state of a pod as its kubelet would; see `Report`."""
        pod = self._registry.read(PODS, (namespace, name))
        return copy_of(self.kubelet.report(pod, **report))

    def set_node(self, name: str, *, ready: bool) -> None:
        """Report whether a node is Ready."""
        node = self._registry.read(NODES, ("", name))
        word = "True" if ready else "Unknown"
        status = with_conditions(node.get("status") or {}, timestamp(self._registry.now()), Ready=word)
        self.store.put(NODES, {**node, "status": status | {"allocatable": NODE_CAPACITY}})

    def finish_termination(self, name: str, namespace: str = "default") -> None:
        """End a terminating pod, as its kubelet does when the containers have stopped."""
        self.kubelet.finish(self._registry.read(PODS, (namespace, name)))

    def finish_namespace(self, name: str) -> None:
        """End a terminating namespace, as the namespace controller does when it is empty."""
        empty: Obj = {"metadata": {"name": name}, "spec": {"finalizers": []}}
        self._registry.replace(NAMESPACES, ("", name), empty, subresource="finalize")

    def compact(self) -> None:
        """Forget old versions: watches and lists that ask for them get 410."""
        self.store.compact()

    def history(self, resource: str, name: str = "", namespace: str = "") -> Sequence[Change]:
        """Give every change of a resource, or of one object or namespace, since the start; compacted or not."""
        kind = self._named(resource)
        return [
            change
            for change in self.store.history
            if change.resource is kind
            and name in ("", key_of(change.object)[1])
            and namespace in ("", key_of(change.object)[0])
        ]

    def watches(self, resource: str) -> Sequence[Watch]:
        """Give the open watches of a resource."""
        kind = self._named(resource)
        return [watch for watch in self._server.watches if watch.scope.resource is kind]

    def strike(self, fault: WatchFault, resource: str) -> None:
        """Let a fault happen to the watches of a resource that are open now."""
        for watch in self.watches(resource):
            watch.strike(fault)

    def release(self, resource: str) -> None:
        """Let the silent watches of a resource speak again."""
        for watch in self.watches(resource):
            watch.release()

    async def go_down(self, *, refuse: bool = True) -> None:
        """Begin an outage: connections are cut, new ones refused or, with `refuse=False`, answered with 503."""
        if refuse:
            await self._server.refuse()
        else:
            self.faults.unavailable = True
            self._server.disconnect()

    async def come_up(self) -> None:
        """End the outage."""
        if self.faults.unavailable:
            self.faults.unavailable = False
        else:
            await self._server.listen()

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
        """Wait until a condition holds; it is asked after every change, and every 10 ms.

        Args:
            condition: what is waited for.
            what: the same in words, for the failure.
            seconds: the deadline.

        Raises:
            AssertionError: it did not hold in time.
        """
        changed = asyncio.Event()

        def notice(_: Change) -> None:
            changed.set()

        self.store.subscribers.append(notice)
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    changed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):
                            await changed.wait()
        except TimeoutError as late:
            raise AssertionError(f"Not within {seconds} s: {what}.") from late
        finally:
            self.store.subscribers.remove(notice)

    def _named(self, resource: str) -> Resource:
        return named(self._registry.resources, resource)

    def _place(self, resource: str, name: str, namespace: str) -> tuple[Resource, Key]:
        kind = self._named(resource)
        return kind, (namespace if kind.namespaced else "", name)


def copy_of(obj: Obj) -> Obj:
    """Give a deep copy, as JSON has it."""
    copy: Obj = orjson.loads(orjson.dumps(obj))
    return copy

"""The API server of the simulation: the store and the rules of `fakeapi`, asked directly.

Each request has its effect in one piece, at one moment; what comes before and after it is the network's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fakeapi import defaults, discovery, errors, filters, routing, subresources
from fakeapi.access import Access
from fakeapi.collector import Collector
from fakeapi.lists import answer_list
from fakeapi.registry import Registry
from fakeapi.resources import CRDS, LEASES, NAMESPACES, NODES, PODGROUPS, PODS, RESOURCES, Obj, Resource
from fakeapi.store import Store
from fakeapi.watch import Scope, Watch
from simulate.asked import REVIEWS, Asked, now
from simulate.clocks import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakeapi.errors import StatusError
    from fakeapi.routing import Target

    Policy = Callable[[Asked], StatusError | None]

REVIEW = "/apis/authorization.k8s.io/v1/"
BOOKMARK_SECONDS = 60.0
LEASE_NAMESPACE = "podgroup-system"


class ApiServer:
    """What is true.

    Attributes:
        namespaces: where PodGroups are.
        cause: the request that is being done just now; None: whatever changes is others' doing.
        watches: the open ones.
        policies: asked about each request before it is done; what one returns refuses it.
        mutations: what policies make of a new pod.
    """

    def __init__(self, namespaces: tuple[str, ...], nodes: int) -> None:
        self.namespaces = namespaces
        self.store = Store()
        self.registry = Registry(self.store, RESOURCES)
        self.registry.now = lambda: datetime.fromtimestamp(EPOCH + now(), UTC)
        self.access = Access()
        self.collector = Collector(self.registry)
        self.cause: Asked | None = None
        self.watches: list[Watch] = []
        self.policies: list[Policy] = []
        self.mutations: list[Callable[[Obj], Obj]] = []
        for namespace in (LEASE_NAMESPACE, *namespaces):
            self.registry.create(NAMESPACES, "", {"metadata": {"name": namespace}})
        self.registry.create(CRDS, "", defaults.definition(PODGROUPS))
        for number in range(nodes):
            node = self.registry.create(NODES, "", {"metadata": {"name": f"node-{number}"}})
            self.store.put(NODES, {**node, "status": {"conditions": [{"type": "Ready", "status": "True"}]}})

    def read(self, asked: Asked) -> Target | None:
        """Find out what a request is about, and note it in the request."""
        target = routing.route(asked, list(RESOURCES))
        if asked.verb == "create":
            asked.name = ((asked.body or {}).get("metadata") or {}).get("name") or ""
        return target

    def do(self, asked: Asked, target: Target | None) -> Obj:
        """Do what is asked; give the answer's body.

        Raises:
            StatusError: it is refused.
        """
        self.cause = asked
        try:
            body = self._resource(asked, target) if target else self._other(asked)
        finally:
            self.cause = None
        asked.version = self.store.version
        return body

    def _other(self, asked: Asked) -> Obj:
        reviews = dict(zip(REVIEWS, (self.access.review, self.access.rules), strict=True))
        review = reviews.get(asked.path.removeprefix(REVIEW))
        if review and asked.body:
            return review(asked.body)
        found = discovery.document(asked.path, RESOURCES)
        if found is None:
            raise errors.no_such_resource()
        return found

    def _resource(self, asked: Asked, target: Target) -> Obj:
        resource, key, door = target.resource, (target.namespace, target.name), target.subresource
        self.access.check(asked.verb, resource, door, target.namespace, target.name)
        body, dry_run = self._admitted(asked), asked.dry_run
        match asked.verb:
            case "list":
                selects = filters.selecting(
                    resource, asked.query.get("labelSelector", ""), asked.query.get("fieldSelector", "")
                )
                return answer_list(self.store, resource, target.namespace, selects, asked.query)
            case "get":
                return subresources.view(self.registry.read(resource, key), door)
            case "create":
                return self.registry.create(resource, target.namespace, body, dry_run=dry_run)
            case "patch":
                return self.registry.patch(resource, key, body, form=asked.form, subresource=door, dry_run=dry_run)
            case "delete":
                return self.registry.delete(resource, key, routing.delete_options(asked))
        raise errors.method_not_allowed()

    def _admitted(self, asked: Asked) -> Obj:
        """Give the body of a request as the policies let it through."""
        for policy in self.policies:
            refusal = policy(asked)
            if refusal:
                raise refusal
        body = asked.body or {}
        for mutation in self.mutations if asked.verb == "create" and asked.resource == "pods" else ():
            body = mutation(body)
        return body

    def watch(self, asked: Asked, target: Target) -> Watch:
        """Open a watch; it has what came after the version that is asked for.

        Raises:
            StatusError: it is refused.
        """
        self.access.check(asked.verb, target.resource, "", target.namespace, "")
        version = routing.read_version(asked.query)
        watch = Watch(Scope(target.resource, target.namespace), bookmarks="allowWatchBookmarks" in asked.query)
        if version < self.store.compacted:
            watch.fail(errors.expired(f"too old resource version: {version} ({self.store.compacted})"))
        for change in self.store.since(version):
            watch.take(change)
        self.store.subscribers.append(watch.take)
        self.watches.append(watch)
        return watch

    def close(self, watch: Watch) -> None:
        """Forget a watch that is over."""
        self.watches.remove(watch)
        self.store.subscribers.remove(watch.take)

    def all(self, resource: Resource, namespace: str = "") -> list[Obj]:
        """Give all objects of a kind."""
        return self.store.objects(resource, namespace)

    @property
    def pods(self) -> list[Obj]:
        """Give all pods."""
        return self.store.objects(PODS)

    @property
    def groups(self) -> list[Obj]:
        """Give all PodGroups."""
        return self.store.objects(PODGROUPS)

    @property
    def leases(self) -> list[Obj]:
        """Give all Leases."""
        return self.store.objects(LEASES)

    def change(self, resource: Resource, obj: Obj, patch: dict[str, Any], door: str = "") -> Obj:
        """Patch an object as somebody else than the operator does."""
        metadata = obj["metadata"]
        return self.registry.patch(resource, (metadata.get("namespace", ""), metadata["name"]), patch, subresource=door)

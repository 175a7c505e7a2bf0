"""What a write does: the rules between a request and the store.

As in kube-apiserver, every write goes through here, whether it comes over HTTP, from a test, or from the fake
kubelet. The order of the checks is the server's: a quota refuses before the name is found taken, a stale
resourceVersion before a wrong UID. See apiserver/pkg/registry/generic/registry/store.go.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime

from fakeapi import defaults, deletion, errors, patches, subresources, validation
from fakeapi.errors import StatusError
from fakeapi.resources import CRDS, NAMESPACES, PODS, Obj, Resource, named
from fakeapi.store import Key, Store, key_of, new_uid

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # apiserver/pkg/storage/names: no vowels, no words by accident
JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

Admit = Callable[[Obj], StatusError | None]


class Registry:
    """The write rules over a store.

    Args:
        store: where the objects are.
        resources: what is served.

    Attributes:
        admit: asked about each new pod, dry runs too; what it returns refuses the pod.
        mutate: may change what a patch makes of a pod, as an admission policy does.
        protected: names of the pods that a PodDisruptionBudget does not let go.
        now: the server's clock.
    """

    def __init__(self, store: Store, resources: tuple[Resource, ...]) -> None:
        self.store = store
        self.resources = resources
        self.admit: Admit = lambda _: None
        self.mutate: Callable[[Obj], None] = lambda _: None
        self.protected = set[str]()
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._random = random.Random(1)  # noqa: S311 - names in tests, the same ones each run

    def serves(self, resource: Resource) -> bool:
        """Whether the resource exists now; a custom one needs its definition."""
        return not resource.custom or self.store.get(CRDS, ("", resource.qualified)) is not None

    def read(self, resource: Resource, key: Key) -> Obj:
        """Give an object.

        Raises:
            StatusError: 404.
        """
        obj = self.store.get(resource, key)
        if obj is None:
            raise errors.not_found(resource, key[1])
        return obj

    def create(self, resource: Resource, namespace: str, body: Obj, *, dry_run: bool = False) -> Obj:
        """Create an object; with `dry_run` only tell what would come of it."""
        obj = self._initialised(resource, namespace, body)
        name = obj["metadata"].get("name") or ""
        if resource.namespaced:
            self._check_namespace(resource, name, namespace)
        validation.check_new(resource, obj)
        refusal = self.admit(obj) if resource is PODS else None
        if refusal:
            raise refusal
        taken = self.store.get(resource, key_of(obj))
        if taken:
            terminating = bool(taken["metadata"].get("deletionTimestamp"))
            raise errors.already_exists(resource, name, terminating=terminating)
        obj = defaults.fill_in(resource, obj)
        return obj if dry_run else self.store.put(resource, obj)

    def replace(self, resource: Resource, key: Key, body: Obj, *, subresource: str = "", dry_run: bool = False) -> Obj:
        """PUT: replace an object through its main door or a subresource."""
        metadata = body.get("metadata") or {}
        if metadata.get("name", key[1]) != key[1]:
            words = f"the name of the object ({metadata['name']}) does not match the name on the URL ({key[1]})"
            raise errors.bad_request(words)
        old = self.read(resource, key)
        uid = old["metadata"]["uid"]
        if metadata.get("uid", uid) != uid:
            raise errors.conflict(resource, key[1], storage_error(resource, key, metadata["uid"], uid))
        blind = resource.unconditional_update or subresource in ("scale", "finalize")
        if not metadata.get("resourceVersion") and not blind:
            raise errors.version_required(resource, key[1])
        return self._update(resource, old, body, subresource, dry_run=dry_run)

    def patch(
        self,
        resource: Resource,
        key: Key,
        patch: Obj,
        *,
        form: str = MERGE,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Obj:
        """PATCH: change an object through its main door or a subresource."""
        forms = (MERGE,) if resource.custom else (MERGE, STRATEGIC)
        if form not in forms:
            raise errors.unsupported_media_type(forms)
        old = self.read(resource, key)
        validation.check_patchable(resource, old)
        seen = subresources.view(old, subresource)
        new = patches.merge(seen, patch) if form == MERGE else patches.strategic_merge(seen, patch)
        if resource is PODS and not subresource:
            self.mutate(new)
        return self._update(resource, old, new, subresource, dry_run=dry_run)

    def delete(self, resource: Resource, key: Key, options: Obj | None = None) -> Obj:
        """DELETE: at once, or by marking the object where a grace period or a finalizer stands in the way.

        Returns:
            What the server answers: the object, or a Status with status Success.
        """
        options = options or {}
        old = self.read(resource, key)
        deletion.check_preconditions(resource, old, options)
        if deletion.pending(resource, old, options):
            return old
        if resource is NAMESPACES:
            return self._terminate_namespace(old)
        dry_run = "All" in (options.get("dryRun") or ())
        new = self._marked(resource, old, options)
        if new and not dry_run and new != old:
            new = self.store.put(resource, new)
        if new and (dry_run or lingers(new)):
            return new
        return self.answer_deleted(resource, old if dry_run else self.remove(resource, key))

    def evict(self, key: Key, eviction: Obj) -> Obj:
        """POST an eviction: delete a pod, marked as disrupted, unless a PodDisruptionBudget forbids it.

        Raises:
            StatusError: 409, it is another pod; 429, a budget forbids it.
        """
        pod, options = self.read(PODS, key), eviction.get("deleteOptions") or {}
        deletion.check_preconditions(PODS, pod, options)
        if key[1] in self.protected:
            raise errors.disruption_budget()
        if not pod["metadata"].get("deletionTimestamp"):
            mark = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
            status = pod.get("status") or {}
            conditions = [*(status.get("conditions") or ()), mark]
            self.store.put(PODS, {**pod, "status": {**status, "conditions": conditions}})
            self.delete(PODS, key, {name: value for name, value in options.items() if name != "preconditions"})
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def remove(self, resource: Resource, key: Key) -> Obj:
        """Take an object out of the store; with a definition go all objects that it defines."""
        if resource is CRDS:
            defined = named(self.resources, key[1])
            for obj in self.store.objects(defined):
                self.store.remove(defined, key_of(obj))
        return self.store.remove(resource, key)

    def answer_deleted(self, resource: Resource, last: Obj) -> Obj:
        """Give what DELETE answers when the object is gone."""
        if resource.returns_deleted:
            return last
        metadata = last["metadata"]
        details = {**errors.about(resource, metadata["name"]), "uid": metadata["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _initialised(self, resource: Resource, namespace: str, body: Obj) -> Obj:
        if body.get("kind", resource.kind) != resource.kind:
            raise errors.wrong_kind(resource, body["kind"])
        metadata = dict(body.get("metadata") or {})
        if metadata.pop("resourceVersion", ""):
            raise StatusError(500, "resourceVersion should not be set on objects to be created", reason="")
        if resource.namespaced:
            if metadata.setdefault("namespace", namespace) != namespace:
                raise errors.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        else:
            metadata.pop("namespace", None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(self._random.choices(SUFFIX, k=5))
        for mark in ("deletionTimestamp", "deletionGracePeriodSeconds"):
            metadata.pop(mark, None)
        metadata["uid"] = new_uid()
        metadata["creationTimestamp"] = deletion.timestamp(self.now())
        metadata = subresources.without_empty(metadata)
        head = {"apiVersion": resource.api_version, "kind": resource.kind}
        return {**head, **body, "metadata": metadata}

    def _check_namespace(self, resource: Resource, name: str, namespace: str) -> None:
        home = self.store.get(NAMESPACES, ("", namespace))
        if home is None:
            raise errors.not_found(NAMESPACES, namespace)
        if home["status"]["phase"] == "Terminating":
            raise errors.namespace_terminating(resource, name, namespace)

    def _update(self, resource: Resource, old: Obj, written: Obj, subresource: str, *, dry_run: bool) -> Obj:
        name = old["metadata"]["name"]
        version = (written.get("metadata") or {}).get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise errors.conflict(resource, name)
        new = subresources.taken(resource, old, written, subresource)
        if new["metadata"]["uid"] != old["metadata"]["uid"]:
            raise validation.foreign_uid(resource, name, new["metadata"]["uid"])
        validation.check_changed(resource, new, old)
        if not dry_run:
            new = self._write(resource, new, old, subresource)
        return subresources.view(new, subresource)

    def _write(self, resource: Resource, new: Obj, old: Obj, subresource: str) -> Obj:
        if subresource == "finalize" and not new["spec"].get("finalizers"):
            self.store.remove(resource, key_of(old))
            return new
        if new == old:
            return old
        if deletion.is_over(new, old):
            self.remove(resource, key_of(old))
            return new
        return self.store.put(resource, new)

    def _marked(self, resource: Resource, old: Obj, options: Obj) -> Obj | None:
        """Give the object with its deletion written on it; None if it goes without that."""
        now = self.now()
        new = deletion.graceful(resource, old, options, now)
        if new:
            return deletion.with_policy(new, options)
        new = deletion.with_policy(old, options)
        if not new["metadata"].get("finalizers"):
            return None
        return new if new["metadata"].get("deletionTimestamp") else deletion.marked(new, now, 0)

    def _terminate_namespace(self, old: Obj) -> Obj:
        if old["status"]["phase"] == "Terminating":
            return old
        metadata = {**old["metadata"], "deletionTimestamp": deletion.timestamp(self.now())}
        new = {**old, "metadata": metadata, "status": {**old["status"], "phase": "Terminating"}}
        return self.store.put(NAMESPACES, new)


def lingers(obj: Obj) -> bool:
    """Whether a deleted object stays for now: for a finalizer, or for its grace period."""
    return bool(obj["metadata"].get("finalizers") or obj["metadata"].get("deletionGracePeriodSeconds"))


def storage_error(resource: Resource, key: Key, asked: str, uid: str) -> str:
    """Word a failed UID precondition as etcd's layer does (apiserver/pkg/storage/interfaces.go)."""
    path = "/".join(part for part in (resource.group, resource.plural, *key) if part)
    return (
        f"StorageError: invalid object, Code: 4, Key: /registry/{path}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {asked}, UID in object meta: {uid}"
    )

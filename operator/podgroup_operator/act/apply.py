"""Acting: the plan, and nothing but the plan, carried out on the API.

404 and 409 are answers, not errors: what was to go is gone, what was to be made is there. An outcome that is
unknown (no answer) is left to the next look, which repeats the same create under the same name. Creates start
slowly, 1, 2, 4 and so on, and stop at the first batch in which one is refused (ReplicaSet's slowStartBatch),
so that a quota of zero costs one request and not a thousand.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from podgroup_operator.api.cluster import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    SERVER_ERROR,
    STRATEGIC_MERGE_PATCH,
    UNPROCESSABLE,
    Cluster,
    Refused,
    Unreachable,
    podgroups_path,
    pods_path,
)
from podgroup_operator.api.wire import version_of
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.manifest import own_labels, owner_reference, pod_manifest
from podgroup_operator.core.model import Adopt, Cause, Create, Delete, Desired, Failure, Outcome, Plan, Release
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.ledger import Ledger
from podgroup_operator.observe.pods import Family

Json = dict[str, Any]


def looks_orphaned(plan: Plan) -> bool:
    """Tell whether this is also what a group looks like that has been deleted and of which kopf has yet to tell.

    The garbage collector deletes its pods, or frees them, within milliseconds; the news of that and of the group's
    own end come by two streams, in any order.
    """
    return bool(plan.adopts) or any(create.loss and create.loss.cause is Cause.DELETED for create in plan.creates)


def failure(reason: str, what: str, error: Refused | Unreachable) -> Failure:
    """Put into words that something could not be done, and why."""
    if isinstance(error, Unreachable):
        return Failure(reason, f"{what}: no answer from the API server: {error}")
    return Failure(reason, f"{what}: {error.message}", f"{what}: {error}", error.code == FORBIDDEN)


class Application:
    """One plan being carried out for one group."""

    def __init__(
        self, group: Group, family: Family, ledger: Ledger, cluster: Cluster, writer: Writer, clock: Callable[[], float]
    ) -> None:
        self._group = group
        self._desired: Desired = group.desired
        self._family = family
        self._ledger = ledger
        self._cluster = cluster
        self._writer = writer
        self._clock = clock
        self._began = clock()  # a pod that is deleted from now on may make room for one that is refused
        self._created: list[Create] = []
        self._deleted: list[Delete] = []
        self._failures: list[Failure] = []
        self._refused = False

    async def carry_out(self, plan: Plan) -> Outcome:
        """Do everything that the plan says, as far as the API server lets us."""
        await asyncio.gather(*(self._release(release) for release in plan.releases))
        # What could not be released is still ours, and a replacement of it would be one too many.
        if not self._refused and (not looks_orphaned(plan) or await self._owner_lives()):
            await asyncio.gather(*(self._adopt(adopt) for adopt in plan.adopts))
            await self._create_all(plan.creates)
        await asyncio.gather(*(self._delete(delete) for delete in plan.deletes))
        if not self._refused and (not plan.empty or plan.missing <= 0):
            self._ledger.accepted()
        return Outcome(tuple(self._created), tuple(self._deleted), tuple(self._failures))

    def _failed(self, reason: str, what: str, error: Refused | Unreachable) -> Failure:
        """Note a failure, for people to see."""
        self._pause(error)
        self._failures.append(failure(reason, what, error))
        return self._failures[-1]

    def _cannot_create(self, what: str, error: Refused | Unreachable) -> None:
        """Note a failure that keeps pods from being made, until the pause is over."""
        failed = self._failed(names.REASON_CREATE_FAILED, what, error)
        self._ledger.hold_creates(failed.message, self._began, forbidden=failed.forbidden)

    def _pause(self, error: Refused | Unreachable) -> None:
        """Pause before the next try: once for the whole plan, however much of it was refused."""
        if self._refused:
            return
        self._refused = True
        if isinstance(error, Refused):
            self._ledger.refused(self._clock(), error.retry_after)
        else:
            self._ledger.unanswered(self._clock())

    async def _owner_lives(self) -> bool:
        """Read the owner uncached: a stale view must not take in or make pods for one that is gone."""
        try:
            body = await self._cluster.get(podgroups_path(self._desired.namespace, self._desired.name))
        except Refused as refusal:
            if refusal.code != NOT_FOUND:
                self._cannot_create("Error reading the PodGroup", refusal)
            return False
        except Unreachable as error:
            self._pause(error)  # nothing else may ever wake the group for these pods
            return False
        metadata = body["metadata"]
        return metadata["uid"] == self._desired.uid and "deletionTimestamp" not in metadata

    async def _adopt(self, adopt: Adopt) -> None:
        labels = own_labels(self._desired, adopt.slot)
        await self._patch(adopt, {"ownerReferences": [owner_reference(self._desired)], "labels": labels})

    async def _release(self, release: Release) -> None:
        await self._patch(release, {"ownerReferences": [{"$patch": "delete", "uid": self._desired.uid}]})

    async def _patch(self, action: Adopt | Release, metadata: Json) -> None:
        pod = action.pod
        precondition = {"uid": pod.uid, "resourceVersion": str(pod.version)}
        try:
            body = await self._writer.patch(
                pods_path(pod.namespace, pod.name), {"metadata": metadata | precondition}, STRATEGIC_MERGE_PATCH
            )
        except Refused as refusal:
            if refusal.code not in {NOT_FOUND, CONFLICT, UNPROCESSABLE}:
                self._failed(names.REASON_CREATE_FAILED, "Error patching", refusal)
        except Unreachable as error:
            self._failed(names.REASON_CREATE_FAILED, "Error patching", error)
        else:
            self._ledger.wrote(version_of(body))

    async def _create_all(self, creates: Sequence[Create]) -> None:
        done, batch = 0, 1
        while done < len(creates):
            accepted = await asyncio.gather(*(self._create(create) for create in creates[done : done + batch]))
            if not all(accepted):
                return
            done += batch
            batch *= 2

    async def _create(self, create: Create) -> bool:
        """Create a pod; False stops the batches."""
        manifest = pod_manifest(self._desired, self._group.template, create)
        try:
            body = await self._writer.create(pods_path(self._desired.namespace), manifest)
        except Refused as refusal:
            if refusal.code == CONFLICT and refusal.reason == "AlreadyExists":
                return await self._name_taken(create)
            self._create_refused(refusal)
            return False
        except Unreachable as error:
            self._ledger.unsure = True
            self._cannot_create("Error creating", error)
            return False
        self._created.append(create)
        if create.loss:
            self._family.made_good(create.loss)
        self._ledger.wrote(version_of(body))
        return True

    def _create_refused(self, refusal: Refused) -> None:
        if "NamespaceTerminating" in refusal.causes:
            self._pause(refusal)  # as upstream: nothing can be made here any more, and nobody is at fault
            self._ledger.hold_creates("The namespace is being deleted.", self._began)
            return
        if refusal.code >= SERVER_ERROR:  # it may have been done all the same
            self._ledger.unsure = True
        self._cannot_create("Error creating", refusal)
        if refusal.code in INVALID:
            self._ledger.judge(self._desired.revision, refusal.message, self._clock())

    async def _name_taken(self, create: Create) -> bool:
        """Find out whose pod has the name: ours means that it is made already, a stranger's that we need another."""
        try:
            body = await self._cluster.get(pods_path(self._desired.namespace, create.name))
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and error.code == NOT_FOUND:
                return True  # it went meanwhile: the next look asks for the name again
            self._cannot_create(f"Error reading pod {create.name}", error)
            return False
        owners = body["metadata"].get("ownerReferences") or ()
        if any(owner["uid"] == self._desired.uid and owner.get("controller") for owner in owners):
            self._ledger.wrote(version_of(body))
        else:
            self._ledger.names.add(create.name)
        return True

    async def _delete(self, delete: Delete) -> None:
        pod = delete.pod
        self._family.condemned.add(pod.uid)
        try:
            body = await self._writer.delete(pods_path(pod.namespace, pod.name), pod.uid, pod.version)
        except Refused as refusal:
            self._family.condemned.discard(pod.uid)
            if refusal.code not in {NOT_FOUND, CONFLICT}:
                self._failed(names.REASON_DELETE_FAILED, "Error deleting", refusal)
        except Unreachable as error:
            self._family.unanswered[pod.uid] = pod
            self._failed(names.REASON_DELETE_FAILED, "Error deleting", error)
        else:
            self._deleted.append(delete)
            if body.get("kind") == "Pod":
                self._ledger.wrote(version_of(body))


async def ask_about_deletes(family: Family, ledger: Ledger, cluster: Cluster) -> None:
    """Find out what became of the deletes that were not answered; only a pod that still lives may be spared.

    Until then each counts as done, and the group waits for the cache to show it: a second choice made from a stale
    view might fall on another pod.

    Raises:
        Refused: the API server does not tell.
    """
    for pod in tuple(family.unanswered.values()):
        try:
            metadata = (await cluster.get(pods_path(pod.namespace, pod.name)))["metadata"]
        except Refused as refusal:
            if refusal.code != NOT_FOUND:
                raise
            del family.unanswered[pod.uid]
        except Unreachable:
            return
        else:
            del family.unanswered[pod.uid]
            if metadata["uid"] == pod.uid and "deletionTimestamp" not in metadata:
                family.condemned.discard(pod.uid)
            else:
                ledger.wrote(int(metadata["resourceVersion"]))

"""Acting: the plan, and nothing but the plan, carried out on the API.

404 and 409 are answers, not errors: what was to go is gone, what was to be made is there. An outcome that is
unknown (no answer) is left to the next look, which repeats the same create under the same name. Creates, removals and
claims go side by side, each in a lane of its own: what one is refused holds up no other.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from podgroup_operator.act.slow_start import start_slowly
from podgroup_operator.act.template import CORRECT_TEMPLATE, stray
from podgroup_operator.api.cluster import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    SERVER_ERROR,
    STRATEGIC_MERGE_PATCH,
    UNPROCESSABLE,
    Cluster,
    NotLeading,
    Refused,
    Unreachable,
    podgroups_path,
    pods_path,
)
from podgroup_operator.api.wire import version_of
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.manifest import own_labels, owner_reference, pod_manifest
from podgroup_operator.core.model import (
    Adopt,
    Cause,
    Create,
    Failure,
    Lane,
    Outcome,
    Plan,
    Pod,
    Refusal,
    Release,
    Remove,
)
from podgroup_operator.observe.groups import Group
from podgroup_operator.observe.memory import Leaving, Memory

Json = dict[str, Any]

IN_VAIN = 2
"""Batches in a row in which nothing could be removed or claimed; a single pod that is protected stops no others."""

ASK_AFTER = 3.0
"""Seconds after which we ask what became of a pod that we removed and that the cache still shows as it was."""


class Trouble(NamedTuple):
    """A write that failed; `uid` is the pod's that could not be changed."""

    error: Refused | Unreachable
    message: str
    uid: str = ""


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
    """One plan being carried out for one group.

    Attributes:
        fenced: something was not sent, for this operator may not write any more.
    """

    def __init__(
        self,
        group: Group,
        memory: Memory,
        cluster: Cluster,
        writer: Writer,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._group = group
        self._desired = group.desired
        self._memory = memory
        self._written = memory.written
        self._cluster = cluster
        self._writer = writer
        self._monotonic = monotonic
        self._departed = memory.seen.departed  # a pod that goes from now on may make room for one that is refused
        self._created: list[Create] = []
        self._removed: list[Remove] = []
        self._failures: list[Failure] = []
        self._accepted = Counter[Lane]()
        self._troubles: dict[Lane, list[Trouble]] = defaultdict(list)
        self._unreleased = set[str]()
        self.fenced = False

    async def carry_out(self, plan: Plan) -> Outcome:
        """Do everything that the plan says, as far as the API server lets us."""
        lives = not looks_orphaned(plan) or await self._owner_lives(exactly=bool(plan.adopts))
        claims = asyncio.ensure_future(self._claim_all(plan, adopt=lives))
        await asyncio.gather(
            claims,
            self._create_all(plan, claims) if lives else asyncio.sleep(0),
            start_slowly(plan.removes, self._remove, IN_VAIN),
        )
        self._settle(plan)
        return Outcome(tuple(self._created), tuple(self._removed), tuple(self._failures))

    def _settle(self, plan: Plan) -> None:
        """Let each lane remember what became of its writes."""
        now, wishes = self._monotonic(), {Lane.CREATE: plan.missing > 0, Lane.REMOVE: plan.missing < 0}
        for lane in (Lane.CREATE, Lane.REMOVE, Lane.CLAIM):
            memory, troubles, accepted = self._written.lanes[lane], self._troubles[lane], self._accepted[lane]
            for trouble in troubles:
                if trouble.uid:
                    memory.stick(trouble.uid, trouble.error, now)
            if troubles:
                first, mostly = troubles[0], len(troubles) > accepted
                memory.refused(first.error, first.message, now, mostly=mostly, departed=self._departed)
            elif accepted or not (wishes.get(lane) or memory.stuck_at(now)):
                memory.accepted()

    def _failed(self, lane: Lane, reason: str, what: str, error: Refused | Unreachable, uid: str = "") -> None:
        """Note a failure, for people to see, and for the lane."""
        failed = failure(reason, what, error)
        self._failures.append(failed)
        self._troubles[lane].append(Trouble(error, failed.message, uid))

    async def _owner_lives(self, *, exactly: bool) -> bool:
        """Read the owner: a stale view must not take in or make pods for one that is gone.

        Before an adoption that is read uncached, as ReplicaSet does it. Where pods were deleted an answer from the API
        server's own cache will do, and costs half: the garbage collector has the owner's end from such a cache too, and
        deletes the pods after that, so what is asked when they are gone is asked later still.

        Args:
            exactly: whether it is read uncached.
        """
        path = podgroups_path(self._desired.namespace, self._desired.name)
        try:
            body = await self._cluster.get(path, None if exactly else {"resourceVersion": "0"})
        except Refused as refusal:
            if refusal.code != NOT_FOUND:
                self._failed(Lane.CREATE, names.REASON_CREATE_FAILED, "Error reading the PodGroup", refusal)
            return False
        except Unreachable as error:
            self._failed(Lane.CREATE, names.REASON_CREATE_FAILED, "Error reading the PodGroup", error)
            return False
        metadata = body["metadata"]
        return metadata["uid"] == self._desired.uid and "deletionTimestamp" not in metadata

    async def _claim_all(self, plan: Plan, *, adopt: bool) -> None:
        await start_slowly(plan.releases, self._release, IN_VAIN)
        if adopt:
            await start_slowly(plan.adopts, self._adopt, IN_VAIN)

    async def _adopt(self, adopt: Adopt) -> bool:
        labels = own_labels(self._desired, adopt.slot)
        return await self._patch(adopt, {"ownerReferences": [owner_reference(self._desired)], "labels": labels})

    async def _release(self, release: Release) -> bool:
        # Until it is released it is still ours, and a replacement of it would be one too many.
        self._unreleased.add(release.pod.name)
        done = await self._patch(release, {"ownerReferences": [{"$patch": "delete", "uid": self._desired.uid}]})
        if done:
            self._unreleased.discard(release.pod.name)
        return done

    async def _patch(self, action: Adopt | Release, metadata: Json) -> bool:
        """Change a pod's metadata; False: it was refused."""
        pod = action.pod
        precondition = {"uid": pod.uid, "resourceVersion": str(pod.version)}
        try:
            body = await self._writer.patch(
                pods_path(pod.namespace, pod.name), {"metadata": metadata | precondition}, STRATEGIC_MERGE_PATCH
            )
        except NotLeading:
            self.fenced = True
            return False
        except Refused as refusal:
            if refusal.code in {NOT_FOUND, CONFLICT} or (refusal.code == UNPROCESSABLE and refusal.is_about_uid):
                return True  # it has changed, and the news of that is on its way
            self._failed(Lane.CLAIM, names.REASON_CREATE_FAILED, f"Error patching pod {pod.name}", refusal, pod.uid)
            return False
        except Unreachable as error:
            self._failed(Lane.CLAIM, names.REASON_CREATE_FAILED, f"Error patching pod {pod.name}", error, pod.uid)
            return False
        self._accepted[Lane.CLAIM] += 1
        self._written.lanes[Lane.CLAIM].stuck.pop(pod.uid, None)
        self._written.wrote(version_of(body))
        return True

    async def _create_all(self, plan: Plan, claims: "asyncio.Future[None]") -> None:
        """Create what depends on nothing, then what replaces pods that have to be released first."""
        released = {release.pod.name for release in plan.releases}
        later = [create for create in plan.creates if create.loss and create.loss.pod in released]
        await start_slowly([create for create in plan.creates if create not in later], self._create)
        if later and not self._troubles[Lane.CREATE] and not self.fenced:
            await asyncio.wait([claims])
            await start_slowly(
                [create for create in later if create.loss and create.loss.pod not in self._unreleased], self._create
            )

    async def _create(self, create: Create) -> bool:
        """Create a pod; False stops the batches."""
        manifest = pod_manifest(self._desired, self._group.template, create)
        try:
            body = await self._writer.create(pods_path(self._desired.namespace), manifest)
        except NotLeading:
            self.fenced = True
            return False
        except Refused as refusal:
            if refusal.code == CONFLICT:
                return await self._name_taken(create) if refusal.reason == "AlreadyExists" else True
            self._create_refused(refusal)
            return False
        except Unreachable as error:
            self._written.unsure = True
            self._failed(Lane.CREATE, names.REASON_CREATE_FAILED, "Error creating", error)
            return False
        self._accepted[Lane.CREATE] += 1
        self._written.wrote(version_of(body))
        if lost := stray(self._desired, body):
            self._strayed(create, lost)
            return False
        self._created.append(create)
        if create.loss:
            self._memory.seen.made_good(create.loss)
        return True

    def _strayed(self, create: Create, lost: Refusal) -> None:
        """Note that a pod that we made is none of the group's: something has changed it on its way to the store."""
        message = f"Created pod {create.name}, which is not the group's. {lost.message}"
        self._failures.append(Failure(names.REASON_CREATE_FAILED, message))
        self._written.strayed(self._desired.revision, lost, self._monotonic())

    def _create_refused(self, refusal: Refused) -> None:
        if "NamespaceTerminating" in refusal.causes:  # as upstream: nothing can be made here, and nobody is at fault
            self._troubles[Lane.CREATE].append(Trouble(refusal, "The namespace is being deleted."))
            return
        if refusal.code >= SERVER_ERROR:  # it may have been done all the same
            self._written.unsure = True
        self._failed(Lane.CREATE, names.REASON_CREATE_FAILED, "Error creating", refusal)
        if refusal.code in INVALID:
            advice = CORRECT_TEMPLATE if refusal.code == UNPROCESSABLE else ""
            self._written.judge(self._desired.revision, Refusal(refusal.message, advice=advice), self._monotonic())

    async def _name_taken(self, create: Create) -> bool:
        """Find out whose pod has the name: ours means that it is made already, a stranger's that we need another."""
        try:
            body = await self._cluster.get(pods_path(self._desired.namespace, create.name))
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and error.code == NOT_FOUND:
                return True  # it went meanwhile: the next look asks for the name again
            self._failed(Lane.CREATE, names.REASON_CREATE_FAILED, f"Error reading pod {create.name}", error)
            return False
        owners = body["metadata"].get("ownerReferences") or ()
        if any(owner["uid"] == self._desired.uid and owner.get("controller") for owner in owners):
            self._written.wrote(version_of(body))
        else:
            self._written.strangers.add(create.name)
        return True

    async def _remove(self, remove: Remove) -> bool:
        """Remove a pod; its end is no loss. What is not known to have been done is asked about before the next look."""
        pod, leaving = remove.pod, self._written.leaving
        leaving[pod.uid] = Leaving(pod, remove.why, self._monotonic())
        try:
            body = await self._writer.delete(pods_path(pod.namespace, pod.name), pod.uid, pod.version)
        except NotLeading:
            leaving.pop(pod.uid, None)
            self.fenced = True
            return False
        except Refused as refusal:
            return self._removal_refused(remove, refusal)
        except Unreachable as error:
            self._failed(Lane.REMOVE, names.REASON_DELETE_FAILED, f"Error deleting pod {pod.name}", error, pod.uid)
            return False
        if pod.uid in leaving:  # the news of its end may have been faster than the answer
            leaving[pod.uid] = leaving[pod.uid]._replace(answered=True)
        self._accepted[Lane.REMOVE] += 1
        self._written.lanes[Lane.REMOVE].stuck.pop(pod.uid, None)
        self._removed.append(remove)
        if body.get("kind") == "Pod":
            self._written.wrote(version_of(body))
        return True

    def _removal_refused(self, remove: Remove, refusal: Refused) -> bool:
        """Note why a pod was not removed; False: it is still wanted."""
        pod, leaving, now = remove.pod, self._written.leaving, self._monotonic()
        if refusal.code == NOT_FOUND:  # it has gone without us; nothing may be decided until the cache shows it
            leaving[pod.uid] = Leaving(pod, remove.why, now, answered=True)
            self._written.unsure = True
            return True
        if refusal.code < SERVER_ERROR:  # else it may have been done all the same
            leaving.pop(pod.uid, None)
        if refusal.code == CONFLICT:  # it has changed, and the news of that is on its way
            self._written.lanes[Lane.REMOVE].stick(pod.uid, refusal, now)
            return True
        self._failed(Lane.REMOVE, names.REASON_DELETE_FAILED, f"Error deleting pod {pod.name}", refusal, pod.uid)
        return False


async def ask_about_leaving(memory: Memory, cluster: Cluster, now: float) -> None:
    """Find out what became of removals that were not answered, or that the cache does not show for long.

    Until then each counts as done, and the group waits for the cache to show it: a second choice made from a stale view
    might fall on another pod. Only a pod that still lives may be spared.

    Args:
        memory: of the group.
        cluster: whom to ask.
        now: monotonic seconds.

    Raises:
        Refused: the API server does not tell.
    """
    for uid, gone in tuple(memory.written.leaving.items()):
        known = memory.seen.pods.get(uid)
        if (gone.answered and now - gone.since < ASK_AFTER) or (known and known.deleted is not None):
            continue
        try:
            lives = await still_lives(gone.pod, memory, cluster)
        except Unreachable:
            return
        if lives or uid not in memory.seen.pods:
            memory.written.leaving.pop(uid, None)
        else:
            memory.written.leaving[uid] = gone._replace(since=now, answered=True)


async def still_lives(pod: Pod, memory: Memory, cluster: Cluster) -> bool:
    """Ask whether a pod lives, and nobody has asked it to go.

    Raises:
        Refused: the API server does not tell.
        Unreachable: it does not answer.
    """
    try:
        metadata = (await cluster.get(pods_path(pod.namespace, pod.name)))["metadata"]
    except Refused as refusal:
        if refusal.code == NOT_FOUND:
            return False
        raise
    if metadata["uid"] == pod.uid and "deletionTimestamp" not in metadata:
        return True
    memory.written.wrote(int(metadata["resourceVersion"]))
    return False

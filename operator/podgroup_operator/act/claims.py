"""Claims carried out: pods that are adopted, pods that are released."""

from collections.abc import Awaitable
from typing import Any

from podgroup_operator.act.progress import Progress
from podgroup_operator.act.slow_start import IN_VAIN, start_slowly
from podgroup_operator.api.cluster import (
    CONFLICT,
    NOT_FOUND,
    STRATEGIC_MERGE_PATCH,
    UNPROCESSABLE,
    NotLeading,
    Refused,
    Undone,
    Unreachable,
    pods_path,
)
from podgroup_operator.api.wire.metadata import version_of
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.manifest import own_labels, owner_reference
from podgroup_operator.core.model.actions import Adopt, Release
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane

Json = dict[str, Any]


class Claiming:
    """The claims of one plan.

    Attributes:
        unreleased: names of pods that are still ours: a replacement of one would be one too many.
    """

    def __init__(self, desired: Desired, writer: Writer, progress: Progress) -> None:
        self._desired = desired
        self._writer = writer
        self._progress = progress
        self.unreleased = set[str]()

    async def carry_out(self, plan: Plan, lives: Awaitable[bool]) -> None:
        """Release, then adopt if the owner is known to live."""
        self.unreleased |= {release.pod.name for release in plan.releases}
        await start_slowly(plan.releases, self._release, IN_VAIN)
        if plan.adopts and await lives:
            await start_slowly(plan.adopts, self._adopt, IN_VAIN)

    async def _adopt(self, adopt: Adopt) -> bool:
        labels = own_labels(self._desired, adopt.slot)
        return await self._patch(adopt, {"ownerReferences": [owner_reference(self._desired)], "labels": labels})

    async def _release(self, release: Release) -> bool:
        done = await self._patch(release, {"ownerReferences": [{"$patch": "delete", "uid": self._desired.uid}]})
        if done:
            self.unreleased.discard(release.pod.name)
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
            self._progress.fenced = True
            return False
        except Refused as refusal:
            return self._refused(pod, refusal)
        except Unreachable as error:
            return self._failed(pod, error)
        answered = read_pod(body)
        ours = answered is not None and answered.controller == self._desired.uid
        if ours is not isinstance(action, Adopt):
            self._progress.written.wrote(version_of(body))
            return self._failed(pod, Undone("the ownerReferences"))
        self._progress.accepted(Lane.CLAIM, pod.uid, version_of(body))
        return True

    def _refused(self, pod: Pod, refusal: Refused) -> bool:
        """Note that a pod was not changed; True: it is gone."""
        if refusal.code == NOT_FOUND or (refusal.code == UNPROCESSABLE and refusal.is_about_uid):
            return True
        if refusal.code == CONFLICT:  # it has changed, and the news of that is on its way; it is ours as it was
            self._progress.written.lanes[Lane.CLAIM].stick(pod.uid, refusal, self._progress.monotonic())
            return False
        return self._failed(pod, refusal)

    def _failed(self, pod: Pod, error: Refused | Unreachable) -> bool:
        what = f"Error patching pod {pod.name}"
        self._progress.failed(Lane.CLAIM, names.REASON_CREATE_FAILED, what, error, pod.uid)
        return False

"""Claims carried out: pods that are adopted, pods that are released."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from podgroup_operator.act.origin import Origin, origin
from podgroup_operator.act.progress import Progress
from podgroup_operator.act.slow_start import IN_VAIN, start_slowly
from podgroup_operator.api.cluster import STRATEGIC_MERGE_PATCH, Cluster, pods_path
from podgroup_operator.api.refusals import CONFLICT, NOT_FOUND, UNPROCESSABLE, NotLeading, Refused, Undone, Unreachable
from podgroup_operator.api.wire.metadata import version_of
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.manifest import own_labels, owner_reference
from podgroup_operator.core.model.actions import Adopt, Release
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.observe.groups import Group

Json = dict[str, Any]


class Claiming:
    """The claims of one plan.

    Attributes:
        unreleased: names of pods that are still ours: a replacement of one would be one too many.
    """

    def __init__(self, group: Group, cluster: Cluster, writer: Writer, progress: Progress) -> None:
        self._group = group
        self._desired = group.desired
        self._cluster = cluster
        self._origin: asyncio.Task[Origin] | None = None
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
        """Take a pod in; what was asked of it before has no meaning for us."""
        labels: Json = dict(own_labels(self._desired, adopt.slot))
        try:
            if await self._is_up_to_date(adopt.pod):
                labels[names.LABEL_REVISION] = self._desired.revision
        except NotLeading:
            self._progress.fenced = True
            return False
        except Refused as refusal:
            return self._refused(adopt.pod, refusal)
        except Unreachable as error:
            return self._failed(adopt.pod, error)
        metadata: Json = {"ownerReferences": [owner_reference(self._desired)], "labels": labels}
        if adopt.pod.asked or adopt.pod.kept or adopt.pod.changing:
            former = (names.ANNOTATION_DELETE, names.ANNOTATION_KEEP, names.ANNOTATION_CHANGING)
            metadata["annotations"] = dict.fromkeys(former)
        if adopt.pod.changing:  # its label names a revision that it has not wholly any more
            labels.setdefault(names.LABEL_REVISION, None)
        return await self._patch(adopt, metadata)

    async def _is_up_to_date(self, pod: Pod) -> bool:
        """Tell whether a pod that is taken in is what the template makes, so that no rollout need replace it.

        Raises:
            Refused: the API server does not tell.
            Unreachable: it does not answer.
        """
        if pod.revision == self._desired.revision:
            return False  # it bears that already
        if self._desired.held and not self._group.revisions:
            return False  # nothing is rolled out here, and perhaps nothing may be asked
        if self._origin is None:
            template = self._group.template_of(self._desired.revision)
            self._origin = asyncio.ensure_future(origin(self._desired, template, self._writer))
        return (await self._origin).made(await self._cluster.get(pods_path(pod.namespace, pod.name)))

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

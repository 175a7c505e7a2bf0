"""Changes in place carried out: a mark, then the resize, then the images, and the label when all is done.

The mark comes first, so that a pod that was left in the middle is known by it; the resize before the images, for it may
be refused, and then nothing has restarted yet. What the API server refuses is not tried on other pods: they are
replaced.
"""

import logging

from podgroup_operator.act.patches import as_it_stands, resized, spec_of
from podgroup_operator.act.progress import Progress
from podgroup_operator.act.slow_start import IN_VAIN, start_slowly
from podgroup_operator.api.cluster import STRATEGIC_MERGE_PATCH, Cluster, pods_path
from podgroup_operator.api.refusals import CONFLICT, NOT_FOUND, UNPROCESSABLE, NotLeading, Refused, Undone, Unreachable
from podgroup_operator.api.wire.changing import Mark, has, read_mark, write_mark
from podgroup_operator.api.wire.metadata import version_of
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.difference import (
    Json,
    Target,
    changeable,
)
from podgroup_operator.core.model.actions import Change
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.observe.comparison import Comparison

logger = logging.getLogger(__name__)


class Changing:
    """The changes in place of one plan.

    Args:
        comparison: what is to be patched.
        cluster: where pods are read.
        writer: by which they are patched.
        progress: takes what becomes of it.
        now: seconds since the epoch.
    """

    def __init__(
        self, comparison: Comparison, cluster: Cluster, writer: Writer, progress: Progress, now: float
    ) -> None:
        self._comparison = comparison
        self._cluster = cluster
        self._writer = writer
        self._progress = progress
        self._now = now

    async def carry_out(self, plan: Plan) -> None:
        """Patch."""
        await start_slowly(plan.changes, self._change, IN_VAIN)

    async def _change(self, change: Change) -> bool:
        """Bring a pod a step further; False: that was refused."""
        pod, path = change.pod, pods_path(change.pod.namespace, change.pod.name)
        try:
            body = await (self._label(path, change) if change.last else self._patch(path, change))
        except NotLeading:
            self._progress.fenced = True
            return False
        except Refused as refusal:
            return self._refused(pod, refusal)
        except Unreachable as error:
            self._progress.written.unsure = True
            self._failed(pod, error)
            return False
        self._progress.accepted(Lane.CHANGE, pod.uid, version_of(body))
        return True

    async def _label(self, path: str, change: Change) -> Json:
        """Say of a pod that it is of another revision now."""
        metadata: Json = {
            "uid": change.pod.uid,
            "resourceVersion": str(change.pod.version),
            "labels": {names.LABEL_REVISION: change.revision},
            "annotations": {names.ANNOTATION_CHANGING: None},
        }
        return await self._writer.patch(path, {"metadata": metadata}, STRATEGIC_MERGE_PATCH)

    async def _patch(self, path: str, change: Change) -> Json:
        """Patch a pod's containers, unless it has changed since it was decided upon; give it as it is then."""
        body = await self._cluster.get(path)
        mark = self._mark(change, body) if version_of(body) == change.pod.version else None
        if mark is None:
            return body
        annotations = {names.ANNOTATION_CHANGING: write_mark(mark)}
        metadata: Json = {"uid": change.pod.uid, "resourceVersion": str(change.pod.version), "annotations": annotations}
        images = {name: {"image": image} for name, image in mark.images.items()}
        resources = {name: {"resources": wanted} for name, wanted in mark.resources.items()}
        first: Json = {"metadata": metadata} | ({} if resources else spec_of(images, body))
        body = await self._writer.patch(path, first, STRATEGIC_MERGE_PATCH)
        later: dict[str, dict[str, Json]] = {f"{path}/resize": resources, path: images} if resources else {}
        for place, containers in later.items():
            if containers:
                patch = {"metadata": {"uid": change.pod.uid}} | spec_of(containers, body)
                body = await self._writer.patch(place, patch, STRATEGIC_MERGE_PATCH)
        self._check(body, mark)
        return body

    def _mark(self, change: Change, body: Json) -> Mark | None:
        """Say what is to be patched in a pod, and how it stands; None if nobody knows.

        A pod that is on its way already says itself what is: that is finished whatever the template is by now.
        """
        written = (body["metadata"].get("annotations") or {}).get(names.ANNOTATION_CHANGING)
        before, target = read_mark(written), self._comparison.target
        if before and before.to == change.revision:
            return as_it_stands(before, body, self._now)
        return as_it_stands(self._begun(change, before, target), body, self._now) if target else None

    def _begun(self, change: Change, before: Mark | None, target: Target) -> Mark:
        """Say what is to be patched in a pod, also in one that has something of another template already."""
        images, resources = set[str](), set[str]()
        for origin in origins_of(change.pod):
            found = self._comparison.differences.get(origin)
            images |= found.images if found else set()
            resources |= found.resources if found else set()
        if before:
            images, resources = images | before.images.keys(), resources | before.resources.keys()
        return Mark(
            former=before.former if before else change.pod.revision,
            to=change.revision,
            since=self._now,
            images={name: target.images[name] for name in sorted(images & target.images.keys())},
            resources={name: resized(target, name) for name in sorted(resources & target.resources.keys())},
            restarts={},
        )

    def _check(self, body: Json, mark: Mark) -> None:
        """See to it that a pod has what was written.

        Raises:
            Undone: a policy on the way to the store has changed it.
        """
        containers = changeable(body["spec"])
        kept = all(containers[name]["image"] == image for name, image in mark.images.items()) and all(
            has(containers[name].get("resources") or {}, wanted) for name, wanted in mark.resources.items()
        )
        if not kept:
            self._progress.written.wrote(version_of(body))
            raise Undone("the containers")

    def _refused(self, pod: Pod, refusal: Refused) -> bool:
        """Note why a pod was not patched; True: it is gone, or has changed."""
        if refusal.code == NOT_FOUND or (refusal.code == UNPROCESSABLE and refusal.is_about_uid):
            return True
        if refusal.code == CONFLICT:  # it has changed, and the news of that is on its way
            self._progress.written.lanes[Lane.CHANGE].stick(pod.uid, refusal, self._progress.monotonic())
            return True
        if not refusal.is_verdict:
            self._progress.written.unsure = True
            self._failed(pod, refusal)
            return False
        logger.warning("pod=%s/%s cannot be changed in place and is replaced: %s", pod.namespace, pod.name, refusal)
        for origin in origins_of(pod):
            self._comparison.take(origin, None)
        if pod.changing:  # it may have to stay as it is
            self._progress.written.lanes[Lane.CHANGE].stick(pod.uid, refusal, self._progress.monotonic())
        self._progress.written.unsure = True  # the mark may have been written
        return False

    def _failed(self, pod: Pod, error: Refused | Unreachable) -> None:
        self._progress.held_up(Lane.CHANGE, error, f"Error patching pod {pod.name}: {error}", pod.uid)


def origins_of(pod: Pod) -> tuple[str, ...]:
    """Give the revisions of which a pod has something."""
    return (pod.changing.former, pod.changing.to) if pod.changing else (pod.revision,)

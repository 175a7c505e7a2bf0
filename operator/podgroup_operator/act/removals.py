"""Removals carried out, and what became of those that were not answered."""

from typing import Any

from podgroup_operator.act.progress import Progress
from podgroup_operator.act.slow_start import IN_VAIN, start_slowly
from podgroup_operator.api.cluster import Cluster, pods_path
from podgroup_operator.api.refusals import BUDGET, CONFLICT, NOT_FOUND, SERVER_ERROR, NotLeading, Refused, Unreachable
from podgroup_operator.api.wire.metadata import version_of
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.model.actions import How, Remove
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.observe.memory import Memory
from podgroup_operator.observe.written import Leaving

ASK_AFTER = 3.0
"""Seconds after which we ask what became of a pod that we removed and that the cache still shows as it was."""


ALLOW = (
    "It is tried again; with unhealthyPodEvictionPolicy: AlwaysAllow the PodDisruptionBudget lets go of what does not "
    "work."
)

LANES = {How.DELETE: Lane.REMOVE, How.FORCE: Lane.REMOVE, How.EVICT: Lane.EVICT}
DOING = {Lane.REMOVE: "deleting", Lane.EVICT: "evicting"}

Json = dict[str, Any]


class Removing:
    """The removals of one plan."""

    def __init__(self, writer: Writer, progress: Progress) -> None:
        self._writer = writer
        self._progress = progress

    async def carry_out(self, plan: Plan) -> None:
        """Remove what is too much, and what ails."""
        await start_slowly(plan.removes, self._remove, IN_VAIN)

    async def _remove(self, remove: Remove) -> bool:
        """Remove a pod; its end is no loss. What is not known to have been done is asked about before the next look."""
        pod, leaving, lane = remove.pod, self._progress.written.leaving, LANES[remove.how]
        leaving[pod.uid] = Leaving(pod, remove.why, self._progress.monotonic(), loss=remove.loss)
        try:
            body = await self._send(remove)
        except NotLeading:
            leaving.pop(pod.uid, None)
            self._progress.fenced = True
            return False
        except Refused as refusal:
            return self._removal_refused(remove, refusal)
        except Unreachable as error:
            self._failed(lane, pod, error)
            return False
        if pod.uid in leaving:  # the news of its end may have been faster than the answer
            leaving[pod.uid] = leaving[pod.uid]._replace(answered=True)
        self._progress.accepted(lane, pod.uid, version_of(body) if body.get("kind") == "Pod" else 0)
        self._progress.removed.append(remove)
        return True

    async def _send(self, remove: Remove) -> Json:
        """Delete or evict a pod as it was seen, and no other."""
        pod = remove.pod
        path = pods_path(pod.namespace, pod.name)
        if remove.how is How.EVICT:
            return await self._writer.evict(path, pod.namespace, pod.name, pod.uid, pod.version)
        grace = 0 if remove.how is How.FORCE else None
        return await self._writer.delete(path, pod.uid, pod.version, grace)

    def _removal_refused(self, remove: Remove, refusal: Refused) -> bool:
        """Note why a pod was not removed; False: it is still wanted."""
        pod, leaving, now = remove.pod, self._progress.written.leaving, self._progress.monotonic()
        lane = LANES[remove.how]
        if refusal.code == NOT_FOUND:  # it has gone without us; nothing may be decided until the cache shows it
            leaving[pod.uid] = Leaving(pod, remove.why, now, answered=True, loss=remove.loss)
            self._progress.written.unsure = True
            return True
        if refusal.code < SERVER_ERROR:  # else it may have been done all the same
            leaving.pop(pod.uid, None)
        if refusal.code == CONFLICT:  # it has changed, and the news of that is on its way
            self._progress.written.lanes[lane].stick(pod.uid, refusal, now)
            return True
        if BUDGET in refusal.causes:  # a person has said that no more pods may go, and that is nobody's fault
            why = f"Pod {pod.name} may not be evicted: {(refusal.budget or refusal.message).rstrip('.')}. {ALLOW}"
            self._progress.suppressed.append(why)
            self._progress.held_up(lane, refusal, why, pod.uid)
            return False
        self._failed(lane, pod, refusal)
        return False

    def _failed(self, lane: Lane, pod: Pod, error: Refused | Unreachable) -> None:
        what = f"Error {DOING[lane]} pod {pod.name}"
        self._progress.failed(lane, names.REASON_DELETE_FAILED, what, error, pod.uid)


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

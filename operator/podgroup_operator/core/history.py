"""History: how many finished pods are kept for a look, and which of them go.

ReplicaSet keeps every Failed pod until the pod garbage collector finds 12,500 of them; here
`healing.failedPodsHistoryLimit` bounds them, as a CronJob's failedJobsHistoryLimit bounds its Jobs. The newest stay.
Until all pods are Ready the last one of a streak of failures stays in any case: it says when the next may be tried
(`backoff.py`).
"""

from collections.abc import Sequence

from podgroup_operator.core.backoff import finish_of
from podgroup_operator.core.classify import FINISHED, is_active
from podgroup_operator.core.model import Delete, Desired, Pod, Streak


def litter(desired: Desired, kept: Sequence[Pod], found: Streak) -> tuple[Delete, ...]:
    """Delete the finished pods beyond the limit, oldest first."""
    finished = [pod for pod in kept if pod.deleted is None and pod.phase in FINISHED]
    finished.sort(key=lambda pod: (finish_of(pod), pod.epoch, pod.uid))
    old = finished[: max(len(finished) - desired.failed_pods_history_limit, 0)]
    ready = sum(is_active(pod) and pod.ready_since is not None for pod in kept)
    return tuple(Delete(pod) for pod in old if pod is not found.last or ready >= desired.replicas)

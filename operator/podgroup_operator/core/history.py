"""History: how many finished pods are kept for a look, and which of them go.

ReplicaSet keeps every Failed pod until the pod garbage collector finds 12,500 of them; here
`healing.failedPodsHistoryLimit` bounds them, as a CronJob's failedJobsHistoryLimit bounds its Jobs. The newest stay.
"""

from collections.abc import Iterable

from podgroup_operator.core.classify import FINISHED
from podgroup_operator.core.model import Delete, Desired, Pod


def litter(desired: Desired, kept: Iterable[Pod]) -> tuple[Delete, ...]:
    """Delete the finished pods beyond the limit, oldest first."""
    finished = [pod for pod in kept if pod.deleted is None and pod.phase in FINISHED]
    finished.sort(key=lambda pod: (pod.created, pod.epoch, pod.uid))
    return tuple(Delete(pod) for pod in finished[: max(len(finished) - desired.failed_pods_history_limit, 0)])

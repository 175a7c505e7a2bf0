"""Each pod of a group falls into exactly one bucket; decisions are arithmetic on buckets.

"Active" is ReplicaSet's word (IsPodActive in k8s.io/kubernetes pkg/controller/controller_utils.go): neither
finished nor being deleted. Only active pods count towards `replicas`.
"""

from collections.abc import Iterable
from enum import Enum

from podgroup_operator.core.model import Cause, Desired, Phase, Pod, PodReplacement

FINISHED = frozenset({Phase.FAILED, Phase.SUCCEEDED})


class Bucket(Enum):
    """Where a pod stands in its life, as its group sees it."""

    STARTING = "starting"  # active, not Ready
    READY = "ready"  # Ready, not yet for minReadySeconds
    AVAILABLE = "available"  # Ready for minReadySeconds
    TERMINATING = "terminating"  # asked to go, still there
    FAILED = "failed"
    SUCCEEDED = "succeeded"

    @property
    def active(self) -> bool:
        """Tell whether pods of this bucket count towards `replicas`."""
        return self in {Bucket.STARTING, Bucket.READY, Bucket.AVAILABLE}


def classify(pod: Pod, min_ready_seconds: int, now: float) -> Bucket:
    """Find the one bucket of a pod.

    Terminating wins over finished: a Failed pod that is being deleted is on its way, not one more to look into.
    (ReplicaSet's terminatingReplicas leaves such a pod out; it has no count of failed ones.) Without
    minReadySeconds a Ready pod is available whatever its node's clock says, as in ReplicaSet (IsPodAvailable).
    """
    if pod.deleted is not None:
        return Bucket.TERMINATING
    if pod.phase is Phase.FAILED:
        return Bucket.FAILED
    if pod.phase is Phase.SUCCEEDED:
        return Bucket.SUCCEEDED
    if pod.ready_since is None:
        return Bucket.STARTING
    if min_ready_seconds and now < pod.ready_since + min_ready_seconds:
        return Bucket.READY
    return Bucket.AVAILABLE


def is_active(pod: Pod) -> bool:
    """Tell whether a pod counts towards `replicas`."""
    return pod.deleted is None and pod.phase not in FINISHED


def leaving(desired: Desired, pods: Iterable[Pod]) -> int:
    """Count the group's pods that must be gone before others may take their places.

    With TerminationComplete these are the ones that are being deleted; one whose containers have all ended keeps
    nobody waiting (as a Job's `terminating`, KEP-3939).
    """
    if desired.pod_replacement is PodReplacement.TERMINATION_STARTED:
        return 0
    return sum(pod.controller == desired.uid and pod.deleted is not None and pod.phase not in FINISHED for pod in pods)


def next_available(pods: Iterable[Pod], min_ready_seconds: int, now: float) -> float | None:
    """Find the earliest time at which a Ready pod becomes available; None if none is waiting."""
    if not min_ready_seconds:
        return None
    times = (pod.ready_since + min_ready_seconds for pod in pods if is_active(pod) and pod.ready_since is not None)
    return min((time for time in times if time > now), default=None)


def cause_of_loss(before: Pod, after: Pod | None) -> Cause | None:
    """Say why an active pod ceased to be one, or None if it did not.

    Args:
        before: the pod as it was last seen.
        after: the pod as it is now; None if it is gone or no longer the group's.
    """
    if not is_active(before) or (after is not None and is_active(after)):
        return None
    last = after or before
    if last.evicted:
        return Cause.EVICTED
    if after is None or after.deleted is not None:
        return Cause.DELETED
    return Cause.SUCCEEDED if after.phase is Phase.SUCCEEDED else Cause.FAILED

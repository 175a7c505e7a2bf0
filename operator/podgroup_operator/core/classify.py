"""Each pod of a group falls into exactly one bucket; decisions are arithmetic on buckets.

"Active" is ReplicaSet's word (IsPodActive in k8s.io/kubernetes pkg/controller/controller_utils.go): neither
finished nor being deleted. Only active pods count towards `replicas`.
"""

from enum import IntEnum

from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Phase, Pod


class Bucket(IntEnum):
    """Where a pod stands in its life, as its group sees it; ordered, the active ones first."""

    STARTING = 0  # active, not Ready
    READY = 1  # Ready, not yet for minReadySeconds
    AVAILABLE = 2  # Ready for minReadySeconds
    TERMINATING = 3  # asked to go, still there
    FAILED = 4
    SUCCEEDED = 5


LAST_ACTIVE = Bucket.AVAILABLE
"""Pods of the buckets up to this one count towards `replicas`."""


def classify(pod: Pod, min_ready_seconds: int, now: float) -> Bucket:
    """Find the one bucket of a pod; the view counts by the same rules, in one pass (tests/properties/test_buckets.py).

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


def is_finished(pod: Pod) -> bool:
    """Tell whether a pod has come to its end by itself."""
    return pod.phase is Phase.FAILED or pod.phase is Phase.SUCCEEDED


def is_active(pod: Pod) -> bool:
    """Tell whether a pod counts towards `replicas`."""
    return pod.deleted is None and not is_finished(pod)


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

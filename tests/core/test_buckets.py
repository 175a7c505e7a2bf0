"""Counting: the bucket of each pod, and why it was lost."""

import pytest

from builders import NOW, gone, pod
from podgroup_operator.core.classify import LAST_ACTIVE, Bucket, cause_of_loss, classify, is_active, is_finished
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Phase, Pod

STARTING = pod(ready_since=None)

BUCKETS = {
    "a pod that nobody has scheduled is starting": (
        pod(phase=Phase.PENDING, node="", ready_since=None),
        0,
        Bucket.STARTING,
    ),
    "a running pod that is not Ready is starting": (STARTING, 0, Bucket.STARTING),
    "a pod whose node is silent is starting": (pod(phase=Phase.UNKNOWN, ready_since=None), 0, Bucket.STARTING),
    "a Ready pod is available without minReadySeconds": (pod(ready_since=NOW), 0, Bucket.AVAILABLE),
    "a Ready pod is available without minReadySeconds though its node's clock is ahead": (
        pod(ready_since=NOW + 5),
        0,
        Bucket.AVAILABLE,
    ),
    "a Ready pod waits for minReadySeconds": (pod(ready_since=NOW - 9.9), 10, Bucket.READY),
    "a Ready pod is available at minReadySeconds sharp": (pod(ready_since=NOW - 10), 10, Bucket.AVAILABLE),
    "a failed pod is failed, Ready or not": (pod(phase=Phase.FAILED), 0, Bucket.FAILED),
    "a pod that did its work has succeeded": (pod(phase=Phase.SUCCEEDED, ready_since=None), 0, Bucket.SUCCEEDED),
    "a Ready pod that is asked to go is terminating": (gone("web-0"), 0, Bucket.TERMINATING),
    "a failed pod that is asked to go is terminating": (gone("web-0", phase=Phase.FAILED), 0, Bucket.TERMINATING),
    "a succeeded pod that is asked to go is terminating": (gone("web-0", phase=Phase.SUCCEEDED), 0, Bucket.TERMINATING),
}


@pytest.mark.parametrize(("one", "min_ready_seconds", "bucket"), BUCKETS.values(), ids=BUCKETS.keys())
def test_each_pod_is_in_one_bucket(one: Pod, min_ready_seconds: int, bucket: Bucket) -> None:
    """A pod's bucket follows from its deletion, its phase and its readiness; active is what its bucket says."""
    assert bucket is classify(one, min_ready_seconds, NOW)
    assert (bucket <= LAST_ACTIVE) is is_active(one)
    assert is_finished(one) is (one.phase in {Phase.FAILED, Phase.SUCCEEDED})


LOSSES = {
    "a pod that lives on is no loss": (pod(), pod(restarts=(1, 0)), None),
    "a pod that was finished before is no loss when it goes": (pod(phase=Phase.FAILED), None, None),
    "a pod that was dying before is no loss when it goes": (gone("web-0"), None, None),
    "a pod that vanished was deleted": (pod(), None, Cause.DELETED),
    "a pod that is asked to go is deleted": (pod(), gone("web-0"), Cause.DELETED),
    "a pod that is asked to go was deleted though it fails on the way": (
        pod(),
        gone("web-0", phase=Phase.FAILED),
        Cause.DELETED,
    ),
    "a pod that failed is a failure": (pod(), pod(phase=Phase.FAILED), Cause.FAILED),
    "a pod that succeeded was wanted on": (pod(), pod(phase=Phase.SUCCEEDED), Cause.SUCCEEDED),
    "a pod that the kubelet evicted failed by eviction": (
        pod(),
        pod(phase=Phase.FAILED, evicted=True),
        Cause.EVICTED,
    ),
    "a pod that the eviction API asks to go is evicted": (pod(), gone("web-0", evicted=True), Cause.EVICTED),
    "a pod marked for eviction that vanished was evicted": (pod(evicted=True), None, Cause.EVICTED),
}


@pytest.mark.parametrize(("before", "after", "cause"), LOSSES.values(), ids=LOSSES.keys())
def test_a_loss_has_the_cause_that_was_seen_last(before: Pod, after: Pod | None, cause: Cause | None) -> None:
    """An active pod that ceases to be one was lost, and what is known last of it says why."""
    assert cause is cause_of_loss(before, after)

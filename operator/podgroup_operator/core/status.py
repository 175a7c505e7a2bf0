"""The status of a group: a pure function of what was observed and of what just came of the plan.

It is read back only for what cannot be observed: when a condition last changed, and the record of
replacements so far. The counts are ReplicaSet's and Deployment's, field by field.
"""

from collections import Counter
from dataclasses import replace

from podgroup_operator.core.backoff import streak
from podgroup_operator.core.claim import claim
from podgroup_operator.core.classify import Bucket, classify, is_active
from podgroup_operator.core.conditions import Tally, conditions
from podgroup_operator.core.model import Create, Desired, Healing, Observed, Outcome, Pod, Status


def summarize(desired: Desired, observed: Observed, outcome: Outcome, now: float) -> Status:
    """Tell how a group stands.

    Pods that were created or deleted a moment ago count as such: the API server has confirmed them.

    Args:
        desired: what the PodGroup asks for.
        observed: what was there when the plan was made.
        outcome: what became of the plan.
        now: seconds since the epoch.
    """
    deleted = {delete.pod.uid for delete in outcome.deleted}
    pods = [
        replace(pod, deleted=now) if pod.uid in deleted and pod.deleted is None else pod
        for pod in claim(desired, observed.pods).kept
    ]
    tally = count(desired, pods, len(outcome.created), now)
    return Status(
        observed_generation=desired.generation,
        replicas=tally.replicas,
        ready=tally.ready,
        available=tally.available,
        updated=tally.updated,
        unavailable=max(desired.replicas - tally.available, 0),
        fully_labeled=tally.fully_labeled,
        terminating=tally.terminating,
        failed=tally.failed,
        selector=str(desired.selector),
        healing=healing(observed.status.healing, pods, outcome.created, now),
        conditions=conditions(desired, observed, outcome, tally, now),
    )


def count(desired: Desired, pods: list[Pod], created: int, now: float) -> Tally:
    """Count the pods by bucket; the ones `created` just now are active and new, and nothing more yet."""
    buckets = Counter(classify(pod, desired.min_ready_seconds, now) for pod in pods)
    active = [pod for pod in pods if is_active(pod)]
    wanted = desired.template_labels.items()
    return Tally(
        replicas=len(active) + created,
        ready=buckets[Bucket.READY] + buckets[Bucket.AVAILABLE],
        available=buckets[Bucket.AVAILABLE],
        updated=sum(pod.revision == desired.revision for pod in active) + created,
        fully_labeled=sum(wanted <= pod.labels.items() for pod in active) + created,
        terminating=buckets[Bucket.TERMINATING],
        failed=buckets[Bucket.FAILED],
        streak=streak(desired, pods, now),
    )


def healing(previous: Healing, pods: list[Pod], created: tuple[Create, ...], now: float) -> Healing:
    """Carry the record of replacements on: those made now, and how long the last one took to be Ready."""
    heals = [(create, create.loss) for create in created if create.loss]
    if heals:
        create, loss = heals[-1]
        previous = replace(
            previous,
            total=previous.total + len(heals),
            last_time=now,
            last_cause=loss.cause.value,
            last_pod=loss.pod,
            last_replacement=create.name,
            last_recovery_seconds=None,
        )
    if previous.last_recovery_seconds is None:
        return replace(previous, last_recovery_seconds=recovery(previous.last_replacement, pods))
    return previous  # measured once: when the pod becomes Ready again some day, that is no recovery


def recovery(replacement: str, pods: list[Pod]) -> float | None:
    """Measure the seconds from a loss until its replacement was Ready; None while it is not.

    The moment at which it was seen to become Ready is exact; the API's own time has whole seconds.
    """
    for pod in pods:
        if pod.name == replacement and pod.lost_at is not None and pod.ready_since is not None:
            ready = pod.ready_since if pod.ready_seen is None else pod.ready_seen
            return round(max(ready - pod.lost_at, 0.0), 3)
    return None

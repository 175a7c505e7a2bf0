"""The status of a group: a pure function of what was observed and of what just came of the plan.

It is read back only for what cannot be observed: when a condition last changed, and the record of
replacements so far. The counts are ReplicaSet's and Deployment's, field by field.
"""

from collections import Counter

from podgroup_operator.core.apart import count_apart
from podgroup_operator.core.classify import LAST_ACTIVE, Bucket, classify
from podgroup_operator.core.conditions import conditions
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.plan import Outcome
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.record import healing
from podgroup_operator.core.rollout import advance, is_complete
from podgroup_operator.core.takeover import healed_from
from podgroup_operator.core.view import Tally, View


def summarize(view: View, outcome: Outcome, now: float) -> Status:
    """Tell how a group stands.

    Pods that were created or deleted a moment ago count as such: the API server has confirmed them.

    Args:
        view: what was there when the plan was made.
        outcome: what became of the plan.
        now: seconds since the epoch.
    """
    desired, tally, told = view.desired, after(view, outcome), view.observed.status
    rollout = advance(view, tally, outcome.removed, now)
    settled = is_complete(view, tally) and tally.updated == tally.replicas
    return Status(
        observed_generation=desired.generation,
        replicas=tally.replicas,
        ready=tally.ready,
        available=tally.available,
        updated=updated(view, tally, outcome),
        unavailable=max(meant(desired, tally) - tally.available, 0),
        fully_labeled=tally.fully_labeled,
        terminating=tally.terminating,
        failed=tally.failed,
        selector=str(desired.selector),
        healing=healing(view.observed.status.healing, view, outcome.unheard + outcome.created, now),
        current_revision=desired.revision if settled or begins(told, tally) else told.current_revision,
        update_revision=desired.update_revision,
        template_generation=desired.template_generation,
        last_available_revision=desired.revision if settled and tally.available else told.last_available_revision,
        rollout=rollout,
        healing_start=healed_from(view, now),
        conditions=conditions(view, tally, outcome, rollout, now),
    )


def updated(view: View, tally: Tally, outcome: Outcome) -> int:
    """Count the pods of spec.template; it was rolled back if the pods shall be of another, and may be refused."""
    desired, refusal = view.desired, view.observed.template_refusal
    if refusal and refusal.revision not in ("", desired.update_revision):
        return 0
    if desired.update_revision in ("", desired.revision):
        return tally.updated
    gone = {each.pod.uid for each in outcome.removed}
    return sum(pod.revision == desired.update_revision and pod.uid not in gone for pod in view.active)


def begins(told: Status, tally: Tally) -> bool:
    """Tell whether the first pods of a group have come, all of one revision: more may be made of it in a pause."""
    return not told.current_revision and tally.updated == tally.replicas > 0


def meant(desired: Desired, tally: Tally) -> int:
    """Count the pods that are meant to be there: in a rollout those of the surge too, as Deployment counts them."""
    if tally.updated == tally.replicas:
        return desired.replicas
    return max(desired.replicas, min(tally.replicas, desired.replicas + desired.strategy.surge(desired.replicas)))


def after(view: View, outcome: Outcome) -> Tally:
    """Count on: pods created just now are active, and nothing more yet; those removed are on their way."""
    desired, tally, created = view.desired, view.tally, outcome.created
    removed = [(classify(each.pod, desired.min_ready_seconds, view.now), each.pod) for each in outcome.removed]
    less, active = Counter(bucket for bucket, _ in removed), [pod for bucket, pod in removed if bucket <= LAST_ACTIVE]
    revision, labels = desired.revision, desired.template_labels.items()
    updated = sum(each.revision == revision for each in created) - sum(pod.revision == revision for pod in active)
    lost = sum(bucket is Bucket.AVAILABLE and pod.revision == revision for bucket, pod in removed)
    return Tally(
        replicas=tally.replicas + len(created) - len(active),
        ready=tally.ready - less[Bucket.READY] - less[Bucket.AVAILABLE],
        available=tally.available - less[Bucket.AVAILABLE],
        updated=tally.updated + updated,
        updated_available=tally.updated_available - lost,
        fully_labeled=tally.fully_labeled + len(created) - sum(labels <= pod.labels.items() for pod in active),
        terminating=tally.terminating + len(removed) - less[Bucket.TERMINATING],
        leaving=tally.leaving + len(active),
        failed=tally.failed - less[Bucket.FAILED],
        apart=count_apart(view, created, outcome.removed),
    )

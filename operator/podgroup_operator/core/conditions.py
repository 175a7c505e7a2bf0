"""The conditions of a group, in the words of Deployment and ReplicaSet where these have them.

Ready is the summary that `kubectl wait`, Helm and kstatus read: everything that was asked for is there and
available. Stalled (kstatus) means that waiting will not help: a person has to act, and the message says how.
Every condition is always there, so that it can be waited for; a condition's time changes only with its status
(metav1.Condition).
"""

from dataclasses import dataclass

from podgroup_operator.core import names
from podgroup_operator.core.backoff import CALM
from podgroup_operator.core.manifest import whole_seconds
from podgroup_operator.core.model import Condition, Desired, Failure, Observed, Outcome, Streak

READY, AVAILABLE, REPLICA_FAILURE, STALLED = "Ready", "Available", "ReplicaFailure", "Stalled"
OUR_TYPES = (READY, AVAILABLE, REPLICA_FAILURE, STALLED)

KEEPS_FAILING = 2
"""Failures in a row that are told; one may happen to anybody."""

EVERY_ONE_FAILS = 3
"""Failures in a row, with no pod Ready, after which a person has to look."""

FORBIDDEN = "A permission, a quota or a policy forbids it: have that changed. It is tried again by itself."


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pods there are, by what can be said of them."""

    replicas: int
    ready: int
    available: int
    updated: int
    fully_labeled: int
    terminating: int
    failed: int
    streak: Streak = CALM


@dataclass(frozen=True, slots=True)
class Finding:
    """What a condition says, before it is dated."""

    type: str
    status: str  # "True" or "False"
    reason: str
    message: str


def conditions(
    desired: Desired, observed: Observed, outcome: Outcome, tally: Tally, now: float
) -> tuple[Condition, ...]:
    """State all conditions, each dated by its last change of status."""
    standing = standing_failure(desired, observed, outcome, tally)
    stalled, failure = find_stalled(observed, standing, tally), find_failure(standing)
    findings = (
        find_ready(desired, observed, tally, stalled if stalled.status == "True" else failure),
        find_available(desired, tally),
        failure,
        stalled,
    )
    previous = {condition.type: condition for condition in observed.status.conditions}
    return tuple(date(finding, previous.get(finding.type), desired.generation, now) for finding in findings)


def date(finding: Finding, previous: Condition | None, generation: int, now: float) -> Condition:
    """Keep the time of the last change if the status is the same."""
    since = previous.since if previous and previous.status == finding.status else now
    return Condition(finding.type, finding.status, finding.reason, finding.message, generation, since)


def find_ready(desired: Desired, observed: Observed, tally: Tally, trouble: Finding) -> Finding:
    """Ready: exactly as many pods as asked for, all of them available; if not, the gravest reason why."""
    if observed.template_refusal:
        return Finding(READY, "False", trouble.reason, trouble.message)
    if tally.replicas == tally.available == desired.replicas:
        return Finding(READY, "True", "AllReplicasAvailable", f"All {desired.replicas} replicas are available.")
    if trouble.status == "True":
        return Finding(READY, "False", trouble.reason, trouble.message)
    if tally.replicas > desired.replicas:
        return Finding(READY, "False", "ScalingDown", f"{tally.replicas} replicas, {desired.replicas} wanted.")
    return Finding(
        READY,
        "False",
        "ReplicasNotAvailable",
        f"{tally.available} of {desired.replicas} replicas are available.",
    )


def find_available(desired: Desired, tally: Tally) -> Finding:
    """Available: at least `replicas` minus maxUnavailable, Deployment's 25 % rounded down, are available."""
    minimum = desired.replicas - desired.replicas * 25 // 100
    if tally.available >= minimum:
        return Finding(AVAILABLE, "True", "MinimumReplicasAvailable", "PodGroup has minimum availability.")
    return Finding(AVAILABLE, "False", "MinimumReplicasUnavailable", "PodGroup does not have minimum availability.")


def standing_failure(desired: Desired, observed: Observed, outcome: Outcome, tally: Tally) -> Failure | None:
    """Find what the API server refuses and is still needed."""
    if outcome.failures:
        return outcome.failures[0]
    refusal = observed.create_refusal
    if refusal and not outcome.created and tally.replicas < desired.replicas:
        return Failure(names.REASON_CREATE_FAILED, refusal.message, forbidden=refusal.forbidden)
    if tally.streak.failures >= KEEPS_FAILING and tally.ready < desired.replicas:
        return Failure(names.REASON_KEEP_FAILING, in_words(tally.streak))
    return None


def in_words(streak: Streak) -> str:
    """Tell how many pods have failed, what the node says of the last one, and when the next may be tried."""
    name, complaint = (streak.last.name, streak.last.complaint) if streak.last else ("", "")
    return (
        f"{streak.failures} pods have failed in a row; the last one is {name}"
        + (f": {complaint.rstrip('.')}" if complaint else "")
        + f". The next one is tried after {whole_seconds(streak.until)}."
    )


def find_failure(standing: Failure | None) -> Finding:
    """ReplicaFailure: a create or a delete that is still needed is refused, or what is created keeps failing."""
    if standing:
        return Finding(REPLICA_FAILURE, "True", standing.reason, standing.message)
    return Finding(REPLICA_FAILURE, "False", "NoFailure", "Every create and delete was accepted.")


def find_stalled(observed: Observed, standing: Failure | None, tally: Tally) -> Finding:
    """Stalled: no pod can be made from the template, every one fails, or what has to be done is forbidden."""
    if observed.template_refusal:
        message = f"{observed.template_refusal.message} Correct spec.template; pods that run are left as they are."
        return Finding(STALLED, "True", names.REASON_TEMPLATE_INVALID, message)
    if standing and standing.forbidden:
        return Finding(STALLED, "True", standing.reason, f"{standing.message.rstrip('.')}. {FORBIDDEN}")
    if standing and tally.streak.failures >= EVERY_ONE_FAILS and not tally.ready:
        advice = "Find out why (`kubectl describe pod`, `kubectl logs`), then correct spec.template or the nodes."
        return Finding(STALLED, "True", standing.reason, f"{standing.message} {advice} It is tried again by itself.")
    return Finding(STALLED, "False", "NotStalled", "Nothing needs a person.")

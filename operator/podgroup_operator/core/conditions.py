"""The conditions of a group, in the words of Deployment and ReplicaSet where these have them.

Ready is the summary that `kubectl wait`, Helm and kstatus read: everything that was asked for is there and
available. Stalled (kstatus) means that waiting will not help: a person has to act, and the message says how.
Every condition is always there, so that it can be waited for; a condition's time changes only with its status
(metav1.Condition).
"""

import math
from dataclasses import dataclass

from podgroup_operator.core import names
from podgroup_operator.core.backoff import in_words
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.plan import Failure, Outcome
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.status import Condition, Rollout, Status
from podgroup_operator.core.model.strategy import StrategyType
from podgroup_operator.core.progressing import came_back, find_progressing, kept_in_words
from podgroup_operator.core.rollout import GOES_ON, has_rolled, is_complete, next_tick
from podgroup_operator.core.view import Tally, View
from podgroup_operator.core.waiting import waiting_in_words
from podgroup_operator.core.ward import in_words as ward_in_words
from podgroup_operator.core.ward import ward_of

READY, AVAILABLE, PROGRESSING, REPLICA_FAILURE, STALLED = (
    "Ready",
    "Available",
    "Progressing",
    "ReplicaFailure",
    "Stalled",
)
OUR_TYPES = (READY, AVAILABLE, PROGRESSING, REPLICA_FAILURE, STALLED)

KEEPS_FAILING = 2
"""Failures in a row that are told; one may happen to anybody."""

EVERY_ONE_FAILS = 3
"""Failures in a row, with no pod Ready, after which a person has to look."""

PATIENCE = 60.0
"""Seconds for which something must have been wrong without a break until a person has to look."""

LONG_PATIENCE = 600.0
"""Seconds, where nothing is forbidden: an API server, or a webhook, that is ill is mostly well again by then."""

LONGEST_MESSAGE = 4096
"""Characters; the API takes 32,768, and of a longer one it refuses the whole status."""

LOOK = "Find out why (`kubectl describe pod`, `kubectl logs`), then correct spec.template or the nodes. "
AGAIN = "It is tried again by itself."
LEFT = "Their nodes go on starting them; none is moved before one gets well or spec.template changes."
FORBIDDEN = "A permission, a quota or a policy forbids it: have that changed. It is tried again by itself."
UNWELL = (
    "It has been so for ten minutes: see whether what is named here, or the API server, is well. It is tried again."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a condition says, before it is dated."""

    type: str
    status: str  # "True", "False" or "Unknown"
    reason: str
    message: str


def conditions(view: View, tally: Tally, outcome: Outcome, rollout: Rollout, now: float) -> tuple[Condition, ...]:
    """State all conditions, each dated by its last change of status."""
    desired = view.desired
    previous = {condition.type: condition for condition in view.observed.status.conditions}
    standing = standing_failure(view, tally, outcome)
    failure = find_failure(standing)
    since = date(failure, previous.get(REPLICA_FAILURE), desired.generation, now).since
    stalled = find_stalled(view, tally, standing, now - since)
    if rollout.rolled_back_from and stalled.status != "True":
        stalled = Finding(STALLED, "True", names.REASON_ROLLED_BACK, came_back(view, rollout))
    progressing = Finding(PROGRESSING, *find_progressing(view, tally, rollout, now))
    findings = (
        find_ready(view, tally, rollout, stalled if stalled.status == "True" else failure, progressing),
        find_available(desired, tally),
        progressing,
        failure,
        stalled,
    )
    return tuple(date(finding, previous.get(finding.type), desired.generation, now) for finding in findings)


def date(finding: Finding, previous: Condition | None, generation: int, now: float) -> Condition:
    """Keep the time of the last change if the status is the same; one that is yet to come is another clock's."""
    since = min(previous.since, now) if previous and previous.status == finding.status else now
    return Condition(finding.type, finding.status, finding.reason, cut(finding.message), generation, since)


def cut(message: str) -> str:
    """Cut a message that is longer than a condition may have, or anybody would read."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]} ... (cut)"


def advise(message: str, advice: str) -> str:
    """Put what a person can do behind what is wrong, as a sentence of its own."""
    return f"{message.rstrip('.')}. {advice}" if advice else message


def changes_at(view: View, told: Status, now: float) -> float | None:
    """Give when time alone changes what is told: a failure that goes on needs a person, a rollout has a deadline."""
    stated = {condition.type: condition for condition in told.conditions}
    times = [next_tick(view, told.rollout)] if stated[PROGRESSING].reason == GOES_ON else []
    if stated[REPLICA_FAILURE].status == "True" and stated[STALLED].status == "False":
        times += [stated[REPLICA_FAILURE].since + patience for patience in (PATIENCE, LONG_PATIENCE)]
    return min((time for time in times if now < time < math.inf), default=None)


def find_ready(view: View, tally: Tally, rollout: Rollout, trouble: Finding, progressing: Finding) -> Finding:
    """Ready: as many pods as asked for, all available, and as many of the new template as the strategy lets go.

    If not, the gravest reason why.
    """
    desired = view.desired
    if given_up := find_given_up(view, rollout, progressing):
        return Finding(READY, "False", *given_up)
    kept = kept_in_words(view, tally)
    if is_complete(view, tally):
        return Finding(READY, "True", "AllReplicasAvailable", f"All {desired.replicas} replicas are available.{kept}")
    if trouble.status == "True":
        return Finding(READY, "False", trouble.reason, trouble.message)
    if tally.updated < tally.replicas and not has_rolled(view, tally):
        reason = "Paused" if desired.paused else progressing.reason
        return Finding(READY, "False", reason, progressing.message)
    if tally.replicas - tally.apart > desired.replicas:
        return Finding(READY, "False", "ScalingDown", f"{tally.replicas} replicas, {desired.replicas} wanted.{kept}")
    return Finding(
        READY,
        "False",
        "ReplicasNotAvailable",
        f"{tally.available} of {desired.replicas} replicas are available.{waiting_in_words(view)}",
    )


def find_given_up(view: View, rollout: Rollout, progressing: Finding) -> tuple[str, str] | None:
    """Give the reason and the words if spec.template is not pursued, for it is refused or has missed its deadline."""
    if refusal := view.observed.template_refusal:
        return names.REASON_TEMPLATE_INVALID, advise(refusal.message, refusal.advice)
    return (names.REASON_ROLLED_BACK, progressing.message) if rollout.rolled_back_from else None


def find_available(desired: Desired, tally: Tally) -> Finding:
    """Available: at least `replicas` minus the strategy's maxUnavailable are; with Recreate and OnDelete all."""
    rolling = desired.strategy.type is StrategyType.ROLLING_UPDATE
    minimum = desired.least_available if rolling else desired.replicas
    if tally.available >= minimum:
        return Finding(AVAILABLE, "True", "MinimumReplicasAvailable", "PodGroup has minimum availability.")
    return Finding(AVAILABLE, "False", "MinimumReplicasUnavailable", "PodGroup does not have minimum availability.")


def standing_failure(view: View, tally: Tally, outcome: Outcome) -> Failure | None:
    """Find what the API server refuses and is still needed."""
    if outcome.failures:
        return outcome.failures[0]
    missing = view.desired.replicas - tally.replicas + tally.apart
    lanes = (
        (Lane.CREATE, names.REASON_CREATE_FAILED, missing > 0 and not outcome.created),
        (Lane.SURGE, names.REASON_CREATE_FAILED, not has_rolled(view, tally) and not outcome.created),
        (Lane.REMOVE, names.REASON_DELETE_FAILED, missing < 0),
        (Lane.EVICT, names.REASON_DELETE_FAILED, True),
        (Lane.REVISE, names.REASON_CREATE_FAILED, True),
        (Lane.CLAIM, names.REASON_CREATE_FAILED, view.captive + view.barred > 0),
    )
    for lane, reason, needed in lanes:
        refusal = view.observed.held.get(lane)
        if refusal and needed:
            return Failure(reason, refusal.message, forbidden=refusal.forbidden)
    if view.streak.failures >= KEEPS_FAILING and tally.ready < view.desired.replicas:
        return Failure(names.REASON_KEEP_FAILING, in_words(view.streak))
    ward = ward_of(view)
    return Failure(names.REASON_KEEP_FAILING, ward_in_words(ward)) if ward.at_fault else None


def find_failure(standing: Failure | None) -> Finding:
    """ReplicaFailure: a create or a delete that is still needed is refused, or what is created keeps failing."""
    if standing:
        return Finding(REPLICA_FAILURE, "True", standing.reason, standing.message)
    return Finding(REPLICA_FAILURE, "False", "NoFailure", "Every create and delete was accepted.")


def find_stalled(view: View, tally: Tally, standing: Failure | None, seconds: float) -> Finding:
    """Stalled: waiting will not help. No pod can be made of the template; or what else is wrong has been so for long.

    A quota that is full while an old pod ends, or a ServiceAccount that is made a moment later, mends itself; and some
    tools give up at the first Stalled that they see.

    Args:
        view: the group.
        tally: how many pods there are of what.
        standing: what is refused, or keeps failing.
        seconds: for how long that has been so without a break.
    """
    refusal = view.observed.template_refusal
    if refusal and refusal.advice:
        return Finding(STALLED, "True", names.REASON_TEMPLATE_INVALID, advise(refusal.message, refusal.advice))
    if standing and (advice := find_advice(view, tally, standing, seconds)):
        return Finding(STALLED, "True", standing.reason, advise(standing.message, advice))
    return Finding(STALLED, "False", "NotStalled", "Nothing needs a person.")


def find_advice(view: View, tally: Tally, standing: Failure, seconds: float) -> str:
    """Say what a person can do about what has been wrong for so long; "" if it is too early to say."""
    if seconds >= PATIENCE and standing.forbidden:
        return FORBIDDEN
    if standing.reason != names.REASON_KEEP_FAILING:
        return UNWELL if seconds >= LONG_PATIENCE else ""
    if seconds < PATIENCE or tally.ready:
        return ""
    if view.streak.failures >= EVERY_ONE_FAILS:
        return LOOK + AGAIN
    return LOOK + LEFT if ward_of(view).at_fault else ""

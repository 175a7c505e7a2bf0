"""Telling: Events, metrics, one log line and one status, all from the same plan and its outcome."""

import logging
from typing import Any

from podgroup_operator import metrics
from podgroup_operator.api.cluster import podgroups_path
from podgroup_operator.api.refusals import Refused
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.model.actions import How
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.plan import Outcome, Plan
from podgroup_operator.core.model.status import Status
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.observe.told import Told
from podgroup_operator.tell.heals import announce_heals
from podgroup_operator.tell.recorder import Recorder

Json = dict[str, Any]

STATUS_INTERVAL = 0.25  # seconds between two status writes of a group: a mass heal is told in a few, not in hundreds

DONE = {How.DELETE: "Deleted", How.FORCE: "Deleted", How.EVICT: "Evicted"}

logger = logging.getLogger(__name__)


def announce(desired: Desired, plan: Plan, outcome: Outcome, recorder: Recorder, now: float) -> None:
    """Tell what was done to a group: Events for people, metrics for dashboards, a line for the log."""
    for create in outcome.unheard + outcome.created:
        recorder.record(desired, "Normal", names.REASON_CREATED, f"Created pod: {create.name}")
        metrics.creates.inc()
    announce_heals(desired, outcome.unheard + outcome.created, recorder, now)
    for remove in outcome.removed:
        recorder.record(desired, "Normal", names.REASON_DELETED, f"{DONE[remove.how]} pod: {remove.pod.name}")
        metrics.deletes.inc()
    for reason, message in dict.fromkeys((each.reason, each.note or each.message) for each in outcome.failures):
        recorder.record(desired, "Warning", reason, message)
        metrics.failures.labels(reason).inc()
    for message in dict.fromkeys(outcome.suppressed):
        recorder.record(desired, "Warning", names.REASON_SUPPRESSED, message)
        metrics.suppressed.labels("budget").inc()
    level = logging.DEBUG if plan.empty else logging.INFO
    logger.log(level, "%s", line(desired, plan, outcome))


def announce_held(desired: Desired, plan: Plan, told: Told, recorder: Recorder) -> None:
    """Tell, once for each reason, that replacements are held back."""
    if plan.held and plan.why_held != told.held:
        wait = "replacement waits" if plan.held == 1 else "replacements wait"
        note = f"Back-off: {plan.held} {wait}. {plan.why_held}"
        recorder.record(desired, "Warning", names.REASON_SUPPRESSED, note)
        metrics.suppressed.labels("backoff").inc()
    told.held = plan.why_held


def announce_suppressed(desired: Desired, plan: Plan, told: Told, recorder: Recorder) -> None:
    """Tell, once for each reason, that pods that ail are left."""
    if plan.suppressed and plan.suppressed != told.suppressed:
        recorder.record(desired, "Warning", names.REASON_SUPPRESSED, plan.suppressed)
        metrics.suppressed.labels("healing").inc()
    told.suppressed = plan.suppressed


def announce_rollback(group: Group, status: Status, told: Told, recorder: Recorder) -> None:
    """Tell, once, that the pods are taken back to an earlier revision."""
    bad, before = status.rollout.rolled_back_from, group.told.rollout.rolled_back_from
    if bad and bad not in {before, told.rolled_back}:
        why = next((each.message for each in status.conditions if each.reason == names.REASON_ROLLED_BACK), "")
        recorder.record(group.desired, "Warning", names.REASON_ROLLED_BACK, why)
    told.rolled_back = bad


def line(desired: Desired, plan: Plan, outcome: Outcome) -> str:
    """Sum a look up in one line of key=value pairs."""
    fields = {
        "group": f"{desired.namespace}/{desired.name}",
        "replicas": desired.replicas,
        "missing": plan.missing,
        "adopts": len(plan.adopts),
        "releases": len(plan.releases),
        "created": f"{len(outcome.created)}/{len(plan.creates)}",
        "held": plan.held,
        "removed": f"{len(outcome.removed)}/{len(plan.removes)}",
        "failures": len(outcome.failures),
    }
    return " ".join(f"{key}={value}" for key, value in fields.items())


async def write_status(group: Group, status: Json, writer: Writer, groups: GroupStore) -> bool:
    """Send the status; the version that it was made for is a precondition, so nobody's condition is overwritten.

    Returns:
        Whether it was written; else the object has changed or is gone, and the news of that should be on its way.

    Raises:
        Refused: it is not taken.
        Unreachable: there was no answer.
    """
    metrics.status_writes.inc()
    metadata = {"uid": group.uid, "resourceVersion": group.body["metadata"]["resourceVersion"]}
    listing = groups.listing
    try:
        body = await writer.patch(f"{podgroups_path(*group.key)}/status", {"metadata": metadata, "status": status})
    except Refused as refusal:
        if refusal.is_outdated:
            return False
        raise
    groups.answered(group, body, listing)
    return True

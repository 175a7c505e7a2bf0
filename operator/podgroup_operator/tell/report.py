"""Telling: Events, metrics, one log line and one status, all from the same plan and its outcome."""

import logging
import time
from typing import Any

from podgroup_operator import metrics
from podgroup_operator.api.cluster import CONFLICT, NOT_FOUND, UNPROCESSABLE, Refused, podgroups_path
from podgroup_operator.api.wire import shows
from podgroup_operator.api.writer import Writer
from podgroup_operator.core import names
from podgroup_operator.core.manifest import whole_seconds
from podgroup_operator.core.model import Create, Desired, Outcome, Plan
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.observe.ledger import Ledger
from podgroup_operator.tell.recorder import Recorder

Json = dict[str, Any]

STATUS_INTERVAL = 0.25  # seconds between two status writes of a group: a mass heal is told in a few, not in hundreds

logger = logging.getLogger(__name__)


def announce(desired: Desired, plan: Plan, outcome: Outcome, recorder: Recorder, now: float) -> None:
    """Tell what was done to a group: Events for people, metrics for dashboards, a line for the log."""
    for create in outcome.created:
        recorder.record(desired, "Normal", names.REASON_CREATED, f"Created pod: {create.name}")
        metrics.creates.inc()
        if create.loss:
            announce_heal(desired, create, recorder, now)
    for delete in outcome.deleted:
        recorder.record(desired, "Normal", names.REASON_DELETED, f"Deleted pod: {delete.pod.name}")
        metrics.deletes.inc()
    for reason, message in dict.fromkeys((each.reason, each.note or each.message) for each in outcome.failures):
        recorder.record(desired, "Warning", reason, message)
        metrics.failures.labels(reason).inc()
    level = logging.DEBUG if plan.empty else logging.INFO
    logger.log(level, "%s", line(desired, plan, outcome))


def announce_heal(desired: Desired, create: Create, recorder: Recorder, now: float) -> None:
    """Tell that a lost pod has been replaced, why it was lost and how long that took."""
    if create.loss is None:
        return
    cause, seconds = create.loss.cause.value, max(now - create.loss.at, 0.0)
    metrics.heals.labels(cause).inc()
    if create.loss.pod:
        metrics.heal_seconds.labels(cause).observe(seconds)
    note = f"Replaced pod {create.loss.pod or '(unknown)'} ({cause}) by {create.name} after {seconds:.3f} s"
    recorder.record(desired, "Normal", names.REASON_HEALED, note)


def announce_streak(desired: Desired, plan: Plan, ledger: Ledger, recorder: Recorder) -> None:
    """Tell, once for each failure, that replacements are held back, for pods keep failing."""
    streak = plan.streak
    if plan.held and streak.failures > ledger.suppressed and streak.last:
        note = (
            f"Back-off: {streak.failures} pods have failed in a row, {streak.last.name} last; {plan.held} replacements "
            f"wait. The next one is tried after {whole_seconds(streak.until)}."
        )
        recorder.record(desired, "Warning", names.REASON_SUPPRESSED, note)
        metrics.suppressed.labels("backoff").inc()
    ledger.suppressed = streak.failures if plan.held else min(ledger.suppressed, streak.failures)


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
        "deleted": f"{len(outcome.deleted)}/{len(plan.deletes)}",
        "failures": len(outcome.failures),
    }
    return " ".join(f"{key}={value}" for key, value in fields.items())


def status_due(group: Group, status: Json, ledger: Ledger) -> float | None:
    """Tell in how many seconds a status may be written, for the last one may have been a moment ago; 0 is now.

    Returns:
        None if there is nothing to write: the object has it already.
    """
    if shows(group.body.get("status") or {}, status):
        return None
    now = time.monotonic()
    if now < ledger.status_due:
        return ledger.status_due - now
    ledger.status_due = now + STATUS_INTERVAL
    return 0.0


async def write_status(group: Group, status: Json, writer: Writer, groups: GroupStore) -> None:
    """Send the status; the version that it was made for is a precondition, so nobody's condition is overwritten."""
    metrics.status_writes.inc()
    metadata = {"uid": group.uid, "resourceVersion": group.body["metadata"]["resourceVersion"]}
    listing = groups.listing
    try:
        body = await writer.patch(f"{podgroups_path(*group.key)}/status", {"metadata": metadata, "status": status})
    except Refused as refusal:
        if refusal.code not in {NOT_FOUND, CONFLICT, UNPROCESSABLE}:
            raise
        return  # the object has changed or is gone, and the news of that is on its way to us
    groups.answered(group, body, listing)

"""A PodGroup's status: read back for what it alone remembers, and written."""

from collections.abc import Iterable
from typing import Any

from podgroup_operator.api import oddities
from podgroup_operator.api.fields import Fields
from podgroup_operator.api.wire.conditions import read_conditions, write_conditions
from podgroup_operator.api.wire.metadata import full_name
from podgroup_operator.core import names
from podgroup_operator.core.manifest import micro_time
from podgroup_operator.core.model.status import Heal, Healing, Rollout, Status

Json = dict[str, Any]


def read_status(body: Json) -> Status:
    """Read back what a status alone remembers: the counts told last, our conditions, the record of replacements.

    What cannot be read is as if it had never been told; the next status is written over it.
    """
    fields = Fields(body)
    status = fields.map("status")
    read = Status(
        observed_generation=status.number("observedGeneration"),
        replicas=status.number("replicas", least=0),
        available=status.number("availableReplicas", least=0),
        updated=status.number("updatedReplicas", least=0),
        current_revision=status.text("currentRevision"),
        update_revision=status.text("updateRevision"),
        template_generation=status.number("templateGeneration", least=0),
        last_available_revision=status.text("lastAvailableRevision"),
        rollout=read_rollout(status.map("rollout")),
        healing_start=status.time("healingStartTime"),
        conditions=read_conditions(status),
        healing=read_healing(status.map("healing")),
    )
    if fields.odd:
        oddities.note(names.KIND, full_name(fields.map("metadata")), fields.odd)
    return read


def read_rollout(rollout: Fields) -> Rollout:
    """Read how far the way to a revision has come; nothing if nobody can tell since when it is gone."""
    start, progress = rollout.time("startTime"), rollout.time("lastProgressTime")
    if start is None or progress is None:
        return Rollout()
    return Rollout(
        revision=rollout.text("revision"),
        start=start,
        last_progress=progress,
        updated_most=rollout.number("updatedMost", least=0),
        available_most=rollout.number("availableMost", least=0),
        first_available=rollout.time("firstAvailable"),
        rolled_back_from=rollout.text("rolledBackFrom"),
    )


def read_healing(healing: Fields) -> Healing:
    """Read the record of replacements; of the last one nothing is known if not when it was."""
    total, last_time = healing.number("total", least=0), healing.time("lastTime")
    if last_time is None:
        return Healing(total)
    return Healing(
        total=total,
        last_time=last_time,
        last_cause=healing.text("lastCause"),
        last_pod=healing.text("lastPod"),
        last_replacement=healing.text("lastReplacement"),
        last_recovery_seconds=healing.real("lastRecoverySeconds"),
        by_cause=read_counts(healing.map("byCause")),
        recent=tuple(heal for each in healing.maps("recent") if (heal := read_heal(each))),
    )


def read_counts(counts: Fields) -> tuple[tuple[str, int], ...]:
    """Read how many pods were replaced for each cause."""
    return tuple(sorted((cause, number) for cause in counts.keys() if (number := counts.number(cause, least=0))))  # noqa: SIM118 - they are no dict


def read_heal(heal: Fields) -> Heal | None:
    """Read one of the last replacements; None if nobody can tell when it was."""
    lost, created = heal.time("lostTime"), heal.real("createdSeconds")
    if lost is None or created is None:
        return None
    began = heal.time("sinceTime")
    return Heal(
        number=heal.number("number", least=0),
        cause=heal.text("cause"),
        pod=heal.text("pod"),
        node=heal.text("node"),
        seen=heal.text("seen"),
        replacement=heal.text("replacement"),
        lost=lost,
        began=lost if began is None else began,
        created=created,
        noticed=heal.real("noticedSeconds") or 0.0,
        decided=heal.real("decidedSeconds") or 0.0,
        waited=heal.real("waitedSeconds") or 0.0,
        waited_for=heal.text("waitedFor"),
        scheduled=heal.real("scheduledSeconds"),
        ready=heal.real("readySeconds"),
        replacement_node=heal.text("replacementNode"),
        attempt=heal.number("attempt", least=0),
        approximate=heal.flag("approximate"),
        unusual=heal.real("timesUsual"),
    )


def write_status(status: Status, replicas: int, before: Json) -> Json:
    """Write a status for the API; conditions of types that are not ours are kept as they are in `before`.

    Args:
        status: what the core found.
        replicas: how many are wanted, for the READY column.
        before: the status that the object has.
    """
    return {
        "observedGeneration": status.observed_generation,
        "replicas": status.replicas,
        "readyReplicas": status.ready,
        "availableReplicas": status.available,
        "updatedReplicas": status.updated,
        "unavailableReplicas": status.unavailable,
        "fullyLabeledReplicas": status.fully_labeled,
        "terminatingReplicas": status.terminating,
        "failedReplicas": status.failed,
        "ready": f"{status.ready}/{replicas}",
        "selector": status.selector,
        "currentRevision": status.current_revision or None,
        "updateRevision": status.update_revision or None,
        "templateGeneration": status.template_generation or None,
        "lastAvailableRevision": status.last_available_revision or None,
        "rollout": write_rollout(status.rollout),
        "healingStartTime": None if status.healing_start is None else micro_time(status.healing_start),
        "healing": write_healing(status.healing, Fields(before).map("healing").keys()),
        "conditions": write_conditions(status.conditions, before),
    }


def write_rollout(rollout: Rollout) -> Json | None:
    """Write how far the way to a revision has come; None takes it out of the object."""
    if not rollout.revision:
        return None
    first = rollout.first_available
    return {
        "revision": rollout.revision,
        "startTime": micro_time(rollout.start),
        "lastProgressTime": micro_time(rollout.last_progress),
        "updatedMost": rollout.updated_most,
        "availableMost": rollout.available_most,
        "firstAvailable": None if first is None else micro_time(first),
        "rolledBackFrom": rollout.rolled_back_from or None,
    }


def write_healing(healing: Healing, known: Iterable[str]) -> Json:
    """Write the record of replacements; None takes a field out of the object (a merge patch's null).

    Args:
        healing: the record.
        known: the fields that the object has.
    """
    if healing.last_time is None:
        return {"total": healing.total} | {key: None for key in known if key != "total"}
    return {
        "total": healing.total,
        "lastTime": micro_time(healing.last_time),
        "lastCause": healing.last_cause,
        "lastPod": healing.last_pod,
        "lastReplacement": healing.last_replacement,
        "lastRecoverySeconds": healing.last_recovery_seconds,
        "byCause": dict(healing.by_cause),
        "recent": [write_heal(heal) for heal in healing.recent],
    }


def write_heal(heal: Heal) -> Json:
    """Write one of the last replacements; what is not known is left out, for in a list no null takes a field out."""
    told = {
        "number": heal.number,
        "cause": heal.cause,
        "pod": heal.pod,
        "node": heal.node,
        "seen": heal.seen,
        "attempt": heal.attempt or None,
        "replacement": heal.replacement,
        "replacementNode": heal.replacement_node,
        "sinceTime": None if heal.began == heal.lost else micro_time(heal.began),
        "lostTime": micro_time(heal.lost),
        "noticedSeconds": heal.noticed,
        "decidedSeconds": heal.decided,
        "waitedSeconds": heal.waited or None,
        "waitedFor": heal.waited_for,
        "createdSeconds": heal.created,
        "scheduledSeconds": heal.scheduled,
        "readySeconds": heal.ready,
        "recoverySeconds": heal.recovery,
        "approximate": heal.approximate or None,
        "timesUsual": heal.unusual,
    }
    return {key: value for key, value in told.items() if value not in ("", None)}


def shows(body: object, patch: Json) -> bool:
    """Tell whether an object already has everything that a merge patch would set."""
    if not isinstance(body, dict):
        return False
    return all(
        shows(body.get(key) or {}, value) if isinstance(value, dict) else body.get(key) == value
        for key, value in patch.items()
    )

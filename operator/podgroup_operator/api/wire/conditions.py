"""Conditions of a status: ours are read and written, those of others are kept."""

from collections.abc import Iterable
from typing import Any

from podgroup_operator.api.fields import Fields
from podgroup_operator.core.conditions import OUR_TYPES
from podgroup_operator.core.manifest import whole_seconds
from podgroup_operator.core.model.status import Condition

Json = dict[str, Any]

LONGEST_MESSAGE = 8192  # characters of a condition; the CRD has room for four times as many
CUT = " [...]"  # ends a message that was longer


def read_conditions(status: Fields) -> tuple[Condition, ...]:
    """Read those of our types."""
    conditions = (read_condition(each) for each in status.maps("conditions") if each.raw("type") in OUR_TYPES)
    return tuple(condition for condition in conditions if condition)


def read_condition(condition: Fields) -> Condition | None:
    """Read a metav1.Condition; None if nobody can tell since when it holds."""
    since = condition.time("lastTransitionTime")
    if since is None:
        return None
    return Condition(
        type=condition.text("type"),
        status=condition.text("status"),
        reason=condition.text("reason"),
        message=condition.text("message"),
        observed_generation=condition.number("observedGeneration"),
        since=since,
    )


def write_conditions(conditions: Iterable[Condition], before: Json) -> list[Json]:
    """Write our conditions, after those of others that the status has already."""
    known = before.get("conditions")
    foreign = [
        each
        for each in (known if isinstance(known, list) else ())
        if isinstance(each, dict) and each.get("type") not in OUR_TYPES
    ]
    return foreign + [write_condition(condition) for condition in conditions]


def write_condition(condition: Condition) -> Json:
    """Write a metav1.Condition; its time has whole seconds."""
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": cut(condition.message),
        "observedGeneration": condition.observed_generation,
        "lastTransitionTime": whole_seconds(condition.since),
    }


def cut(message: str) -> str:
    """Shorten a message to what a condition has room for, so that it is seen."""
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - len(CUT)] + CUT

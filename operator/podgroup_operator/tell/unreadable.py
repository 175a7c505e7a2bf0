"""What is told of a PodGroup whose spec cannot be read: that it is so, and that nothing is done for it.

Its counts stay as they are, for without a selector nobody knows which pods are its own.
"""

from typing import Any

from podgroup_operator.api.wire.conditions import write_conditions
from podgroup_operator.api.wire.status import read_status
from podgroup_operator.core.conditions import READY, STALLED, Finding, date
from podgroup_operator.observe.groups import Group

Json = dict[str, Any]

REASON = "SpecUnreadable"


def unreadable_status(group: Group, now: float) -> Json:
    """Give what is to be merged into the status."""
    desired = group.desired
    before, previous = group.status, {condition.type: condition for condition in read_status(group.body).conditions}
    message = (
        f"{desired.unreadable} cannot be read. Correct it; until then nothing is done for this PodGroup, and pods that "
        "run are left as they are."
    )
    findings = (Finding(READY, "False", REASON, message), Finding(STALLED, "True", REASON, message))
    dated = {each.type: date(each, previous.get(each.type), desired.generation, now) for each in findings}
    conditions = tuple((previous | dated).values())
    return {"observedGeneration": desired.generation, "conditions": write_conditions(conditions, before)}

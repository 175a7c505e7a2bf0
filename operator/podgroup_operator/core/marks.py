"""Marks: what we write on a pod when we make it, and what others may take off it, on its way to the store or later.

The back-off reads off the pods how many have failed in a row, and of which template. Where a policy writes the
annotations of new pods anew, or takes a label off them, it would read that none has. So what was sent counts where the
pod itself says nothing (KusionStack/resourceconsist#23).
"""

from collections.abc import Mapping
from typing import Any

from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.pod import Pod

UNMARKED: Mapping[str, Any] = {
    "slot": None,
    "epoch": 0,
    "revision": "",
    "replaces": "",
    "lost_at": None,
    "failures": 0,
}
"""The marks of a pod that has none, by the names of the pod's fields."""


def marks_of(create: Create) -> dict[str, Any]:
    """Give what a new pod is marked with."""
    loss = create.loss
    return {
        "slot": create.slot,
        "epoch": create.epoch,
        "revision": create.revision,
        "replaces": loss.pod if loss else "",
        "lost_at": loss.at if loss else None,
        "failures": create.failures,
    }


def marks_on(pod: Pod) -> dict[str, Any]:
    """Give what a pod is marked with."""
    return {name: getattr(pod, name) for name in UNMARKED}


def missing(pod: Pod, marks: Mapping[str, Any]) -> dict[str, Any]:
    """Give those of the marks of which a pod has lost its own."""
    lost = (name for name in marks if getattr(pod, name) == UNMARKED[name])
    return {name: marks[name] for name in lost if marks[name] != UNMARKED[name]}

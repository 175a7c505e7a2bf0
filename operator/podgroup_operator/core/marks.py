"""Marks: what we write on a pod when we make it, and what others may take off it, on its way to the store or later.

The back-off reads off the pods how many have failed in a row, and of which template. Where a policy writes the
annotations of new pods anew, or takes a label off them, it would read that none has. So what was sent counts where the
pod itself says nothing (KusionStack/resourceconsist#23).
"""

from collections.abc import Mapping
from operator import attrgetter
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
    "cause": "",
    "heal": 0,
    "attempt": 0,
    "avoids": (),
}
"""The marks of a pod that has none, by the names of the pod's fields."""

read = attrgetter(*UNMARKED)  # each event of a pod asks for them


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
        "cause": loss.cause.value if loss else "",
        "heal": create.evidence.number if create.evidence else 0,
        "attempt": loss.attempt if loss else 0,
        "avoids": loss.avoids if loss else (),
    }


def marks_on(pod: Pod) -> dict[str, Any]:
    """Give what a pod is marked with."""
    return dict(zip(UNMARKED, read(pod), strict=True))


def missing(pod: Pod, marks: Mapping[str, Any]) -> dict[str, Any]:
    """Give those of the marks of which a pod has lost its own."""
    has = marks_on(pod)
    return {name: mark for name, mark in marks.items() if has[name] == UNMARKED[name] != mark}


def kept(pod: Pod, before: Pod) -> dict[str, Any]:
    """Give those of the marks that a pod had which it has lost."""
    return {} if read(pod) == read(before) else missing(pod, marks_on(before))

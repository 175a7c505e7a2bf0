"""Pods that ail, pods that are well, and nodes that are lost, for the tests of healing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from builders import NOW, desired, observed, planned, pod
from podgroup_operator.core.model.actions import Why
from podgroup_operator.core.model.node import Node
from podgroup_operator.core.model.signs import Loop, Signs

if TYPE_CHECKING:
    from podgroup_operator.core.model.pod import Pod

LOOP = Loop("app", restarts=5, ran=1, ended=NOW - 10, seen="exit code 1 (Error)", waits=True, since=NOW - 100)


def crashing(slot: int, **changes: Any) -> Pod:
    """Build a pod that is in a crash loop for long enough."""
    signs = Signs(loop=replace(LOOP, **changes.pop("loop", {})))
    return pod(f"web-{slot}", **({"slot": slot, "ready_since": None, "signs": signs} | changes))


def well(*slots: int) -> list[Pod]:
    """Build pods that are well."""
    return [pod(f"web-{slot}", slot=slot) for slot in slots]


def moved(*pods: Pod, now: float = NOW, group: Any = None, **seen: Any) -> list[str]:
    """Give the names of the pods that are evicted for what ails them."""
    plan = planned(group or desired(), observed(*pods, **seen), now)
    return [each.pod.name for each in plan.removes if each.why is Why.SICK]


def away(name: str = "node-of-web-0", since: float = NOW - 61, **changes: Any) -> dict[str, Any]:
    """Give what is seen of the nodes when one of them is lost."""
    node = Node(name, f"uid-{name}", 1, ready=False, lost_since=since, **changes)
    return {"nodes": {name: node}, "lost_nodes": {name}}

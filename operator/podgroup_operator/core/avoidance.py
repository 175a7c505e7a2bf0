"""Avoidance: the nodes on which a pod and its forerunners ailed, which its replacement had better not go to.

Without that memory the next place is random, and moving helps little (kubernetes-sigs/descheduler#789, PR #254). It is
a wish, not a rule: where there is no other node the pod goes there all the same. And it ends, for nodes are mended.
"""

from collections.abc import Mapping
from typing import Any

from podgroup_operator.core.model.pod import Pod

AVOIDED = 1800.0
"""Seconds."""

MOST_NODES = 10
"""The ones that were met last; more would be a large object and hardly a choice."""

WEIGHT = 100
"""The heaviest that a wish can have."""

Json = dict[str, Any]


def avoided(pod: Pod, now: float) -> tuple[tuple[str, float], ...]:
    """Give the nodes that the replacement of a sick pod should avoid, each until when; the newest last."""
    nodes = {node: until for node, until in pod.avoids if until > now and node != pod.node}
    if pod.node:
        nodes[pod.node] = now + AVOIDED
    return tuple(nodes.items())[-MOST_NODES:]


def elsewhere(spec: Mapping[str, Any], avoids: tuple[tuple[str, float], ...]) -> Json:
    """Give a pod's spec with the wish to be scheduled elsewhere, besides all that it says already."""
    affinity = dict(spec.get("affinity") or {})
    of_nodes = dict(affinity.get("nodeAffinity") or {})
    names = [node for node, _ in avoids]
    wish = {
        "weight": WEIGHT,
        "preference": {
            "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": [name]} for name in names]
        },
    }
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    of_nodes[key] = [*(of_nodes.get(key) or ()), wish]
    return {**spec, "affinity": {**affinity, "nodeAffinity": of_nodes}}

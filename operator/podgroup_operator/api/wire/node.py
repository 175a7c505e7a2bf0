"""A node: whether it is well, and whether it is under maintenance, as its conditions and taints say.

Of what is planned Kubernetes tells by `spec.unschedulable` and by lifecycle conditions (KEP-5683), and whoever takes
nodes away by taints of their own. The autoscaler's taint of a mere candidate for deletion says nothing yet: most stay.
"""

from collections.abc import Iterable
from typing import Any

from podgroup_operator.api.fields import Fields, whole_number
from podgroup_operator.core.model.node import Node

PLANNED = frozenset(
    {"DrainInProgress", "MaintenancePlanned", "MaintenanceInProgress", "GracefulNodeShutdownInProgress"}
)
"""Conditions that say that the pods of a node have to go."""

LEAVING = frozenset(
    {
        "node.kubernetes.io/unschedulable",
        "ToBeDeletedByClusterAutoscaler",
        "karpenter.sh/disrupted",
        "karpenter.sh/disruption",
        "medik8s.io/drain",
        "cloud.google.com/impending-node-termination",
    }
)
"""Taints that say so."""

LEAVING_BY = "aws-node-termination-handler/"
"""What other such taints begin with."""

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

Json = dict[str, Any]


def read_node(body: Json) -> Node | None:
    """Read a node; since when it is lost is for the cache to say. None if nobody can tell which it is."""
    fields = Fields(body)
    metadata = fields.map("metadata")
    name, uid, version = metadata.text("name"), metadata.text("uid"), whole_number(metadata.text("resourceVersion"))
    if not (name and uid) or version is None:
        return None
    conditions = fields.map("status").maps("conditions")
    # One that has no such condition yet has just come, and nobody knows better.
    ready = all(each.text("status") == "True" for each in conditions if each.text("type") == "Ready")
    taints = {each.text("key") for each in fields.map("spec").maps("taints")}
    return Node(
        name,
        uid,
        version,
        ready,
        out_of_service=OUT_OF_SERVICE in taints,
        maintained=fields.map("spec").flag("unschedulable") or is_leaving(taints, conditions),
    )


def is_leaving(taints: Iterable[str], conditions: Iterable[Fields]) -> bool:
    """Tell whether taints or conditions say that a node is drained, or about to be."""
    planned = (each.text("type") in PLANNED and each.text("status") == "True" for each in conditions)
    return any(planned) or any(key in LEAVING or key.startswith(LEAVING_BY) for key in taints)

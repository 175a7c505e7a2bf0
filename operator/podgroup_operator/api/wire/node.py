"""A node: whether it is well, as its conditions and taints say."""

from typing import Any

from podgroup_operator.api.fields import Fields, whole_number
from podgroup_operator.core.model.node import Node

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
    return Node(name, uid, version, ready, out_of_service=OUT_OF_SERVICE in taints)

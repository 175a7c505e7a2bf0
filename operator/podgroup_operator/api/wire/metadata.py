"""What all objects have: which one it is, and which state of it."""

from typing import Any

from podgroup_operator.api.fields import Fields, whole_number

Json = dict[str, Any]


def version_of(body: Json) -> int:
    """Read an object's resourceVersion, an integer by KEP-5504; 0 if it has none."""
    return whole_number(Fields(body).map("metadata").text("resourceVersion")) or 0


def full_name(metadata: Fields) -> str:
    """Give an object's namespace and name, as far as they can be read."""
    name, namespace = metadata.raw("name"), metadata.raw("namespace")
    return f"{namespace}/{name}" if isinstance(name, str) and isinstance(namespace, str) else ""

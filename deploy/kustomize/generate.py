"""Writes schema.json: what kustomize needs to merge a strategic patch into a PodGroup, and into Kubernetes' own kinds.

A kustomization that names a schema of its own is merged by that one alone, so it must have all kinds. Of each only what
says how lists are merged is kept, a hundredth of the whole. `make kustomize` runs it; a test runs it too, and compares.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checks.schemas import openapi_document

SCHEMA = Path(__file__).resolve().parent / "schema.json"

KIND = "x-kubernetes-group-version-kind"
STRATEGY = "x-kubernetes-patch-strategy"
MERGED_BY = (STRATEGY, "x-kubernetes-patch-merge-key", "x-kubernetes-list-map-keys")

PODGROUP = {
    "properties": {
        "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
        "spec": {"properties": {"template": {"$ref": "#/definitions/io.k8s.api.core.v1.PodTemplateSpec"}}},
    },
    KIND: [{"group": "selfheal.dev", "kind": "PodGroup", "version": "v1"}],
}

Schema = dict[str, Any]


def merging(definitions: dict[str, Schema]) -> dict[str, Schema]:
    """Return what of the definitions says how lists are merged, of the kinds that are written as manifests."""
    merged: set[str] = set()
    while grown := {name for name, each in definitions.items() if name not in merged and _merges(each, merged)}:
        merged |= grown
    wanted: dict[str, Schema] = {}
    next_names = {name for name in merged if _is_kind(name, definitions[name])}
    while next_names:
        wanted |= {name: _trimmed(definitions[name], merged) for name in next_names}
        next_names = {name for each in wanted.values() for name in _referred(each)} - wanted.keys()
    return dict(sorted(wanted.items()))


def _is_kind(name: str, definition: Schema) -> bool:
    return len(definition.get(KIND, ())) == 1 and not name.endswith("List")


def _merges(schema: Schema, merged: set[str]) -> bool:
    """Whether a list in here is merged, as far as is known by now."""
    if "$ref" in schema:
        return _name(schema) in merged
    return STRATEGY in schema or any(_merges(each, merged) for _, each in _inner(schema))


def _trimmed(schema: Schema, merged: set[str]) -> Schema:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    kept = {key: schema[key] for key in (*MERGED_BY, KIND) if key in schema}
    if schema.get("type") == "array":
        kept["type"] = "array"
    for path, each in _inner(schema):
        if _merges(each, merged) and path != ("properties", "status"):
            inside = kept
            for key in path[:-1]:
                inside = inside.setdefault(key, {})
            inside[path[-1]] = _trimmed(each, merged)
    return kept


def _inner(schema: Schema) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Give the schemas right below this one, and the way to each."""
    for name, each in schema.get("properties", {}).items():
        yield ("properties", name), each
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield (key,), schema[key]


def _referred(schema: Schema) -> Iterator[str]:
    if "$ref" in schema:
        yield _name(schema)
    for _, each in _inner(schema):
        yield from _referred(each)


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def render() -> str:
    """Return the content of schema.json."""
    definitions = merging(openapi_document()["definitions"]) | {"dev.selfheal.v1.PodGroup": PODGROUP}
    # One definition a line: short, and a change is seen.
    lines = [f"{json.dumps(name)}:{json.dumps(each, separators=(',', ':'))}" for name, each in definitions.items()]
    return '{"definitions":{\n' + ",\n".join(lines) + "\n}}\n"


if __name__ == "__main__":
    SCHEMA.write_text(render())

"""Writes podgroups.yaml: what we wrote ourselves, filled up with Kubernetes' own schema of a pod template.

Everything that a person should read or change is in podgroups.schema.yaml. A pod template has about a thousand fields
more, which nobody should copy by hand: they come from the API server's own OpenAPI, so that `kubectl explain` answers
down to the last field and a misspelt one is refused at apply. What podgroups.schema.yaml says below `template` is laid
over them. `make crd` does

    kubectl get --raw /openapi/v3/api/v1 | python crds/generate.py

The result must stay well below the 262,144 bytes that the annotation of a plain `kubectl apply` holds, so Kubernetes'
descriptions keep their first sentence only.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

HERE = Path(__file__).resolve().parent
WRITTEN = HERE / "podgroups.schema.yaml"
GENERATED = HERE / "podgroups.yaml"

HEADER = (
    "# Written by `make crd` from podgroups.schema.yaml and Kubernetes {version}: edit the schema, not this file.\n"
)

POD_TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

LIST_TYPE, LIST_KEYS = "x-kubernetes-list-type", "x-kubernetes-list-map-keys"

FIELDS_V1 = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"

TYPING = ("type", "format", "nullable", "x-kubernetes-preserve-unknown-fields")
"""All that a schema says of a value's type."""

COPIED = ("annotations", "finalizers", "labels")
"""All that a controller takes over from a template's metadata (kubernetes/pkg/controller, GetPodFromTemplate)."""

QUANTITY_SCHEMA: Schema = {
    "x-kubernetes-preserve-unknown-fields": True,
    "pattern": r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?\s*$",
}
"""A number, or a text that looks like a quantity. x-kubernetes-int-or-string would refuse `cpu: 0.5`, which Kubernetes
takes and many manifests have; and a CRD's `type` cannot be a choice of two."""

INT_OR_STRING_SCHEMA: Schema = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
}
FIELDS_V1_SCHEMA: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
"""An object of any fields."""

REPLACED = {QUANTITY: QUANTITY_SCHEMA, INT_OR_STRING: INT_OR_STRING_SCHEMA, FIELDS_V1: FIELDS_V1_SCHEMA}
"""Types that a CRD cannot hold as OpenAPI has them."""

REPEATABLE = ("env", "finalizers", "hostAliases", "imagePullSecrets", "ports")
"""Lists of which Kubernetes has each entry once in its schema, and takes it twice all the same, with a warning at most
(kubernetes/pkg/api/pod/warnings.go). What a CRD's schema says is a rule, so here they are lists without keys, each of
which is one value: server-side apply merges containers, and not the ports of one."""

MANY = 10
"""More words than that, as there are signals, are for the API server to know when it is asked about a pod."""

NEEDLESS = {
    "HTTPHeader": ("value",),
    "ISCSIVolumeSource": ("lun",),
    "PreferredSchedulingTerm": ("preference",),
    "ScaleIOVolumeSource": ("secretRef",),
    "SleepAction": ("seconds",),
    "Sysctl": ("value",),
}
"""Fields by type that Kubernetes' schema requires, and that are 0, "" or {} where they are left out all the same."""

KEPT = (
    "type",
    "format",
    "enum",
    "required",
    LIST_TYPE,
    LIST_KEYS,
    "x-kubernetes-map-type",
)
"""Keywords that a CRD's schema has in common with OpenAPI, apart from those that hold further schemas."""


class WithoutAliases(yaml.SafeDumper):
    """Writes a schema out wherever it occurs: YAML's `&id001` and `*id001` are legal, but nobody reads them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - it is the same for every value
        """Never refer back."""
        return True


def main() -> None:
    """Write podgroups.yaml from the OpenAPI document at standard input."""
    try:
        openapi = json.load(sys.stdin)
    except ValueError as error:
        sys.exit(f"Pipe the output of `kubectl get --raw /openapi/v3/api/v1` in here; what came is no JSON: {error}.")
    GENERATED.write_text(render(yaml.safe_load(WRITTEN.read_bytes()), openapi), encoding="utf-8")


def render(crd: Schema, openapi: Schema) -> str:
    """The text of podgroups.yaml."""
    fill(crd, pod_template(openapi["components"]["schemas"]))
    return HEADER.format(version=openapi["info"]["version"]) + yaml.dump(
        crd, Dumper=WithoutAliases, sort_keys=False, width=120
    )


def fill(crd: Schema, template: Schema) -> None:
    """Lay the CRD's own words about `spec.template` over this schema, and put the result in their place."""
    for version in crd["spec"]["versions"]:
        spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        spec["template"] = overlay(template, spec["template"])


def overlay(below: Schema, above: Schema) -> Schema:
    """Both schemas in one: where they differ `above` wins, and its null takes a key away."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = overlay(merged.get(key, {}), value)
        else:
            merged[key] = value
    return merged


def pod_template(schemas: Schema) -> Schema:
    """The schema of a PodTemplateSpec with every reference resolved, in the form that a CRD may have."""
    return structural({"$ref": POD_TEMPLATE}, schemas)


def structural(source: Schema, schemas: Schema, inside: tuple[str, ...] = ()) -> Schema:
    """One OpenAPI schema as a CRD may have it ("structural"); `inside` names the types that this one is part of."""
    description = first_sentence(source.get("description", ""))
    name = referenced_type(source)
    if name in inside:
        raise ValueError(
            f"{name} contains itself: a CRD cannot hold that; leave the field out by a null in {WRITTEN.name}."
        )
    if name in REPLACED:
        return described(description, REPLACED[name])
    if name:
        target = structural(less_strict(name, schemas[name]), schemas, (*inside, name))
        return (lenient(target) if name == OBJECT_META else target) | described(description, {})
    if source.get(LIST_TYPE) == "atomic":  # as each list of a CRD is by itself
        source = without_keys(source)
    return described(
        description, {key: source[key] for key in KEPT if key in source} | children(source, schemas, inside)
    )


def less_strict(name: str, source: Schema) -> Schema:
    """The OpenAPI schema of a type, without the demand for what may be left out."""
    needless = NEEDLESS.get(name.rpartition(".")[2])
    if not needless:
        return source
    needed = [field for field in source["required"] if field not in needless]
    rest = {key: value for key, value in source.items() if key != "required"}
    return rest | {"required": needed} if needed else rest


def lenient(metadata: Schema) -> Schema:
    """The schema of a template's metadata, which may have all that a live object's or a typed client's has.

    A Deployment takes it without a look, and so it is here: of a field that nobody makes use of only the type counts.
    And what is kept as it was written gives a second `kubectl apply` nothing to do.
    """
    fields = {
        field: schema if field in COPIED else {"description": "Not used.", **only_types(schema)}
        for field, schema in metadata["properties"].items()
    }
    return {**metadata, "properties": fields}


def only_types(schema: Schema) -> Schema:
    """The schema and those inside it without descriptions, and without what a value must have beyond its type."""
    kept: Schema = {key: schema[key] for key in TYPING if key in schema}
    if "properties" in schema:
        kept["properties"] = {field: only_types(inner) for field, inner in schema["properties"].items()}
    if "items" in schema:
        kept["items"] = only_types(schema["items"])
    return kept


def children(source: Schema, schemas: Schema, inside: tuple[str, ...]) -> Schema:
    """The schemas inside this one: of an object's fields, a map's values, a list's items.

    A field that may be left out may be null, which means the same, as in a Deployment: a server-side apply keeps a null
    to the end. The value of a map may be null too, and the item of a list without keys: it is 0, "" or {}.
    """
    found: Schema = {}
    if "properties" in source:
        fields = {
            field: structural(without_keys(schema) if field in REPEATABLE else schema, schemas, inside)
            for field, schema in sorted(source["properties"].items())
        }
        needed = source.get("required", ())
        found["properties"] = {field: each if field in needed else or_null(each) for field, each in fields.items()}
    if "additionalProperties" in source:
        found["additionalProperties"] = structural(source["additionalProperties"], schemas, inside) | {"nullable": True}
    if "items" in source:
        found["items"] = structural(source["items"], schemas, inside)
        keep_key_defaults(found["items"], source, schemas)
        if LIST_TYPE not in source and "enum" not in found["items"]:
            found["items"]["nullable"] = True
    return found


def without_keys(source: Schema) -> Schema:
    """The OpenAPI schema of a list that may have an entry twice; anything else is left as it is."""
    return {key: value for key, value in source.items() if key not in {LIST_TYPE, LIST_KEYS}}


def or_null(schema: Schema) -> Schema:
    """The schema of what it describes or null; a word of several may be empty too, which means the same to Kubernetes.

    A CRD's `enum` can have no null: the words stand inside an anyOf, which a null is not held against, and for those
    who ask `kubectl explain` in the description.
    """
    if "enum" not in schema:
        return schema | {"nullable": True}
    plain, words = {key: value for key, value in schema.items() if key != "enum"}, schema["enum"]
    if len(words) > MANY:
        return plain | {"nullable": True}
    named = (
        {"description": f"{plain['description']} One of {', '.join(filter(None, words))}."}
        if "description" in plain
        else {}
    )
    return plain | named | {"anyOf": [{"enum": words}, {"maxLength": 0}], "nullable": True}


def keep_key_defaults(item: Schema, source: Schema, schemas: Schema) -> None:
    """Give the keys of a list-map their defaults: a CRD wants each of them required or with one, and none to be null.

    All other defaults are dropped: the template is kept as its author wrote it, and the API server fills in the pod.
    """
    for key in source.get(LIST_KEYS, ()):
        if key not in item.get("required", ()):
            field = schemas[referenced_type(source["items"])]["properties"][key]
            item["properties"][key] = structural(field, schemas) | {"default": field["default"]}


def referenced_type(source: Schema) -> str:
    """The name of the type this schema refers to, directly or as its only `allOf`; empty if it is a type itself."""
    (reference,) = source.get("allOf", [source])
    return str(reference.get("$ref", "")).rpartition("/")[2]


def described(description: str, schema: Schema) -> Schema:
    """The schema with a description in front, if there is one."""
    return {"description": description, **schema} if description else dict(schema)


def first_sentence(text: str) -> str:
    """The text up to the first full stop that ends a sentence, on one line."""
    paragraph = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z\"'`<])", paragraph, maxsplit=1)[0]


if __name__ == "__main__":
    main()

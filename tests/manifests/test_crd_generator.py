"""How the CRD's generator turns Kubernetes' OpenAPI into what a CRD may hold, shown on a document of a few lines."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

GENERATOR = runpy.run_path(str(Path(__file__).resolve().parents[2] / "crds" / "generate.py"))


def reference(name: str) -> dict[str, Any]:
    """A reference as the API server's OpenAPI has it."""
    return {"$ref": f"#/components/schemas/{name}"}


def template(**types: dict[str, Any]) -> dict[str, Any]:
    """The schema that the generator makes of a PodTemplateSpec with these types; `Spec` is the template's spec."""
    made: dict[str, Any] = GENERATOR["pod_template"](
        {
            GENERATOR["POD_TEMPLATE"]: {"type": "object", "properties": {"spec": reference("Spec")}},
            **types,
        }
    )
    spec: dict[str, Any] = made["properties"]["spec"]
    return spec


def test_references_are_resolved() -> None:
    """A CRD knows no references: each is replaced by what it points to, also inside allOf, lists and maps."""
    made = template(
        Spec={
            "type": "object",
            "required": ["direct", "wrapped", "list", "map"],
            "properties": {
                "direct": reference("Leaf"),
                "wrapped": {"allOf": [reference("Leaf")], "default": {}},
                "list": {"type": "array", "items": {"allOf": [reference("Leaf")], "default": {}}},
                "map": {"type": "object", "additionalProperties": reference("Leaf")},
            },
        },
        Leaf={"type": "string"},
    )
    leaf: dict[str, Any] = {"type": "string"}
    assert made["properties"] == {
        "direct": leaf,
        "wrapped": leaf,
        "list": {"type": "array", "items": leaf | {"nullable": True}},
        "map": {"type": "object", "additionalProperties": leaf | {"nullable": True}},
    }


def test_the_description_beside_a_reference_wins() -> None:
    """What a field says about itself is more to the point than what its type says."""
    made = template(
        Spec={
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"description": "The field.", "allOf": [reference("Leaf")]}},
        },
        Leaf={"type": "string", "description": "The type."},
    )
    assert made["properties"]["a"] == {"type": "string", "description": "The field."}


def test_a_field_may_have_a_keywords_name() -> None:
    """`items`, `type` and `default` are names of fields too (a ConfigMap volume has `items`): they are kept as such."""
    texts = {"type": "array", "items": {"type": "string", "nullable": True}}
    fields = {"items": texts, "type": {"type": "string"}}
    spec = {"type": "object", "required": ["items", "type"], "properties": fields}
    assert template(Spec=spec)["properties"] == fields


def test_what_may_be_left_out_may_be_null() -> None:
    """A null means the same as nothing, as in a Deployment, and so does an empty word where there is a choice."""
    fields: dict[str, Any] = {
        "needed": {"type": "string"},
        "free": {"type": "string"},
        "chosen": {"type": "string", "enum": ["A", "B"], "description": "A word."},
        "must": {"type": "string", "enum": ["A", "B"]},
        "signal": {"type": "string", "enum": [str(number) for number in range(11)]},
    }
    made = template(Spec={"type": "object", "required": ["needed", "must"], "properties": fields})
    free = {"type": "string", "nullable": True}
    chosen = free | {"description": "A word. One of A, B.", "anyOf": [{"enum": ["A", "B"]}, {"maxLength": 0}]}
    assert made["properties"] == {**fields, "free": free, "chosen": chosen, "signal": free}


@pytest.mark.parametrize("kind", ["map", "set", "atomic"])
@pytest.mark.parametrize("field", ["env", "ports", "hostAliases", "imagePullSecrets", "finalizers"])
def test_a_list_that_may_have_an_entry_twice_has_no_keys(field: str, kind: str) -> None:
    """Kubernetes only warns of those, or says nothing; and with the keys their defaults go."""
    listed = {"x-kubernetes-list-type": kind, "x-kubernetes-list-map-keys": ["a"]}
    entries = {"type": "array", "items": reference("Item"), **listed}
    item = {"type": "object", "properties": {"a": {"type": "string", "default": "b"}}}
    made = template(Spec={"type": "object", "properties": {field: entries}}, Item=item)
    text = {"type": "string", "nullable": True}
    assert made["properties"][field] == {
        "type": "array",
        "items": {"type": "object", "properties": {"a": text}, "nullable": True},
        "nullable": True,
    }


def test_what_kubernetes_requires_and_does_not_need_may_be_left_out() -> None:
    """A header without a value is one with an empty value, to the API server; its schema says otherwise."""
    header = {"type": "object", "required": ["name", "value"], "properties": {"name": {"type": "string"}}}
    made = template(Spec=reference("io.k8s.api.core.v1.HTTPHeader"), **{"io.k8s.api.core.v1.HTTPHeader": header})
    assert made["required"] == ["name"]


def test_only_the_keys_of_a_list_keep_their_defaults() -> None:
    """A list-map's key needs its default; any other would change the template behind its author's back."""
    made = template(
        Spec={
            "type": "object",
            "properties": {
                "doors": {
                    "type": "array",
                    "items": {"allOf": [reference("Port")], "default": {}},
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["number", "protocol", "name"],
                    "x-kubernetes-patch-merge-key": "number",
                }
            },
        },
        Port={
            "type": "object",
            "required": ["number"],
            "properties": {
                "number": {"type": "integer", "default": 0},
                "protocol": {"type": "string", "default": "TCP", "enum": ["TCP", "UDP"]},
                "name": {"type": "string", "default": ""},
                "mode": {"type": "string", "default": "", "enum": ["A", "B"]},
            },
        },
    )
    assert made["properties"]["doors"] == {
        "type": "array",
        "nullable": True,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["number", "protocol", "name"],
        "items": {
            "type": "object",
            "required": ["number"],
            "properties": {
                "number": {"type": "integer"},
                "protocol": {"type": "string", "enum": ["TCP", "UDP"], "default": "TCP"},
                "name": {"type": "string", "default": ""},
                "mode": {"type": "string", "anyOf": [{"enum": ["A", "B"]}, {"maxLength": 0}], "nullable": True},
            },
        },
    }


def test_of_unused_metadata_only_the_types_are_kept() -> None:
    """Labels go to the pods and are as Kubernetes has them; of the rest only the type counts. All may be null."""
    names: dict[str, dict[str, Any]] = {
        "labels": {"type": "object", "description": "Theirs.", "additionalProperties": {"type": "string"}},
        "ownerReferences": {
            "type": "array",
            "items": {"allOf": [reference("Owner")], "default": {}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
        },
        "fields": {"allOf": [reference(GENERATOR["FIELDS_V1"])]},
    }
    made = template(
        Spec={"type": "object", "properties": {"metadata": reference(GENERATOR["OBJECT_META"])}},
        Owner={"type": "object", "required": ["uid"], "properties": {"uid": {"type": "string", "description": "Who."}}},
        **{GENERATOR["OBJECT_META"]: {"type": "object", "properties": names}},
        **{GENERATOR["FIELDS_V1"]: {"type": "object"}},
    )
    owners = {"type": "array", "items": {"type": "object", "properties": {"uid": {"type": "string"}}}}
    unused = {"description": "Not used.", "nullable": True}
    assert made["properties"]["metadata"]["nullable"] is True
    assert made["properties"]["metadata"]["properties"] == {
        "labels": {
            **names["labels"],
            "additionalProperties": {"type": "string", "nullable": True},
            "nullable": True,
        },
        "ownerReferences": {**unused, **owners},
        "fields": {**unused, "type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }


def test_a_type_that_contains_itself_is_refused() -> None:
    """A CRD cannot hold a recursive type: the generator says which one and what to do, and does not hang."""
    with pytest.raises(ValueError, match=r"Node contains itself: .* by a null in podgroups\.schema\.yaml"):
        template(Spec=reference("Node"), Node={"type": "object", "properties": {"child": reference("Node")}})


@pytest.mark.parametrize(
    "quantity", ["1", "0.5", ".5", "5.", "500m", "1Gi", "128M", "1e3", "12E-2", "+1", "-1k", " 1Gi "]
)
def test_a_quantity_passes(quantity: str) -> None:
    """What Kubernetes' ParseQuantity takes is taken here, and spaces around it, which the API server takes off."""
    assert re.search(GENERATOR["QUANTITY_SCHEMA"]["pattern"], quantity)


@pytest.mark.parametrize("text", ["", "64 MB", "1gb", "1GiB", "half", "1,5", "1..5", "0x10", "1 Gi", " "])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """What ParseQuantity refuses is refused at apply."""
    assert not re.search(GENERATOR["QUANTITY_SCHEMA"]["pattern"], text)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("No full stop", "No full stop"),
        ("One\nline. Another.", "One line."),
        ("A heading\n\nThe text.", "A heading"),
        ("Version 1.37 of it. More.", "Version 1.37 of it."),
        ("Some, e.g. these. More.", "Some, e.g. these."),
        ('Must it? "Yes".', "Must it?"),
    ],
)
def test_a_description_keeps_its_first_sentence(text: str, first: str) -> None:
    """The first sentence is kept, and a dot inside it does not end it."""
    assert first == GENERATOR["first_sentence"](text)


def test_our_words_are_laid_over_kubernetes() -> None:
    """What podgroups.schema.yaml says wins field by field, and a null there takes a field away."""
    below = {"type": "object", "description": "Theirs.", "properties": {"a": {"type": "string"}, "b": {}}}
    above = {"description": "Ours.", "properties": {"a": {"maxLength": 63}, "b": None, "c": {"type": "integer"}}}
    assert GENERATOR["overlay"](below, above) == {
        "type": "object",
        "description": "Ours.",
        "properties": {"a": {"type": "string", "maxLength": 63}, "c": {"type": "integer"}},
    }

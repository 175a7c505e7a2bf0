"""The drift test between the CRD and the model: what a user may write is read, what a user may read is written.

Both sides are taken as they are: the schema from crds/podgroups.yaml, the model by what it does with an object that
has every field of that schema. So a field that is added on one side alone fails here, by its name.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import NOW
from podgroup_operator.api.wire.desired import read_desired
from podgroup_operator.api.wire.status import write_status
from podgroup_operator.core.model.status import Condition, Heal, Healing, Rollout, Status

Json = dict[str, Any]
Steps = tuple[str, ...]

CRD = yaml.safe_load((Path(__file__).parents[2] / "crds" / "podgroups.yaml").read_text())
SCHEMA: Json = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
TEMPLATES: tuple[Json, ...] = ({"spec": {"hostname": "a"}}, {"spec": {"hostname": "b"}})


def fields(schema: Json, path: Steps = ()) -> Iterator[Steps]:
    """Give the paths of all fields that hold a value and are made use of; a pod template is one value."""
    if path == ("template",):
        yield path
    elif "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from fields(inner, (*path, name))
    elif "additionalProperties" in schema and path[0] == "healing":
        yield from fields(schema["additionalProperties"], (*path, "*"))
    elif "items" in schema:
        yield from fields(schema["items"], path)
    elif not schema.get("description", "").startswith("Not used;"):
        yield path


def example(schema: Json, other: Steps, path: Steps = ()) -> Any:
    """Give a value with every field of a schema; the field at `other` has another value than usual."""
    if path == ("template",):
        return TEMPLATES[path == other]
    if "properties" in schema:
        return {name: example(inner, other, (*path, name)) for name, inner in schema["properties"].items()}
    if "items" in schema:
        return [example(schema["items"], other, path)]
    if schema.get("type") == "object":
        return {"key": "ba"[path == other]}
    if "enum" in schema:
        return schema["enum"][path == other]
    kind = "integer" if "x-kubernetes-int-or-string" in schema else schema["type"]
    return {"integer": (3, 4), "string": ("a", "b"), "boolean": (False, True)}[kind][path == other]


def a_group(other: Steps) -> Json:
    """Give a PodGroup that makes use of every field."""
    metadata = {"namespace": "shop", "name": "web", "uid": "of-web"}
    return {"metadata": metadata, "spec": example(SCHEMA["spec"], other)}


@pytest.mark.parametrize("path", list(fields(SCHEMA["spec"])), ids=".".join)
def test_a_field_of_the_spec_makes_a_difference(path: Steps) -> None:
    """Whatever a user changes in a spec changes what the operator reads of it."""
    assert read_desired(a_group(path)) != read_desired(a_group(()))


def written(value: Any, path: Steps = ()) -> Iterator[Steps]:
    """Give the paths of all values in a status."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from written(inner, (*path, "*" if path[-1:] == ("byCause",) else name))
    elif isinstance(value, list):
        for inner in value:
            yield from written(inner, path)
    else:
        yield path


HEAL = Heal(
    number=1,
    cause="CrashLoop",
    pod="old",
    node="node",
    seen="seen",
    replacement="new",
    lost=NOW,
    began=NOW - 1.0,
    created=0.5,
    noticed=0.5,
    decided=0.5,
    waited=0.25,
    waited_for="Backoff",
    scheduled=0.5,
    ready=0.5,
    replacement_node="other",
    attempt=1,
    approximate=True,
    unusual=4.0,
)

STATUS = Status(
    current_revision="a",
    update_revision="b",
    template_generation=1,
    last_available_revision="a",
    healing_start=NOW,
    rollout=Rollout("b", NOW, NOW, 1, 1, NOW, "c"),
    healing=Healing(1, NOW, "Deleted", "old", "new", 1.5, (("Deleted", 1),), (HEAL,)),
    conditions=(Condition("Ready", "True", "AllReplicasAvailable", "", 1, NOW),),
)
"""A status in which everything is told that there can be to tell."""


def test_the_status_has_the_fields_of_the_schema_and_no_other() -> None:
    """Each field that the CRD describes is told, and nothing is told that the API server would silently drop."""
    told = write_status(STATUS, 3, {})
    assert set(fields(SCHEMA["status"])) == set(written(told))


def test_the_status_has_the_types_of_the_schema() -> None:
    """A value of the wrong type would make the API server refuse the whole status."""
    names = {"integer": int, "string": str, "number": float, "object": dict, "array": list}
    told, whole = write_status(STATUS, 3, {}), SCHEMA["status"]
    parts = [(told, whole), *((told[name], whole["properties"][name]) for name in ("healing", "rollout"))]
    for part, schema in parts:
        used = {path[0] for path in fields(schema)}
        expected = {name: names[inner["type"]] for name, inner in schema["properties"].items() if name in used}
        assert expected == {name: type(value) for name, value in part.items()}

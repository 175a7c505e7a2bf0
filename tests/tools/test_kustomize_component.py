"""What deploy/kustomize is made of is what kustomize and Kubernetes say of a Deployment."""

from __future__ import annotations

import json
import re
import runpy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from controlplane.module_source import module_source
from controlplane.programs import KUBECTL
from tools.kustomization import COMPONENT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

GENERATE = runpy.run_path(str(COMPONENT / "generate.py"))


def builtin_tables() -> Iterator[tuple[str, Json]]:
    """The tables of fields in the source of the kustomize that is in kubectl: the key of a configuration, and a row."""
    source = module_source(KUBECTL, "sigs.k8s.io/kustomize/api") / "internal/konfig/builtinpluginconsts"
    texts = {file.stem: re.findall(r"`(.*?)`", file.read_text(), re.DOTALL) for file in source.glob("*.go")}
    (shared,) = texts.pop("metadatalabels")
    texts["commonlabels"][0] += shared
    texts["templatelabels"][0] += shared
    for text in (each for table in texts.values() for each in table):
        for key, rows in (yaml.safe_load(text) or {}).items():
            yield from ((key, row) for row in rows or ())


def about(kind: str, tables: Iterator[tuple[str, Json]]) -> set[tuple[object, ...]]:
    """All that the tables say of a kind's fields, and of fields that have the name of one of that kind."""
    said: set[tuple[object, ...]] = set()
    for key, row in tables:
        if row.get("kind") == kind and "path" in row:
            said.add((key, row["path"], row.get("create", False)))
        for field in row.get("fieldSpecs", ()):
            if row["kind"] == kind:
                said.add((key, "names it", field["path"], field["kind"]))
            elif field.get("kind") == kind:
                said.add((key, row["kind"], row.get("group"), row.get("version"), field["path"]))
    return said


def test_it_says_of_a_podgroup_what_kustomize_says_of_a_deployment() -> None:
    """Each field that kustomize's own tables name for a Deployment, and no other."""
    config = yaml.safe_load((COMPONENT / "podgroup.yaml").read_text())
    ours = ((key, row) for key, rows in config.items() for row in rows)
    said = about("PodGroup", ours)
    assert said == about("Deployment", builtin_tables())
    assert len(said) > 30


def test_it_speaks_of_our_podgroup_only() -> None:
    """Other groups have kinds of that name."""
    rows = [row for rows in yaml.safe_load((COMPONENT / "podgroup.yaml").read_text()).values() for row in rows]
    fields = [each for row in rows for each in (row, *row.get("fieldSpecs", ())) if each["kind"] == "PodGroup"]
    assert {each["group"] for each in fields} == {"selfheal.dev"}


def test_the_schema_is_up_to_date() -> None:
    """schema.json comes out as it is committed."""
    assert GENERATE["render"]() == GENERATE["SCHEMA"].read_text(), "run `make kustomize`"


@pytest.mark.parametrize("path", ["metadata", "spec.template"])
def test_a_podgroup_is_merged_as_a_deployment(path: str) -> None:
    """By the very same definitions."""
    definitions = json.loads(GENERATE["SCHEMA"].read_text())["definitions"]

    def found(definition: Json) -> Json:
        for field in path.split("."):
            definition = definition["properties"][field]
            if "$ref" in definition and field != path.rpartition(".")[2]:
                definition = definitions[definition["$ref"].rpartition("/")[2]]
        return definition

    assert found(definitions["dev.selfheal.v1.PodGroup"]) == found(definitions["io.k8s.api.apps.v1.Deployment"])

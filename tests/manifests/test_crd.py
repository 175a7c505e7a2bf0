"""The CRD's file, as far as it can be judged without a cluster: names, sizes, words, and that it is up to date.

That it equals what the API server's OpenAPI yields, and that the server takes it, is in tests/e2e/test_crd.py.
"""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = runpy.run_path(str(ROOT / "crds" / "generate.py"))
WRITTEN: Schema = yaml.safe_load(GENERATOR["WRITTEN"].read_bytes())
TEXT: str = GENERATOR["GENERATED"].read_text(encoding="utf-8")
CRD: Schema = yaml.safe_load(TEXT)

REPLACING = GENERATOR["REPLACED"].values()
FROM_KUBERNETES = {*GENERATOR["KEPT"], *(key for schema in REPLACING for key in schema), "default", "nullable", "anyOf"}
"""The keywords that the generator writes by itself; each other one in the template is ours."""


def fields(crd: Schema, part: str) -> Schema:
    """The fields of `spec` or `status`."""
    (version,) = crd["spec"]["versions"]
    found: Schema = version["schema"]["openAPIV3Schema"]["properties"][part]["properties"]
    return found


def schemas(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """A schema and all schemas inside it, each with its path."""
    yield path, schema
    for field, inner in (schema.get("properties") or {}).items():
        if inner is not None:
            yield from schemas(inner, f"{path}.{field}")
    for values in ("items", "additionalProperties"):
        if values in schema:
            yield from schemas(schema[values], f"{path}[*]")


def test_the_names_are_those_of_the_contract() -> None:
    """Users, alerts and tests rely on these names; a bare `podgroups` belongs to others too."""
    assert CRD["metadata"]["name"] == "podgroups.selfheal.dev"
    assert CRD["spec"]["group"] == "selfheal.dev"
    assert CRD["spec"]["scope"] == "Namespaced"
    assert CRD["spec"]["names"] == {
        "kind": "PodGroup",
        "listKind": "PodGroupList",
        "plural": "podgroups",
        "singular": "podgroup",
        "shortNames": ["pgrp"],
        "categories": ["all"],
    }


def test_it_can_be_scaled_and_its_status_is_apart() -> None:
    """`kubectl scale` and autoscalers use the scale subresource; a status write touches no spec."""
    (version,) = CRD["spec"]["versions"]
    assert version["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


def test_the_columns_are_those_of_the_contract() -> None:
    """`kubectl get` shows six columns and three more with -o wide."""
    (version,) = CRD["spec"]["versions"]
    columns = version["additionalPrinterColumns"]
    usual = [column["name"] for column in columns if column.get("priority", 0) == 0]
    wide = [column["name"] for column in columns if column.get("priority", 0) == 1]
    assert usual == ["READY", "UP-TO-DATE", "AVAILABLE", "HEALED", "LAST-HEAL", "AGE"]
    assert wide == ["IMAGES", "SELECTOR", "REASON"]


def test_the_defaults_are_those_of_a_deployment() -> None:
    """A Deployment's manifest means the same as a PodGroup, which otherwise behaves as a Deployment does."""
    spec = {name: field for name, field in fields(CRD, "spec").items() if name not in {"template", "healing"}}
    defaults = {path: each["default"] for name in spec for path, each in schemas(spec[name], name) if "default" in each}
    assert defaults == {
        "replicas": 1,
        "minReadySeconds": 0,
        "strategy.type": "RollingUpdate",
        "strategy.rollingUpdate.maxSurge": "25%",
        "strategy.rollingUpdate.maxUnavailable": "25%",
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "podReplacementPolicy": "TerminationStarted",
    }


def test_no_default_comes_new_into_the_template() -> None:
    """The API server applies a default to what is stored, too: a new one would change every template at an upgrade."""
    assert [path for path, each in schemas(fields(CRD, "spec")["template"]) if "default" in each] == []


def test_entries_of_which_kubernetes_only_warns_are_told_apart_by_nothing() -> None:
    """In a CRD a list's key would forbid what a Deployment takes with a warning, such as a doubled env name."""
    keyed = {path for path, each in schemas(fields(CRD, "spec")["template"]) if "x-kubernetes-list-type" in each}
    assert (
        keyed
        & {
            ".metadata.finalizers",
            ".spec.hostAliases",
            ".spec.imagePullSecrets",
            *(f".spec.{kind}[*].{field}" for kind in ("containers", "initContainers") for field in ("env", "ports")),
        }
        == set()
    )
    assert keyed > {".spec.containers", ".spec.containers[*].volumeMounts", ".spec.volumes", ".spec.initContainers"}


def test_a_status_that_nobody_has_written_is_of_no_generation() -> None:
    """kstatus, which Flux and Helm read, takes an object without a status for ready."""
    (version,) = CRD["spec"]["versions"]
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}


def test_a_plain_apply_can_hold_it() -> None:
    """A plain apply copies the whole CRD as JSON into an annotation; all annotations together hold 262,144 bytes.

    A quarter of that is left to those of others.
    """
    assert len(json.dumps(CRD, separators=(",", ":"))) < 262_144 * 3 / 4


def test_it_holds_what_is_written_in_the_schema_file() -> None:
    """Everything outside the template, and every word about the template, is as podgroups.schema.yaml has it."""
    again = yaml.safe_load(GENERATOR["WRITTEN"].read_bytes())
    GENERATOR["fill"](again, fields(CRD, "spec")["template"])
    assert again == CRD, "run `make crd`"


def test_it_holds_no_rule_that_the_schema_file_has_not() -> None:
    """Kubernetes' part of the template brings no rules or bounds: all are ours, and one removed there is gone here."""
    written = dict(schemas(fields(WRITTEN, "spec")["template"]))
    for path, schema in schemas(fields(CRD, "spec")["template"]):
        structure = {"description", "properties", "items", "additionalProperties"}
        ours = schema.keys() - FROM_KUBERNETES - structure
        assert ours <= written.get(path, {}).keys(), f"{path}: run `make crd`"


def test_it_is_made_from_the_kubernetes_that_we_build() -> None:
    """The pod template in the CRD is that of the control plane in deploy/local: raising one means raising the other."""
    modules = (ROOT / "deploy" / "local" / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    built = re.search(r"k8s\.io/kubernetes v(\d+\.\d+)\.", modules)
    made_from = re.search(r"Kubernetes (\d+\.\d+)", TEXT.splitlines()[0])
    assert built is not None
    assert made_from is not None
    assert built[1] == made_from[1], "run `make crd`"


@pytest.mark.parametrize("part", ["spec", "status"])
def test_each_field_of_ours_tells_what_it_does(part: str) -> None:
    """`kubectl explain` is the manual: each field that we wrote, down to the last, has a description in sentences."""
    for name, field in fields(WRITTEN, part).items():
        for path, schema in schemas(field, name):
            named = not path.endswith("[*]")
            placeholder = path in {"template.spec", "template.spec.containers", "template.spec.initContainers"}
            if named and not placeholder and not path.startswith("template.spec.volumes"):
                assert schema.get("description", "").endswith("."), path


def test_each_rule_says_what_to_do() -> None:
    """No rule leaves its reader with a CEL expression."""
    (version,) = CRD["spec"]["versions"]
    rules = [
        (path, rule)
        for path, schema in schemas(version["schema"]["openAPIV3Schema"])
        for rule in schema.get("x-kubernetes-validations", ())
    ]
    assert rules
    for path, rule in rules:
        assert len(rule.get("message", "").split()) > 5, path

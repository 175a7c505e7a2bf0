"""The chart's values: each is explained once, in values.yaml, and a wrong one is refused with a sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chart.rendered import CHART

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Helm = Callable[..., subprocess.CompletedProcess[str]]

Json = dict[str, Any]

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())

WHOLE = {"resources", "affinity", "annotations", "labels", "nodeSelector", "podAnnotations", "podLabels", "global"}
"""Values that are maps, not groups of values."""


def defaults(values: Json) -> dict[str, object]:
    """Each value's default by its path, in the order of values.yaml."""
    found: dict[str, object] = {}
    for key, value in values.items():
        group = isinstance(value, dict) and key not in WHOLE
        found |= {f"{key}.{path}": each for path, each in defaults(value).items()} if group else {key: value}
    return found


def described(schema: Json) -> dict[str, str]:
    """Each value's description by its path, in the order of values.schema.json."""
    found: dict[str, str] = {}
    for key, value in schema["properties"].items():
        if "properties" in value:
            found |= {f"{key}.{path}": each for path, each in described(value).items()}
        else:
            found[key] = value["description"]
    return found


def comments() -> list[str]:
    """The sentences before the values in values.yaml."""
    lines = (CHART / "values.yaml").read_text().splitlines()
    return [line.strip().removeprefix("# -- ") for line in lines if "# -- " in line]


def test_every_value_has_a_schema() -> None:
    """values.yaml and values.schema.json know the same values, in the same order."""
    assert list(defaults(VALUES)) == [path for path in described(SCHEMA) if path != "global"]


def test_every_value_is_explained() -> None:
    """The comment before each value in values.yaml is the schema's description, which editors show."""
    assert comments() == [sentence for path, sentence in described(SCHEMA).items() if path != "global"]


def test_the_readme_lists_every_value() -> None:
    """Its table has each value, what it means and its default, and no other."""
    lines = (CHART / "README.md").read_text().splitlines()
    table = zip(defaults(VALUES).items(), comments(), strict=True)
    assert [line for line in lines if line.startswith("| `")] == [
        f"| `{path}` | {meaning} | `{json.dumps(default)}` |" for (path, default), meaning in table
    ]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("imagee.tag=1", "at '': additional properties 'imagee' not allowed"),
        ("crds.kep=false", "at '/crds': additional properties 'kep' not allowed"),
        ("serviceMonitor.interval=fast", "at '/serviceMonitor/interval': 'fast' does not match pattern"),
        ("logLevel=LOUD", "at '/logLevel': value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'"),
        ("namespaces={Shop}", "at '/namespaces/0': 'Shop' does not match pattern"),
        ("crds.keep=perhaps", "at '/crds/keep': got string, want boolean"),
        ("image.tag=latest", "image.tag is `latest`, which may be another program tomorrow: name a version"),
        (
            r"podGroups.podAnnotations.selfheal\.dev/keep=yes",
            "at '/podGroups/podAnnotations/selfheal.dev~1keep': false",
        ),
        ("priorityClass.create=true", "priorityClass.create is true: set priorityClass.name"),
        ("serviceAccount.create=false", "serviceAccount.create is false: set serviceAccount.name"),
    ],
)
def test_a_wrong_value_is_refused(helm: Helm, value: str, complaint: str) -> None:
    """Helm says which value is wrong and why."""
    answer = helm("template", "podgroup-operator", str(CHART), f"--set={value}")
    assert answer.returncode != 0
    assert complaint in answer.stderr


def test_an_old_kubernetes_is_refused(helm: Helm) -> None:
    """Where ValidatingAdmissionPolicy is not v1 yet, helm says which Kubernetes is needed."""
    answer = helm("template", "podgroup-operator", str(CHART), "--kube-version=1.29.0")
    assert "chart requires kubeVersion: >=1.30.0-0" in answer.stderr
    assert helm("template", "podgroup-operator", str(CHART), "--kube-version=1.30.0").returncode == 0

"""A manifest that is wrong is found, and ours are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from checks.conformity import nonconforming
from checks.manifests import CHART, INSTALL, ROOT, rendered, written
from checks.schemas import kubernetes_schemas, strict
from checks.score import findings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("programs")

WEB = ROOT / "deploy/examples/web.yaml"


def test_ours_are_as_they_should_be(tmp_path: Path) -> None:
    """What is installed, the CRD, the examples and the rendered chart are valid; kube-score finds nothing to say."""
    of_the_chart = rendered(tmp_path)
    assert nonconforming([*written(), *of_the_chart]) == []
    assert [finding for file in [INSTALL, *of_the_chart] for finding in findings(file)] == []


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("image: busybox:1.37", "imagee: busybox:1.37", "'imagee' not allowed"),
        ("replicas: 3", "replica: 3", "'replica' not allowed"),
        ("replicas: 3", "replicas: three", "want integer"),
        ("  name: web\n", "  name: web\n  label: {}\n", "'label' not allowed"),
        ("  template:\n", "  pattern:\n", "missing property 'template'"),
        ("replicas: 3\n", "replicas: 3\n  replicas: 2\n", "already set"),
        ("kind: PodGroup", "kind: PodGroupp", "could not find schema for PodGroupp"),
    ],
)
def test_a_mistake_in_an_example_is_found(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    """A field misspelt in a pod, in the group or in its metadata, a wrong type, what is missing, double or unknown."""
    example = tmp_path / "web.yaml"
    example.write_text(WEB.read_text().replace(right, wrong, 1))
    (sentence,) = nonconforming([example])
    assert sentence.startswith(f"{example}: ")
    assert told in sentence


def test_a_file_that_is_not_there_is_not_called_valid(tmp_path: Path) -> None:
    """Nothing was compared, so nothing is right."""
    (sentence,) = nonconforming([tmp_path / "web.yaml"])
    assert "no such file" in sentence


def test_a_mistake_in_kubernetes_own_kinds_is_found(tmp_path: Path) -> None:
    """Deployments and their like are compared with the API of the version that is built."""
    install = tmp_path / "install.yaml"
    install.write_text(INSTALL.read_text().replace("readinessProbe:", "readynessProbe:"))
    (sentence,) = nonconforming([install])
    assert "Deployment podgroup-operator" in sentence
    assert "'readynessProbe' not allowed" in sentence


def test_every_switch_is_on_in_one_of_the_renderings(tmp_path: Path) -> None:
    """No template is left unchecked: each kind that a template has is rendered by one of the ci values."""
    sources = {
        line.removeprefix("# Source: podgroup-operator/")
        for file in rendered(tmp_path)
        for line in file.read_text().splitlines()
        if line.startswith("# Source: ")
    }
    assert sources == {str(path.relative_to(CHART)) for path in CHART.glob("templates/**/*.yaml")}


def test_a_missing_probe_is_found(tmp_path: Path) -> None:
    """kube-score speaks of what good practice asks for."""
    manifests = list(yaml.safe_load_all(INSTALL.read_text()))
    for each in manifests:
        if each["kind"] == "Deployment":
            del each["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    install = tmp_path / "install.yaml"
    install.write_text(yaml.safe_dump_all(manifests))
    assert [sentence.partition(": ")[2] for sentence in findings(install)] == [
        "Deployment podgroup-operator: pod-probes: Container is missing a readinessProbe"
    ]


def test_one_set_of_schemas_serves_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are made once, and found again without asking Go."""
    monkeypatch.setenv("PODGROUP_CACHE", str(tmp_path))
    made = kubernetes_schemas()
    monkeypatch.setenv("PATH", "")
    assert kubernetes_schemas() == made
    assert [path for path in made.parent.iterdir() if path != made] == []
    assert (made / "apps/v1/deployment.json").exists()
    assert (made / "v1/v1/service.json").exists()


def test_a_field_may_have_the_name_of_a_schemas_own_word() -> None:
    """`properties`, `items` and `type` are fields of some kinds too, and not mistaken for the schema's."""
    schema = {
        "type": "object",
        "properties": {"properties": {"type": "object"}, "items": {"type": "array", "items": {}}},
    }
    assert strict(schema)["properties"] == {"properties": {"type": "object"}, "items": {"type": "array", "items": {}}}

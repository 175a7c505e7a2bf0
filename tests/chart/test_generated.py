"""What is made of the chart and the CRD is what the generator makes of them now."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING, Any

import pytest

from chart.rendered import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

GENERATE = runpy.run_path(str(ROOT / "deploy/helm/generate.py"))


def test_install_yaml_is_up_to_date(helm: Callable[..., object]) -> None:
    """deploy/install.yaml comes out as it is committed."""
    assert GENERATE["render"]() == GENERATE["INSTALL"].read_text(), "run `make chart`"


def test_the_charts_crd_is_up_to_date() -> None:
    """The chart's copy of the CRD is the CRD."""
    assert GENERATE["CRD"].read_text() == GENERATE["CRD_IN_CHART"].read_text(), "run `make chart`"


@pytest.fixture(scope="module")
def manifests(helm: Callable[..., object]) -> list[dict[str, Any]]:
    """What install.yaml has."""
    found: list[dict[str, Any]] = GENERATE["install_manifests"]()
    return found


def test_the_namespace_and_the_crd_come_first(manifests: list[dict[str, Any]]) -> None:
    """Applied in order, nothing is refused because something that comes later is missing."""
    assert [each["kind"] for each in manifests[:3]] == ["Namespace", "CustomResourceDefinition", "ServiceAccount"]


def test_nothing_of_helms_is_left(manifests: list[dict[str, Any]]) -> None:
    """No label or annotation says that Helm looks after it, but that it shall keep the CRD; its hooks are left out."""
    marks = [each["metadata"].pop("annotations") for each in manifests if each["kind"] == "CustomResourceDefinition"]
    assert marks == [{"helm.sh/resource-policy": "keep"}]
    assert "helm" not in str([each["metadata"] for each in manifests]).lower()
    assert "Pod" not in {each["kind"] for each in manifests}

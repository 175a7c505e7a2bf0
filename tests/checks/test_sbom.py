"""`make sbom` lists what the image contains."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from checks.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOCK = {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
LEFT_OUT = "kubernetes"


@pytest.fixture(scope="module")
def sbom(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `make sbom` writes, elsewhere than into the tree."""
    path: Path = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    # Without what an outer make tells an inner one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "--silent", "sbom", f"SBOM={path}"], cwd=ROOT, env=environment, check=True)  # noqa: S603, S607
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def needed_by(package: str) -> set[str]:
    """Return what a package needs, and what that needs, as uv.lock says."""
    found: set[str] = set()
    ahead = [package]
    while ahead:
        new = {dependency["name"] for dependency in LOCK[ahead.pop()].get("dependencies", [])} - found
        found |= new
        ahead += new
    return found


def test_it_is_cyclonedx(sbom: dict[str, Any]) -> None:
    """Format, version, serial number, whom it is about, and a package URL for each component."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (sbom["bomFormat"], sbom["specVersion"], sbom["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", sbom["serialNumber"])
    about = sbom["metadata"]["component"]
    assert (about["name"], about["version"]) == ("podgroup-operator", version)
    for each in sbom["components"]:
        assert each["type"] == "library"
        assert each["purl"].split("?")[0] == f"pkg:pypi/{each['name']}@{each['version']}"


def test_it_lists_what_the_image_has_in_the_versions_of_the_lock(sbom: dict[str, Any]) -> None:
    """All that the operator needs, and all that those need, but for the one package that the Dockerfile leaves out."""
    assert set(re.findall(r"--no-install-package (\S+)", (ROOT / "Dockerfile").read_text())) == {LEFT_OUT}
    shipped = needed_by("podgroup-operator") - {LEFT_OUT}
    assert {each["name"]: each["version"] for each in sbom["components"]} == {
        name: LOCK[name]["version"] for name in shipped
    }
    assert {"kopf", "aiohttp", "orjson", "prometheus-client"} <= shipped


def test_it_lists_nothing_that_only_tests_need(sbom: dict[str, Any]) -> None:
    """The development groups are not shipped."""
    assert {"pytest", "ruff", "mypy"}.isdisjoint(each["name"] for each in sbom["components"])

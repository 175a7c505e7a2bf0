"""The chart, rendered by helm as `helm template` does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chart.rendered import CHART, DEFAULTS, NAMESPACE, Rendered
from controlplane.build import build
from controlplane.programs import HELM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def helm(pytestconfig: pytest.Config) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run helm and give its answer; it is built first, where the progress is seen."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        build([HELM])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(HELM.path), *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - ours

    return run


@pytest.fixture(scope="session")
def render(helm: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., Rendered]:
    """Render the chart with these values, each written as for --set, and with those of a file."""

    def run(*values: str, file: Path = DEFAULTS) -> Rendered:
        flags = [f"--namespace={NAMESPACE}", f"--values={file}", *(f"--set={value}" for value in values)]
        answer = helm("template", "podgroup-operator", str(CHART), *flags)
        assert answer.returncode == 0, answer.stderr
        manifests: list[dict[str, Any]] = [each for each in yaml.safe_load_all(answer.stdout) if each]
        return Rendered(manifests)

    return run

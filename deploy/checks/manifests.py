"""The manifests that are checked: what is installed, the CRD, the examples, and the chart with its ci values."""

import subprocess
from pathlib import Path

from controlplane.errors import ControlPlaneError
from controlplane.programs import HELM

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/podgroup-operator"
CRD = ROOT / "crds/podgroups.yaml"
INSTALL = ROOT / "deploy/install.yaml"

NAMESPACE = "podgroup-system"


def written() -> list[Path]:
    """Return the files with manifests that lie in the tree."""
    samples = [path for folder in ("examples", "demo") for path in sorted((ROOT / "deploy" / folder).rglob("*.yaml"))]
    return [INSTALL, CRD, *samples]


def rendered(folder: Path) -> list[Path]:
    """Render the chart into a folder, once for each of its ci/*-values.yaml, and return the files.

    Raises:
        ControlPlaneError: The chart cannot be rendered.
    """
    return [_render(values, folder) for values in sorted(CHART.glob("ci/*-values.yaml"))]


def _render(values: Path, folder: Path) -> Path:
    command = [str(HELM.path), "template", CHART.name, str(CHART), f"--namespace={NAMESPACE}", f"--values={values}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own program
    if answer.returncode != 0:
        message = f"The chart cannot be rendered with {values.relative_to(ROOT)}: {answer.stderr.strip()}"
        raise ControlPlaneError(message)
    manifests = folder / f"chart-with-{values.name}"
    manifests.write_text(answer.stdout)
    return manifests

"""Writes what is made of the chart and of the CRD: the chart's copy of the CRD, and deploy/install.yaml.

`make chart` runs it, after a change of the chart or of crds/. A test runs it too, and compares.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from controlplane.build import build
from controlplane.programs import HELM

HERE = Path(__file__).resolve().parent
CHART = HERE / "podgroup-operator"
CRD = HERE.parents[1] / "crds" / "podgroups.yaml"
CRD_IN_CHART = CHART / "files" / "podgroups.yaml"
INSTALL = HERE.parent / "install.yaml"

NAMESPACE = "podgroup-system"
HEADER = """\
# Written by `make chart` from the chart in helm/podgroup-operator: edit that, not this file.
#   kubectl apply --server-side -f deploy/install.yaml
# Never `kubectl delete -f` it: with the CRD, ALL PodGroups and their pods would go. The README says how to uninstall.
"""

Manifest = dict[str, Any]


def install_manifests() -> list[Manifest]:
    """Return what the chart installs by default, without what only Helm understands, and the namespace first."""
    command = [str(HELM.path), "template", CHART.name, str(CHART), f"--namespace={NAMESPACE}", "--skip-tests"]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- our own program
    manifests = [manifest for manifest in yaml.safe_load_all(rendered) if manifest]
    first = ("CustomResourceDefinition", "ServiceAccount")
    manifests.sort(key=lambda manifest: first.index(manifest["kind"]) if manifest["kind"] in first else len(first))
    return [_namespace(), *(_without_helm(manifest) for manifest in manifests)]


def _namespace() -> Manifest:
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def _without_helm(node: Any) -> Any:
    """Return a manifest without the labels that say that Helm looks after it."""
    if isinstance(node, list):
        return [_without_helm(item) for item in node]
    if isinstance(node, dict):
        return {key: _without_helm(value) for key, value in node.items() if key not in HELMS}
    return node


HELMS = ("helm.sh/chart", "app.kubernetes.io/managed-by")


def render() -> str:
    """Return the content of install.yaml."""
    documents = [yaml.safe_dump(manifest, sort_keys=False, width=120) for manifest in install_manifests()]
    return HEADER + "---\n" + "---\n".join(documents)


def main() -> None:
    """Write both files."""
    build([HELM])
    CRD_IN_CHART.parent.mkdir(exist_ok=True)
    shutil.copyfile(CRD, CRD_IN_CHART)
    INSTALL.write_text(render())


if __name__ == "__main__":
    main()

"""Has kubeconform compare manifests with the schemas of their kinds: a misspelt field, a wrong type, a missing one."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checks.manifests import CRD
from checks.schemas import LOCATION, crd_schemas, kubernetes_schemas
from controlplane.errors import ControlPlaneError
from controlplane.programs import Program

KUBECONFORM = Program("kubeconform", "lint", "github.com/yannh/kubeconform/cmd/kubeconform")

OF_OTHERS = ("monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule")
"""Kinds that are not compared, for their schema is not at hand: it comes with the Prometheus operator."""


def nonconforming(files: Sequence[Path]) -> list[str]:
    """Return a sentence for each manifest in the files that its kind's schema does not allow.

    Raises:
        ControlPlaneError: kubeconform did not run, or Kubernetes' schemas cannot be had.
    """
    kubernetes = kubernetes_schemas()
    with tempfile.TemporaryDirectory() as ours:
        crd_schemas(CRD, Path(ours), kubernetes)
        command = [str(KUBECONFORM.path), "-strict", "-output=json", f"-skip={','.join(OF_OTHERS)}"]
        locations = [f"-schema-location={folder}/{LOCATION}" for folder in (kubernetes, ours)]
        answer = subprocess.run(  # noqa: S603 -- our own program
            [*command, *locations, *map(str, files)], capture_output=True, text=True, check=False
        )
    wrong = json.loads(answer.stdout)["resources"] if answer.stdout else []
    if answer.returncode != 0 and not wrong:
        message = f"kubeconform did not run: {answer.stdout}{answer.stderr}"
        raise ControlPlaneError(message)
    return [_sentence(each) for each in wrong]


def _sentence(resource: dict[str, Any]) -> str:
    # Only in the message is each mistake told; on lines of their own, among those that only say where it is.
    mistakes = [line.strip(" -") for line in resource["msg"].splitlines()[1:] if not line.endswith("validation failed")]
    told = "; ".join(mistakes) or resource["msg"]
    return f"{resource['filename']}: {resource['kind']} {resource['name']}: {told}"

"""`python -m checks`: are the manifests as their kinds allow and good practice asks, and is the base image pinned?"""

import sys
import tempfile
from pathlib import Path

from checks.base_image import movable
from checks.conformity import KUBECONFORM, nonconforming
from checks.manifests import INSTALL, ROOT, rendered, written
from checks.score import KUBE_SCORE, findings
from controlplane.build import build
from controlplane.errors import ControlPlaneError
from controlplane.programs import HELM


def complaints() -> list[str]:
    """Return what is wrong, a sentence each."""
    build([HELM, KUBECONFORM, KUBE_SCORE])
    with tempfile.TemporaryDirectory() as folder:
        of_the_chart = rendered(Path(folder))
        found = movable(ROOT / "Dockerfile") + nonconforming([*written(), *of_the_chart])
        for each in [INSTALL, *of_the_chart]:
            found += findings(each)
    return found


if __name__ == "__main__":
    try:
        wrong = complaints()
    except ControlPlaneError as error:
        sys.exit(str(error))
    if wrong:
        sys.exit("\n".join(wrong))

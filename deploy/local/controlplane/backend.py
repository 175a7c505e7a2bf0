"""Which cluster a test run gets: the user's own, kind's, or the local control plane.

All three are reached through a program that understands kind's command line, so whoever takes a cluster
(pytest-kind's `kind_cluster` fixture above all) needs to know only that program and a kubectl.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controlplane.errors import ControlPlaneError
from controlplane.programs import KUBECTL, MODULES, PROGRAMS, Program

CHOICES = ("existing", "kind", "local")

DOCKER_SECONDS = 10
"""How long a Docker engine may take to answer before it counts as not running."""


@dataclass(frozen=True)
class Backend:
    """What stands behind kind's command line."""

    name: str
    """One of CHOICES."""

    because: str
    """Why it was chosen, for a person who wonders."""

    kind: Path
    """The program that understands kind's command line."""

    kubectl: Path
    """A kubectl for the cluster; when it is our own, `needs` builds it."""

    @property
    def needs(self) -> tuple[Program, ...]:
        """The programs that must be built first."""
        if self.name == "local":
            return PROGRAMS
        return (KUBECTL,) if self.kubectl == KUBECTL.path else ()


def choose(environment: Mapping[str, str] = os.environ) -> Backend:
    """Return what PODGROUP_CLUSTER asks for, else KUBECONFIG's cluster, else kind if Docker runs, else the local one.

    Raises:
        ControlPlaneError: PODGROUP_CLUSTER asks for something that is not there.
    """
    wish = environment.get("PODGROUP_CLUSTER", "")
    if wish not in ("", *CHOICES):
        message = f"PODGROUP_CLUSTER={wish} is unknown; it can be one of {', '.join(CHOICES)}, or unset."
        raise ControlPlaneError(message)
    path = environment.get("PATH", os.defpath)
    kubectl = any_kubectl(path)
    if wish == "existing" or (not wish and environment.get("KUBECONFIG")):
        because = f"KUBECONFIG={environment.get('KUBECONFIG') or '~/.kube/config'}"
        return Backend("existing", because, MODULES / "existing", kubectl)
    if wish == "kind" or (not wish and _docker_runs(path)):
        kind = shutil.which("kind", path=path)
        if kind:
            return Backend("kind", "a Docker engine runs and kind is on PATH", Path(kind), kubectl)
        if wish:
            message = "PODGROUP_CLUSTER=kind needs `kind` on PATH: see https://kind.sigs.k8s.io/docs/user/quick-start/"
            raise ControlPlaneError(message)
    because = "PODGROUP_CLUSTER=local" if wish else "no KUBECONFIG is given, and Docker or kind is missing"
    return Backend("local", because, MODULES / "kind", KUBECTL.path)


def any_kubectl(path: str | None = None) -> Path:
    """Return the kubectl on PATH, else our own."""
    return Path(shutil.which("kubectl", path=path) or KUBECTL.path)


def _docker_runs(path: str) -> bool:
    docker = shutil.which("docker", path=path)
    if docker is None:
        return False
    try:
        answer = subprocess.run([docker, "info"], capture_output=True, timeout=DOCKER_SECONDS, check=False)  # noqa: S603 -- fixed arguments
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0

"""Which cluster a test run or a demo gets: the user's own, kind's, or the local control plane.

All are reached through a program that understands kind's command line, so whoever takes a cluster (pytest-kind's
`kind_cluster` fixture above all) needs to know only that program and a kubectl. kind is the stock one where Docker
runs; without Docker it is kind under podman, with a node image of our own.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from controlplane.build import build
from controlplane.errors import ControlPlaneError
from controlplane.programs import KUBECTL, MODULES, PROGRAMS, any_kubectl
from kindnode import podman
from kindnode.engine import Engine, docker_runs
from kindnode.node import build_node
from kindnode.programs import COMMAND

CHOICES = ("existing", "kind", "local")

STOCK_KIND = "https://kind.sigs.k8s.io/docs/user/quick-start/"


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
    """A kubectl for the cluster."""

    @property
    def containers(self) -> bool:
        """Whether pods really run."""
        return self.name != "local"

    @property
    def engine(self) -> Engine | None:
        """Where `load docker-image` takes images from; None where no image can be loaded."""
        if self.name != "kind":
            return None
        return podman.engine() if self.kind == COMMAND else Engine("docker")

    def prepare(self) -> None:
        """Build what is not in the cache yet: minutes the first time, with its progress shown.

        Raises:
            ControlPlaneError: A build failed, or something that it takes is missing.
        """
        if self.name == "local":
            build(PROGRAMS)
        if self.kind == COMMAND:
            build_node()
        if self.kubectl == KUBECTL.path:
            build([KUBECTL])


def choose(
    environment: Mapping[str, str] = os.environ, without_docker: Callable[[], str | None] = podman.unusable
) -> Backend:
    """Return what PODGROUP_CLUSTER asks for, else KUBECONFIG's cluster, else kind if Docker runs, else the local one.

    Args:
        environment: its KUBECONFIG, PATH and PODGROUP_CLUSTER count.
        without_docker: says why there cannot be kind without Docker; None if there can.

    Raises:
        ControlPlaneError: PODGROUP_CLUSTER asks for something that is not there.
    """
    wish = environment.get("PODGROUP_CLUSTER", "")
    if wish not in ("", *CHOICES):
        message = f"PODGROUP_CLUSTER={wish} is unknown; it can be one of {', '.join(CHOICES)}, or unset."
        raise ControlPlaneError(message)
    path = environment.get("PATH", os.defpath)
    if wish == "existing" or (not wish and environment.get("KUBECONFIG")):
        because = f"KUBECONFIG={environment.get('KUBECONFIG') or '~/.kube/config'}"
        return Backend("existing", because, MODULES / "existing", any_kubectl(path))
    stock = shutil.which("kind", path=path)
    if wish != "local" and stock and docker_runs(path):
        return Backend("kind", "a Docker engine runs and kind is on PATH", Path(stock), any_kubectl(path))
    if wish == "kind":
        return _without_docker(without_docker())
    because = "PODGROUP_CLUSTER=local" if wish else "no KUBECONFIG is given, and Docker or kind is missing"
    return Backend("local", because, MODULES / "kind", KUBECTL.path)


def _without_docker(reason: str | None) -> Backend:
    if reason:
        message = f"There can be no kind cluster: Docker or kind is missing (see {STOCK_KIND}), and {reason}"
        raise ControlPlaneError(message)
    return Backend("kind", "under podman, for Docker or kind is missing", COMMAND, KUBECTL.path)

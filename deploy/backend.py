"""Which cluster a test run or a demo gets: the quickest real one at hand.

That is the user's own, else kind's where Docker runs, else the local control plane, whose programs have to be compiled
once. Somebody who wants another says so.

All are reached through a program that understands kind's command line, so whoever takes a cluster (pytest-kind's
`kind_cluster` fixture above all) needs to know only that program and a kubectl. kind is the stock one where Docker
runs, compiled here if it is not installed; without Docker it is kind under podman, with a node image of our own.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from controlplane.build import build
from controlplane.errors import ControlPlaneError
from controlplane.programs import KUBECTL, MODULES, SERVERS, any_kubectl
from kindnode import podman
from kindnode.engine import Engine, docker_runs
from kindnode.node import build_node
from kindnode.programs import COMMAND, KIND

CHOICES = ("existing", "kind", "local")

WHAT = {
    "existing": "yours, which gets a namespace and, if it has none, the CRD, and loses them again",
    "kind": "kind, with real containers",
    "local": "a local control plane, with pretended nodes",
}
"""What each is, for a person."""

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

    def explained(self, command: str, variable: str) -> str:
        """Say in a sentence which cluster this is, why, and how to choose another.

        Args:
            command: what was typed to get here.
            variable: the variable that a wish stands in.
        """
        others = [f"{command} {variable}={name}" for name in CHOICES if name != self.name]
        return (
            f"{WHAT[self.name]} ({self.because}); to choose another: {', '.join(others)}, or KUBECONFIG=FILE {command}"
        )

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

    def prepare(self, *, kubectl: bool = True) -> None:
        """Build what is not in the cache yet: minutes the first time, with its progress shown.

        Args:
            kubectl: whether a kubectl is needed, for where there is none it is minutes more.

        Raises:
            ControlPlaneError: A build failed, or something that it takes is missing.
        """
        own_kubectl = [KUBECTL] if kubectl and self.kubectl == KUBECTL.path else []
        if self.name == "local":
            build([*SERVERS, *own_kubectl])
            return
        if self.kind == COMMAND:
            build_node()
        if self.kind == KIND.path:
            build([KIND])
        build(own_kubectl)


def choose(
    environment: Mapping[str, str] = os.environ,
    without_docker: Callable[[], str | None] = podman.unusable,
    variable: str = "PODGROUP_CLUSTER",
) -> Backend:
    """Return the cluster that is asked for, else KUBECONFIG's, else kind's if Docker runs, else the local one.

    Args:
        environment: its KUBECONFIG, PATH and wish count.
        without_docker: says why there cannot be kind without Docker; None if there can.
        variable: the variable of the environment that holds the wish, one of CHOICES.

    Raises:
        ControlPlaneError: The wish is for something that is not there.
    """
    wish, path = environment.get(variable, ""), environment.get("PATH", os.defpath)
    asked = f"{variable}={wish}"
    if wish not in ("", *CHOICES):
        message = f"{asked} is unknown; it can be one of {', '.join(CHOICES)}, or unset."
        raise ControlPlaneError(message)
    kubeconfig = environment.get("KUBECONFIG", "")
    if wish == "existing" or (not wish and kubeconfig):
        because = f"KUBECONFIG={kubeconfig}" if kubeconfig else f"{asked}; without KUBECONFIG it is ~/.kube/config's"
        return Backend("existing", because, MODULES / "existing", any_kubectl(path))
    if wish != "local" and docker_runs(path):
        because = asked if wish else "Docker runs and no KUBECONFIG is given"
        return Backend("kind", because, _stock_kind(path), any_kubectl(path))
    if wish == "kind":
        return _without_docker(f"{asked}, under podman, for no Docker runs", without_docker())
    because = asked if wish else "no KUBECONFIG is given and no Docker runs"
    return Backend("local", because, MODULES / "kind", KUBECTL.path)


def _stock_kind(path: str) -> Path:
    """Return the kind on PATH, else our own: it is compiled in a minute."""
    return Path(shutil.which("kind", path=path) or KIND.path)


def _without_docker(because: str, reason: str | None) -> Backend:
    if reason:
        message = f"There can be no kind cluster: no Docker runs (see {STOCK_KIND}), and {reason}"
        raise ControlPlaneError(message)
    return Backend("kind", because, COMMAND, KUBECTL.path)

"""A cluster to play on, and how to have a local control plane for one; kind.py has the other way."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend import Backend
from controlplane import cluster as local
from controlplane.abandoned import abandoned, own_name
from controlplane.options import Options
from controlplane.programs import KUBECTL
from demo.manifests import ANYWHERE, Manifests

CRD = Path(__file__).resolve().parents[2] / "crds" / "podgroups.yaml"

RUN = "demo"
"""How the clusters of demos are named, with the number of the process."""

QUICK_SECONDS, PATIENT_SECONDS = 60, 180
"""How long a step may take: on the local cluster all but the last take milliseconds, elsewhere images may be pulled."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is there.

    Attributes:
        kubeconfig: the file that leads there.
        ours: whether it was made for the demo, and goes with all that is in it.
        manifests: what the story makes there.
        patience: seconds that whatever a step expects may take there.
    """

    kubeconfig: str
    ours: bool = False
    manifests: Manifests = ANYWHERE
    patience: float = PATIENT_SECONDS


@contextmanager
def local_cluster(backend: Backend, say: Say) -> Iterator[Cluster]:
    """Start a local control plane under a name of its own; its programs are built first, if they are not yet."""
    for dead in abandoned(local.running_clusters(), RUN):
        local.delete(dead)
    try:
        backend.prepare(kubectl=False)
        say("The control plane is started ...")
        kubeconfig = local.create(own_name(RUN), Options(crds=[str(CRD)])) / "admin.kubeconfig"
        show_the_way(kubeconfig, say)
        yield Cluster(str(kubeconfig), ours=True, patience=QUICK_SECONDS)
    finally:
        local.delete(own_name(RUN))


def show_the_way(kubeconfig: Path, say: Say) -> None:
    """Say how somebody can look on from another terminal."""
    say(f"To look on from another terminal: export KUBECONFIG={kubeconfig}")
    if shutil.which("kubectl") is None:
        where = f"one is here: {KUBECTL.path}" if KUBECTL.path.exists() else "`deploy/local/kind build` makes one."
        say(f"There is no kubectl on PATH; {where}")

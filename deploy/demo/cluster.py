"""A cluster to play on, and how to have a local control plane for one; kind.py has the other way."""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane import cluster as local
from controlplane.build import build
from controlplane.options import Options
from controlplane.programs import KUBECTL
from demo.manifests import ANYWHERE, Manifests

CRD = Path(__file__).resolve().parents[2] / "crds" / "podgroups.yaml"

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
def local_cluster(say: Say) -> Iterator[Cluster]:
    """Start a local control plane under a name of its own; its programs are built first, if they are not yet."""
    for dead in of_dead_demos(local.running_clusters()):
        local.delete(dead)
    try:
        build()
        say("Cluster: a local control plane with pretended nodes is started ...")
        kubeconfig = local.create(own_name(), Options(crds=[str(CRD)])) / "admin.kubeconfig"
        show_the_way(kubeconfig, say)
        yield Cluster(str(kubeconfig), ours=True, patience=QUICK_SECONDS)
    finally:
        local.delete(own_name())


def own_name() -> str:
    """Return the name of this demo's cluster; it tells whose it is."""
    return f"demo-{os.getpid()}"


def of_dead_demos(names: Iterable[str]) -> list[str]:
    """Choose from these clusters what a demo left that was killed before it could clean up."""
    demos = (re.fullmatch(r"demo-(\d+)", name) for name in names)
    return [demo[0] for demo in demos if demo and not Path("/proc", demo[1]).exists()]


def show_the_way(kubeconfig: Path, say: Say) -> None:
    """Say how somebody can look on from another terminal."""
    say(f"To look on from another terminal: export KUBECONFIG={kubeconfig}")
    if shutil.which("kubectl") is None:
        say(f"There is no kubectl on PATH; one is here: {KUBECTL.path}")

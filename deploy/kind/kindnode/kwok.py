"""Pretended nodes in a real cluster: to drain, to lose, and to spread pods over.

kwok runs beside the cluster as a process of ours, as in the local control plane, and plays the kubelet of those nodes
only. They are tainted, so that a pod gets there only if it says so: it must tolerate `kwok.x-k8s.io/node`.
"""

import json
import shutil
import subprocess
from pathlib import Path

from controlplane import nodes, processes
from controlplane.build import build
from controlplane.components import POD_RANGE, STAGES
from controlplane.errors import ControlPlaneError
from controlplane.options import Options
from controlplane.programs import KUBECTL, KWOK
from kindnode import podman

LABEL = "kwok.x-k8s.io/node"
TAINT = {"key": LABEL, "value": "fake", "effect": "NoSchedule"}

READY_SECONDS = 60


def directory_of(cluster: str) -> Path:
    """Return the directory that kwok runs in for that cluster."""
    return podman.home() / "kwok" / cluster


def join(cluster: str, kubeconfig: Path, count: int) -> None:
    """Join pretended nodes to the cluster and return when they are Ready.

    Raises:
        ControlPlaneError: kwok ended, or the nodes did not become Ready.
    """
    build([KWOK, KUBECTL])
    directory = directory_of(cluster)
    stop(cluster)
    directory.mkdir(parents=True)
    shutil.copy(kubeconfig, directory / "kwok.kubeconfig")
    manifests = nodes.manifests(Options(nodes=count))
    for manifest in manifests:
        manifest["spec"] = {"taints": [TAINT]}
    _kubectl(
        kubeconfig, "apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    )
    processes.start(KWOK, _arguments(), directory)
    _kubectl(kubeconfig, "wait", "node", f"--selector={LABEL}", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    processes.check_alive(directory, [KWOK])


def stop(cluster: str) -> None:
    """End the cluster's kwok, if it has one."""
    processes.kill(directory_of(cluster))
    shutil.rmtree(directory_of(cluster), ignore_errors=True)


def _arguments() -> list[str]:
    return [
        "--kubeconfig=kwok.kubeconfig",
        f"--config={STAGES}",
        f"--cidr={POD_RANGE}",
        f"--manage-nodes-with-label-selector={LABEL}=fake",
        "--node-lease-duration-seconds=40",
    ]


def _kubectl(kubeconfig: Path, *arguments: str, stdin: str = "") -> None:
    answer = subprocess.run(  # noqa: S603 -- our own program
        [KUBECTL.path, f"--kubeconfig={kubeconfig}", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        message = f"Pretended nodes could not be joined; `kubectl {arguments[0]}` says: {answer.stderr.strip()}"
        raise ControlPlaneError(message)

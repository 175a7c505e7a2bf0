"""Pretended nodes beside the real one."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from controlplane import processes
from e2e.waiting import wait_for
from kindnode import kwok
from kindnode.programs import COMMAND

if TYPE_CHECKING:
    from pytest_kind import KindCluster


def test_pods_run_on_pretended_nodes_only_if_they_ask(cluster: KindCluster) -> None:
    """A pod that tolerates the taint and selects the nodes runs on one of them; another stays on the real node."""
    command = ["create", "kwok-nodes", f"--name={cluster.name}", f"--kubeconfig={cluster.kubeconfig_path}"]
    subprocess.run([COMMAND, *command, "--nodes=2"], check=True)  # noqa: S603 -- our own program
    try:
        spec: dict[str, object] = {
            "tolerations": [{"key": kwok.LABEL, "operator": "Exists"}],
            "nodeSelector": {kwok.LABEL: "fake"},
        }
        assert _node_of(cluster, "pretended", spec) in {"node-0", "node-1"}
        assert _node_of(cluster, "real", {}) == f"{cluster.name}-control-plane"
    finally:
        kwok.stop(cluster.name)
        cluster.kubectl("delete", "pod", "pretended", "real", "--force", "--ignore-not-found")
        cluster.kubectl("delete", "node", "node-0", "node-1")
    assert processes.running(kwok.directory_of(cluster.name)) == {}


def _node_of(cluster: KindCluster, name: str, spec: dict[str, object]) -> str:
    """Create a pod, wait until it runs, and return the name of its node."""
    overrides = json.dumps({"apiVersion": "v1", "spec": spec})
    cluster.kubectl("run", name, "--image=podgroup-busybox:1", f"--overrides={overrides}")

    def running() -> str | None:
        pod = json.loads(cluster.kubectl("get", "pod", name, "--output=json"))
        return str(pod["spec"]["nodeName"]) if pod["status"]["phase"] == "Running" else None

    return wait_for(f"pod {name} to run", running, 60.0)

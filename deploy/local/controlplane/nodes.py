"""The pretended nodes: what a kubelet would have told the API server about its machine.

kwok takes over from there; it plays the kubelet of every node with the label `kwok.x-k8s.io/node: fake`. Without
the label the node falls silent, as with a pulled plug: no heartbeat, no pod started, none ended.
"""

from typing import Any

from controlplane.options import Options

NODE_INFO = {
    "kubeletVersion": "pretended",
    "containerRuntimeVersion": "kwok",
    "kubeProxyVersion": "",
    "osImage": "",
    "operatingSystem": "linux",
    "architecture": "amd64",
    "kernelVersion": "",
    "machineID": "",
    "systemUUID": "",
    "bootID": "",
}
"""What `kubectl get nodes` shows; the API server wants every field."""


def manifests(options: Options) -> list[dict[str, Any]]:
    """Return the Node objects to create."""
    return [_manifest(number, options.pods_per_node) for number in range(options.nodes)]


def _manifest(number: int, pods: int) -> dict[str, Any]:
    name = f"node-{number}"
    capacity = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": str(pods)}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kwok.x-k8s.io/node": "fake",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": _addresses(name, number),
            "nodeInfo": NODE_INFO,
        },
    }


def _addresses(name: str, number: int) -> list[dict[str, str]]:
    high, low = divmod(number + 1, 256)
    return [{"type": "InternalIP", "address": f"10.64.{high}.{low}"}, {"type": "Hostname", "address": name}]


def is_ready(node: dict[str, Any]) -> bool:
    """Whether the scheduler may put pods on the node: it is Ready and the taint of its first moments is gone."""
    conditions = {entry["type"]: entry["status"] for entry in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")

"""The programs of a node that the local control plane does not have, and kind itself.

They are compiled and cached as the local control plane's are, from Go modules of their own under `programs/`.
"""

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path

from controlplane.module_source import module_source
from controlplane.programs import APISERVER, CONTROLLER_MANAGER, ETCD, KUBECTL, SCHEDULER, Program, cache

HERE = Path(__file__).resolve().parent.parent

MODULES = HERE / "programs"
"""The folder that holds the Go modules."""

COMMAND = HERE / "kind"
"""kind's command line as this package offers it: what pytest-kind takes as --kind-bin."""


@dataclass(frozen=True)
class NodeProgram(Program):
    """A program whose Go module lies here; one that is part of Kubernetes is stamped with Kubernetes' version."""

    like: Program | None = None
    """The control plane's program whose flags this one is built with."""

    @property
    def flags(self) -> list[str]:
        """The arguments of `go build` that shape the program."""
        return self.like.flags if self.like else super().flags

    @property
    def path(self) -> Path:
        """Where the compiled program is, or will be once `build` has made it."""
        parts = [path.read_text() for path in sorted(self.source.iterdir())]
        made_of = "\n".join([*parts, *self.flags, platform.system(), platform.machine()])
        key = hashlib.sha256(made_of.encode()).hexdigest()[:12]
        return cache() / "programs" / f"{self.source.name}-{key}" / self.name


def _program(name: str, module: str, package: str, like: Program | None = None) -> Program:
    return NodeProgram(name, str(MODULES / module), package, like)


KIND = _program("kind", "kind", "sigs.k8s.io/kind")
COREDNS = _program("coredns", "coredns", ".")
KUBEADM = _program("kubeadm", "node", "k8s.io/kubernetes/cmd/kubeadm", KUBECTL)
KUBELET = _program("kubelet", "node", "k8s.io/kubernetes/cmd/kubelet", KUBECTL)
KUBE_PROXY = _program("kube-proxy", "node", "k8s.io/kubernetes/cmd/kube-proxy", KUBECTL)

ON_THE_NODE = (KUBELET, KUBEADM, KUBECTL)
"""What the node itself runs."""

IN_IMAGES = (APISERVER, CONTROLLER_MANAGER, SCHEDULER, ETCD, KUBE_PROXY, COREDNS)
"""What kubeadm runs as containers."""


def kind_source() -> Path:
    """Return the folder of kind's own source, of the very version that is built."""
    return module_source(KIND, "sigs.k8s.io/kind")

"""That what a node is made of fits together."""

import re

from controlplane.programs import KUBECTL, Program
from kindnode.programs import KUBELET


def test_node_and_control_plane_are_of_one_release() -> None:
    """The Go modules of the node and of the control plane take Kubernetes and all its parts from one release."""
    assert _parts_of_kubernetes(KUBECTL) == _parts_of_kubernetes(KUBELET)


def _parts_of_kubernetes(program: Program) -> list[str]:
    """The lines of a go.mod that say which release of Kubernetes and of its staging modules is built."""
    parts = re.findall(
        r"^\tk8s\.io/(?:kubernetes|\S+ => \S+) v\S+", (program.source / "go.mod").read_text(), re.MULTILINE
    )
    assert len(parts) == 34
    return parts

"""NodeLost: a pod's node has not been heard of for too long, or is gone.

Kubernetes waits 350 s from a kubelet's last word until it deletes the pods: 50 until the node counts as lost, and 300
that each pod tolerates. That second time is `healing.nodeLostSeconds` here; a toleration that the template itself names
is a lower bound, and one without an end means never. A pod that is still said to be Ready is none of them: the same
controller that gives its node up says so of its pods, and of two streams one may be late.
"""

from podgroup_operator.core.model.ailment import Ailment
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View


def node_lost(view: View, pod: Pod) -> Ailment | None:
    """Tell whether a pod is on a lost node."""
    node, wait = view.observed.nodes.get(pod.node), view.desired.healing.node_lost_seconds
    if node is None or node.lost_since is None or not wait or (pod.ready_since is not None and not node.gone):
        return None
    tolerated = view.desired.tolerated_seconds
    if tolerated is None:
        return None
    seen = f"node {node.name} {'is gone' if node.gone else 'is not Ready'}"
    return Ailment(Cause.NODE_LOST, node.lost_since, node.lost_since + max(wait, tolerated), seen)

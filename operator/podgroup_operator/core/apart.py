"""Pods apart: those that are there and stand for no replica.

- A spare was made before the pod that it replaces has gone, whose node is under maintenance (`maintenance.py`). It
  stands for nobody until the other has gone, and then for that one. What it says itself tells so: whom it replaces, and
  why. So no restart forgets it, and nothing is asked of the nodes.
- A corpse is a pod that must be kept and whose node is lost. It is replaced all the same, and stays. It counts again
  when it is Ready: then there is one too many, and another goes.
"""

from collections.abc import Iterable, Sequence

from podgroup_operator.core.model.actions import Create, Remove
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.loss import Cause
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.node_lost import node_lost
from podgroup_operator.core.takeover import begun, healed_from
from podgroup_operator.core.view import View

MAINTENANCE, NODE_LOST = Cause.MAINTENANCE.value, Cause.NODE_LOST.value


def spares_of(pods: Sequence[Pod]) -> dict[str, Pod]:
    """Give the pod that each spare stands beside, by the spare's UID."""
    made = [pod for pod in pods if pod.cause == MAINTENANCE]  # there may be ten thousand, and nearly always none is
    if not made:
        return {}
    there = {pod.name: pod for pod in pods}
    pairs = ((pod, there.get(pod.replaces)) for pod in made)
    # Annotations can be forged; times have whole seconds, so that both may be of the same.
    return {pod.uid: old for pod, old in pairs if old and old.created <= pod.created and old.replaces != pod.name}


def corpses_of(view: View) -> tuple[Pod, ...]:
    """Give the pods that must be kept and are as good as dead."""
    kept = [pod for pod in view.active if pod.kept]
    if not kept:
        return ()
    replaced = {pod.replaces for pod in view.active if pod.cause == NODE_LOST}
    return tuple(pod for pod in kept if is_corpse(view, pod, replaced=pod.name in replaced))


def is_corpse(view: View, pod: Pod, *, replaced: bool) -> bool:
    """Tell whether a pod that must be kept has been given up: its node is lost, or was, and another has its place."""
    if replaced and pod.ready_since is None:
        return True
    ailment = node_lost(view, pod) if pod.node in view.observed.lost_nodes else None
    if ailment is None or view.desired.healing.paused:
        return False
    if view.desired.pod_replacement is PodReplacement.TERMINATION_COMPLETE and not is_dead(view, pod):
        return False  # it may run yet
    return view.now >= max(ailment.due, begun(view), healed_from(view, view.now), view.observed.storm.over)


def is_dead(view: View, pod: Pod) -> bool:
    """Tell whether it is certain that a pod does not run any more, for nothing does on its node."""
    node = view.observed.nodes.get(pod.node)
    return node is not None and node.is_dead


def count_apart(view: View, created: Iterable[Create], removed: Iterable[Remove]) -> int:
    """Count the pods that stand for no replica when a plan is done."""
    gone = {remove.pod.uid for remove in removed}
    spares = sum(uid not in gone and old.uid not in gone for uid, old in spares_of(view.active).items())
    made = (create.loss.pod for create in created if create.loss and create.loss.cause is Cause.MAINTENANCE)
    there = {pod.name for pod in view.active if pod.uid not in gone}
    return spares + sum(name in there for name in made) + len(corpses_of(view))

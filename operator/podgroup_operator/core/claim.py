"""Claiming: which pods are ours, which we take in, which we let go.

The rules are ReplicaSet's (PodControllerRefManager, k8s.io/kubernetes pkg/controller/controller_ref_manager.go),
decided by UID and selector, never by name:

- ours and matching: kept;
- ours, but its labels no longer match: released;
- another controller's: none of our business;
- nobody's, matching, and not on its way out: adopted.

Only active pods are adopted or released: a finished or dying pod is left as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from podgroup_operator.core.classify import is_active
from podgroup_operator.core.model import Desired, Pod


@dataclass(frozen=True, slots=True)
class Claims:
    """The pods of a namespace as seen by one group."""

    kept: tuple[Pod, ...]
    adoptable: tuple[Pod, ...]
    released: tuple[Pod, ...]


def claim(desired: Desired, pods: Sequence[Pod]) -> Claims:
    """Split the pods into kept, adoptable and released; every other pod is ignored."""
    kept, adoptable, released = [], [], []
    for pod in pods:
        ours, matching = pod.controller == desired.uid, desired.selector.matches(pod.labels)
        if ours and matching:
            kept.append(pod)
        elif ours and is_active(pod):
            released.append(pod)
        elif not pod.controller and matching and is_active(pod) and not desired.deleting:
            adoptable.append(pod)
    return Claims(tuple(kept), tuple(adoptable), tuple(released))

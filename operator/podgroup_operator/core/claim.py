"""Claiming: which pods are ours, which we take in, which we let go.

The rules are ReplicaSet's (PodControllerRefManager, k8s.io/kubernetes pkg/controller/controller_ref_manager.go),
decided by UID and selector, never by name:

- ours and matching: kept;
- ours, but its labels no longer match: released;
- another controller's: none of our business;
- nobody's, matching, and not on its way out: adopted.

Only active pods are adopted or released: a finished or dying pod is left as it is. A group that is being deleted
adopts and releases nothing.
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
    """Split the pods into kept, adoptable and released; every other pod is ignored.

    Each part is in the order of UIDs, so that no decision depends on the order in which a cache holds its pods.
    """
    kept, adoptable, released = [], [], []
    for pod in sorted(pods, key=lambda pod: pod.uid):
        ours, matching = pod.controller == desired.uid, desired.selector.matches(pod.labels)
        if ours and matching:
            kept.append(pod)
        elif desired.deleting or not is_active(pod):
            continue
        elif ours:
            released.append(pod)
        elif not pod.controller and matching:
            adoptable.append(pod)
    return Claims(tuple(kept), tuple(adoptable), tuple(released))

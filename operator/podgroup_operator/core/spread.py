"""Spreading pods over nodes and zones as the scheduler spreads those of a Deployment by itself.

It does so for pods without constraints of their own, by the selector of their Service, ReplicaSet or StatefulSet; it
knows no other owners (kube-scheduler, PodTopologySpread, `systemDefaultConstraints`). With `spec.spread: Default` a
new pod gets the same constraints, about the pods of its group and revision, as a ReplicaSet's are about one template.

Like all that is not the template's, they are in no comparison of pods with it.
"""

from typing import Any

from podgroup_operator.core import names
from podgroup_operator.core.model.desired import Desired

Json = dict[str, Any]

FIELD = "topologySpreadConstraints"
SKEWS = {"kubernetes.io/hostname": 3, "topology.kubernetes.io/zone": 5}
"""The scheduler's own: how many pods one place may have more than another, by the label that tells places apart."""


def spread(spec: Json, desired: Desired, revision: str) -> Json:
    """Give a pod's spec with the scheduler's constraints, if the group asks for that and the spec has none."""
    if not desired.spread or spec.get(FIELD):
        return spec
    labels = {names.LABEL_PODGROUP: desired.name, names.LABEL_REVISION: revision}
    constraints = [
        {
            "topologyKey": key,
            "maxSkew": skew,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels},
        }
        for key, skew in SKEWS.items()
    ]
    return {**spec, FIELD: constraints}


def without_ours(spec: Json) -> Json:
    """Give the spec of a pod, or of a template, without the constraints that `spread` adds."""
    if not any(is_ours(each) for each in spec.get(FIELD) or ()):
        return spec
    theirs = [each for each in spec[FIELD] if not is_ours(each)]
    rest = {key: value for key, value in spec.items() if key != FIELD}
    return {**rest, FIELD: theirs} if theirs else rest


def is_ours(constraint: Json) -> bool:
    """Tell whether a constraint is about the pods of one revision of a group."""
    labels = (constraint.get("labelSelector") or {}).get("matchLabels") or {}
    return set(labels) == {names.LABEL_PODGROUP, names.LABEL_REVISION}

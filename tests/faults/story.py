"""What happened in one plan, from beginning to end: what the oracle judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e.pod import Pod
    from e2e.recording import Change
    from faults.asked import Asked

Json = dict[str, Any]

IN_PLACE = "in-place:"
"""Before the version of a template in the image of its container."""

CHANGING = "selfheal.dev/changing"
"""The annotation of a pod that is on its way from one template to another in place."""

NEWS_SECONDS = 2.0
"""How long the news of a change may take to the operator and back: also the bound on how old a status may be."""


@dataclass(frozen=True)
class Story:
    """A plan that is over. Times are seconds of the monotonic clock.

    Attributes:
        changes: of pods and PodGroups, in the order of the store.
        requests: the operator's, in the order in which they came.
        births: how many pods the group should have made.
        removals: how many pods the operator should have deleted.
        spare: how many more of each may be, for what happened in the middle of a rollout.
        lost: the UIDs of the pods that people, or a kubelet, have taken from the group.
        idle_from: since when nothing was left to do.
        ended: the end.
        calm_from: when the last fault had ended, as far as that is known to be the last trouble.
        pause: seconds for which the operator may rest after a fault before it tries again.
        blind: seconds for which the faults may keep news from the operator.
    """

    changes: Sequence[Change]
    requests: Sequence[Asked]
    births: int
    removals: int
    idle_from: float
    ended: float
    calm_from: float
    pause: float
    blind: float
    spare: int = 0
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Moment:
    """The state of the store right after one change.

    Attributes:
        change: the change.
        pods: all pods that exist, by UID.
        groups: all PodGroups that exist, by UID.
    """

    change: Change
    pods: dict[str, Pod]
    groups: dict[str, Pod]

    def live(self, uid: str) -> list[Pod]:
        """Give the pods of a group that count: neither finished nor Terminating."""
        return [pod for pod in self.pods.values() if pod.controller == uid and pod.live]


def version_of(pod: Pod) -> str:
    """Tell which template a pod has, "" if the template does not say."""
    return version(pod.body)


def version_wanted(group: Pod) -> str:
    """Tell which template a PodGroup asks for."""
    return version(group.body["spec"].get("template", {}))


def version(template: Json) -> str:
    """Tell which version a template or a pod is: its annotation says so, or where it is changed in place its image."""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    containers = (template.get("spec") or {}).get("containers") or [{}]
    return str(annotations.get("version") or containers[0].get("image", "").partition(IN_PLACE)[2])


def is_group(change: Change) -> bool:
    """Tell whether a change is one of a PodGroup."""
    return bool(change.pod.body["kind"] == "PodGroup")


def moments(changes: Sequence[Change]) -> list[Moment]:
    """Play the changes back: every state that the store was in."""
    pods: dict[str, Pod] = {}
    groups: dict[str, Pod] = {}
    played = []
    for change in changes:
        objects = groups if is_group(change) else pods
        objects[change.pod.uid] = change.pod
        if change.kind == "DELETED":
            del objects[change.pod.uid]
        played.append(Moment(change, dict(pods), dict(groups)))
    return played

"""The API server of this world: pods with one order of versions, what happened to them, and how requests may fail."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from builders import GROUP_UID, LABELS, NOW, desired
from podgroup_operator.core.model import Desired, Phase, Pod, Status


class Conflict(Exception):
    """The API server's 409 and 404: the name is taken, or what is meant is not there any more."""


class Trouble(Enum):
    """What the API server does to a request."""

    NONE = "none"
    REFUSED = "refused"  # 403, and nothing is done
    UNANSWERED = "unanswered"  # it is done, and the answer is lost


Fate = Callable[[], Trouble]


def untroubled() -> Trouble:
    """Let every request through."""
    return Trouble.NONE


@dataclass(frozen=True)
class Event:
    """One entry of the history: a pod as it is now, or as it was when it went."""

    version: int
    pod: Pod
    gone: bool


@dataclass
class ApiServer:
    """The truth: pods by name, the group's spec and status.

    Attributes:
        made: UIDs of the pods that operators have created.
    """

    replicas: int
    pods: dict[str, Pod] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    status: Status = field(default_factory=Status)
    version: int = 0
    began: float = NOW
    now: float = NOW
    made: set[str] = field(default_factory=set)

    @property
    def desired(self) -> Desired:
        """Give what the group asks for now."""
        return desired(self.replicas)

    def write(self, pod: Pod) -> Pod:
        """Store a pod, new or changed."""
        self.version += 1
        pod = replace(pod, version=self.version)
        self.pods[pod.name] = pod
        self.history.append(Event(self.version, pod, gone=False))
        return pod

    def add(self, pod: Pod) -> Pod:
        """Create a pod, unless its name is taken."""
        if pod.name in self.pods:
            raise Conflict(pod.name)
        return self.write(replace(pod, uid=f"uid-{self.version + 1}", created=self.now))

    def matching(self, pod: Pod, *, exactly: bool = True) -> Pod:
        """Find the pod of a precondition: the same UID, and the same version if `exactly`."""
        current = self.pods.get(pod.name)
        if current is None or current.uid != pod.uid or (exactly and current.version != pod.version):
            raise Conflict(pod.name)
        return current

    def delete(self, pod: Pod) -> None:
        """Delete a pod: one that a kubelet runs starts to go, any other goes at once."""
        if pod.node and alive(pod):
            self.write(replace(pod, deleted=self.now))
        else:
            self.remove(pod)

    def remove(self, pod: Pod) -> None:
        """Let a pod be gone."""
        self.version += 1
        del self.pods[pod.name]
        self.history.append(Event(self.version, pod, gone=True))

    def live(self) -> list[Pod]:
        """Give the pods that count: the group's own, active, with the labels of the group."""
        return [pod for pod in self.pods.values() if pod.controller == GROUP_UID and alive(pod) and wanted(pod)]


def alive(pod: Pod) -> bool:
    """Tell whether a pod is neither finished nor on its way out."""
    return pod.deleted is None and pod.phase in {Phase.PENDING, Phase.RUNNING, Phase.UNKNOWN}


def wanted(pod: Pod) -> bool:
    """Tell whether a pod has the group's labels."""
    return LABELS.items() <= pod.labels.items()

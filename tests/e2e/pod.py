"""A pod at one moment, with the facts that tests ask for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod as the API told it."""

    body: Json

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])

    @property
    def uid(self) -> str:
        """Its UID."""
        return str(self.body["metadata"]["uid"])

    @property
    def version(self) -> int:
        """Its resourceVersion."""
        return int(self.body["metadata"]["resourceVersion"])

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self.body["metadata"].get("labels") or {})

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations."""
        return dict(self.body["metadata"].get("annotations") or {})

    @property
    def slot(self) -> str:
        """Its seat in its group, "" if it has none."""
        return self.labels.get("selfheal.dev/slot", "")

    @property
    def replaces(self) -> str:
        """The name of the pod that it replaces, "" if it is no replacement."""
        return self.annotations.get("selfheal.dev/replaces", "")

    @property
    def cause(self) -> str:
        """Why the pod that it replaces was lost, "" if it is no replacement."""
        return self.annotations.get("selfheal.dev/cause", "")

    @property
    def owners(self) -> list[Json]:
        """Its ownerReferences."""
        return list(self.body["metadata"].get("ownerReferences") or [])

    @property
    def controller(self) -> str:
        """The UID of its controller, "" if it has none."""
        return next((str(owner["uid"]) for owner in self.owners if owner.get("controller")), "")

    @property
    def phase(self) -> str:
        """Its phase."""
        return str(self.body["status"].get("phase", ""))

    @property
    def node(self) -> str:
        """The node that it is bound to, "" if it is to none."""
        return str(self.body["spec"].get("nodeName", ""))

    @property
    def terminating(self) -> bool:
        """Whether somebody has asked for its deletion."""
        return "deletionTimestamp" in self.body["metadata"]

    @property
    def live(self) -> bool:
        """Whether it counts towards `replicas`: neither finished nor Terminating."""
        return not self.terminating and not self.finished

    @property
    def finished(self) -> bool:
        """Whether it has come to its end, well or ill."""
        return self.phase in {"Failed", "Succeeded"}

    @property
    def ready(self) -> bool:
        """Whether it is live and Ready."""
        return self.live and self.condition("Ready").get("status") == "True"

    @property
    def containers(self) -> list[Json]:
        """The states of its containers, as far as a kubelet has told them."""
        return list(self.body["status"].get("containerStatuses") or ())

    @property
    def restarts(self) -> int:
        """How often its containers were restarted."""
        return sum(container["restartCount"] for container in self.containers)

    @property
    def ready_since(self) -> datetime:
        """When it became Ready, or ceased to be; whole seconds."""
        return datetime.fromisoformat(self.condition("Ready")["lastTransitionTime"])

    def condition(self, kind: str) -> Json:
        """One of its conditions; empty while it is not there."""
        conditions = self.body["status"].get("conditions") or ()
        return next((each for each in conditions if each["type"] == kind), {})


def pod_spec(**fields: object) -> Json:
    """A pod's spec with one container, and with these fields added or replaced."""
    container = {"name": "web", "image": "registry.k8s.io/pause:3.10"}
    return {"containers": [container], "terminationGracePeriodSeconds": 1, **fields}


def names(pods: Iterable[Pod]) -> set[str]:
    """The names of pods."""
    return {pod.name for pod in pods}


def uids(pods: Iterable[Pod]) -> set[str]:
    """The UIDs of pods."""
    return {pod.uid for pod in pods}

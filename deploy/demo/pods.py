"""What the demo needs to know of a pod, read from the API's own words and from nothing else.

The seat, the pod that was replaced and the moment it was missed are what the operator wrote on the pod for everybody
to read (labels and annotations of selfheal.dev); nothing here comes from the operator's memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from podgroup_operator.core import names

FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod, as the API shows it.

    Attributes:
        seat: its slot in the group; None for a pod that has none.
        owned: whether a PodGroup is its controller.
        lost_at: when the operator missed the pod that this one replaces, in seconds since the epoch.
        restarts: how often its containers were started again by its kubelet.
    """

    name: str
    uid: str
    seat: int | None = None
    owned: bool = False
    phase: str = "Pending"
    node: str = ""
    ready: bool = False
    leaving: bool = False
    replaces: str = ""
    lost_at: float | None = None
    restarts: int = 0

    @property
    def live(self) -> bool:
        """Whether it counts: neither finished nor told to end."""
        return not self.leaving and self.phase not in FINISHED


def read_pod(body: Mapping[str, Any]) -> Pod:
    """Read a pod from its JSON."""
    metadata, status = body["metadata"], body.get("status") or {}
    annotations = metadata.get("annotations") or {}
    seat = (metadata.get("labels") or {}).get(names.LABEL_SLOT, "")
    lost_at = annotations.get(names.ANNOTATION_LOST_AT)
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        seat=int(seat) if seat.isdecimal() else None,
        owned=any(
            owner.get("controller") and owner["kind"] == names.KIND for owner in metadata.get("ownerReferences") or ()
        ),
        phase=status.get("phase", "Pending"),
        node=(body.get("spec") or {}).get("nodeName", ""),
        ready=any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in status.get("conditions") or ()
        ),
        leaving="deletionTimestamp" in metadata,
        replaces=annotations.get(names.ANNOTATION_REPLACES, ""),
        lost_at=datetime.fromisoformat(lost_at).timestamp() if lost_at else None,
        restarts=sum(container["restartCount"] for container in status.get("containerStatuses") or ()),
    )

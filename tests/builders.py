"""Records of the core for tests: each builder gives the plainest one, and a test names only what matters to it.

The plainest group is `web` in namespace `shop`: three replicas, pods labelled `app: web`. The plainest pod is one
of its pods: running, Ready for an hour, on a node of its own.
"""

from dataclasses import replace
from typing import Any

from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Outcome, Plan
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.status import Healing, Status
from podgroup_operator.core.names import pod_name
from podgroup_operator.core.plan import plan
from podgroup_operator.core.selector import Selector
from podgroup_operator.core.status import summarize
from podgroup_operator.core.view import view_of

NOW = 1_700_000_000.0
HOUR = 3600.0
GROUP_UID = "0a1b2c3d-web"
OTHER_UID = "0a1b2c3d-other"
OWNER = ("shop", GROUP_UID)
LABELS = {"app": "web"}

PLAIN_GROUP = Desired(
    namespace="shop",
    name="web",
    uid=GROUP_UID,
    generation=1,
    replicas=3,
    selector=Selector((("app", "web"),)),
    template_labels=LABELS,
    revision="r1",
)


def desired(replicas: int = 3, **changes: Any) -> Desired:
    """Build what the plainest group asks for, with changes."""
    return replace(PLAIN_GROUP, replicas=replicas, **changes)


def pod(name: str = "web-0", **changes: Any) -> Pod:
    """Build a pod of the plainest group, with changes."""
    plain = Pod(
        namespace="shop",
        name=name,
        uid=f"uid-{name}",
        version=100,
        labels=LABELS,
        created=NOW - HOUR - 2,
        controller=GROUP_UID,
        phase=Phase.RUNNING,
        node=f"node-of-{name}",
        ready_since=NOW - HOUR,
        revision="r1",
    )
    return replace(plain, **changes)


def seated(*slots: int, **changes: Any) -> tuple[Pod, ...]:
    """Build one pod of the plainest group in each of the slots."""
    return tuple(pod(f"web-{slot}", slot=slot, **changes) for slot in slots)


def orphan(name: str = "stray", **changes: Any) -> Pod:
    """Build a pod that nobody controls and that the plainest group would take in."""
    return pod(name, **({"controller": "", "revision": ""} | changes))


def gone(name: str, **changes: Any) -> Pod:
    """Build a pod of the plainest group that somebody asked to go and that is still there."""
    return pod(name, **({"deleted": NOW - 1} | changes))


def observed(*pods: Pod, **changes: Any) -> Observed:
    """Build what is seen of the plainest group, whose pods that live have been healed for long."""
    return Observed(pods=pods, **({"status": Status(healing_start=NOW - HOUR)} | changes))


def loss(slot: int, name: str = "", **changes: Any) -> Loss:
    """Build the loss of a pod that somebody deleted a second ago."""
    return replace(Loss(slot, name or f"web-{slot}", Cause.DELETED, NOW - 1), **changes)


def create(slot: int, epoch: int = 0, lost: Loss | None = None, **changes: Any) -> Create:
    """Build the create that fills a slot of the plainest group."""
    return replace(Create(pod_name("web", GROUP_UID, slot, epoch), slot, epoch, "r1", lost), **changes)


def told(replicas: int, **changes: Any) -> Status:
    """Build a status that told of so many pods."""
    return Status(replicas=replicas, **changes)


def healed(total: int, **changes: Any) -> Status:
    """Build a status whose record has so many replacements."""
    return Status(healing=Healing(total=total, **changes))


def planned(group: Desired, seen: Observed, now: float = NOW) -> Plan:
    """Decide what a group needs."""
    return plan(view_of(group, seen, now))


def summarized(group: Desired, seen: Observed, outcome: Outcome, now: float = NOW) -> Status:
    """Tell how a group stands."""
    return summarize(view_of(group, seen, now), outcome, now)


def alive(pod: Pod) -> bool:
    """Tell whether a pod is neither finished nor on its way out."""
    return pod.deleted is None and pod.phase in {Phase.PENDING, Phase.RUNNING, Phase.UNKNOWN}


def wanted(pod: Pod) -> bool:
    """Tell whether a pod has the plainest group's labels."""
    return LABELS.items() <= pod.labels.items()

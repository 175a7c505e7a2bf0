"""What a PodGroup asks of its healing: `spec.healing`."""

from podgroup_operator.api.fields import Fields
from podgroup_operator.api.wire.strategy import read_share
from podgroup_operator.core.model.healing import DEFAULT, Wishes

LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
"""The taints of a lost node."""


def read_healing(healing: Fields) -> Wishes:
    """Read when pods that live are replaced; what is left out has its default."""
    return Wishes(
        paused=healing.flag("paused"),
        crash_loop_restarts=healing.number("crashLoopRestarts", DEFAULT.crash_loop_restarts, least=0),
        crash_loop_seconds=healing.number("crashLoopSeconds", DEFAULT.crash_loop_seconds, least=0),
        unready_seconds=healing.number("unreadySeconds", DEFAULT.unready_seconds, least=0),
        start_seconds=healing.number("startSeconds", DEFAULT.start_seconds, least=0),
        node_lost_seconds=healing.number("nodeLostSeconds", DEFAULT.node_lost_seconds, least=0),
        max_unavailable=read_share(healing, "maxUnavailable", DEFAULT.max_unavailable),
        surge_on_drain=healing.flag("surgeOnDrain"),
    )


def tolerated_seconds(pod: Fields) -> int | None:
    """Read for how long a template has its pods stay on a lost node; None is for ever, 0 where it says nothing of it.

    What admission adds to each pod (300 s) stands in no template. Of two tolerations the shorter counts, as for the
    eviction by taints.
    """
    found = [each for each in pod.maps("tolerations") if tolerates_loss(each)]
    times = [each.number("tolerationSeconds") for each in found if each.raw("tolerationSeconds") is not None]
    return max(min(times), 0) if times else (None if found else 0)


def tolerates_loss(toleration: Fields) -> bool:
    """Tell whether a toleration is one of a node that is not Ready, or not heard of."""
    if toleration.text("effect") not in ("", "NoExecute"):
        return False
    key = toleration.text("key")
    return key in LOST or (not key and toleration.text("operator") == "Exists")

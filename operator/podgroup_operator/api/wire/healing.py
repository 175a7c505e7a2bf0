"""What a PodGroup asks of its healing: `spec.healing`."""

from podgroup_operator.api.fields import Fields
from podgroup_operator.api.wire.strategy import read_share
from podgroup_operator.core.model.healing import DEFAULT, Wishes


def read_healing(healing: Fields) -> Wishes:
    """Read when pods that live are replaced; what is left out has its default."""
    return Wishes(
        paused=healing.flag("paused"),
        crash_loop_restarts=healing.number("crashLoopRestarts", DEFAULT.crash_loop_restarts, least=0),
        crash_loop_seconds=healing.number("crashLoopSeconds", DEFAULT.crash_loop_seconds, least=0),
        unready_seconds=healing.number("unreadySeconds", DEFAULT.unready_seconds, least=0),
        start_seconds=healing.number("startSeconds", DEFAULT.start_seconds, least=0),
        max_unavailable=read_share(healing, "maxUnavailable", DEFAULT.max_unavailable),
    )

"""What a group asks of its healing: `spec.healing`."""

from dataclasses import dataclass

from podgroup_operator.core.model.strategy import Share

ONE = Share(1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """When a pod that lives is replaced. 0 is never.

    Attributes:
        paused: nothing but plain replacement.
        crash_loop_restarts: after so many restarts of a container that crashes again and again.
        crash_loop_seconds: or after so many seconds of that, whichever comes first.
        unready_seconds: when it was Ready, and has not been for so long.
        start_seconds: when it has had a node for so long, and no container of it was ever started.
        node_lost_seconds: when its node has not been Ready for so long, or is gone.
        max_unavailable: how many pods may be on their way at once.
        surge_on_drain: the replacement of one whose node is drained comes before it goes.
    """

    paused: bool = False
    crash_loop_restarts: int = 5
    crash_loop_seconds: int = 300
    unready_seconds: int = 0
    start_seconds: int = 0
    node_lost_seconds: int = 60
    max_unavailable: Share = ONE
    surge_on_drain: bool = False

    def at_once(self, replicas: int) -> int:
        """Give how many of `replicas` may be on their way at once; at least one, a percentage rounded down."""
        return max(self.max_unavailable.of(replicas, up=False), 1)


DEFAULT = Wishes()

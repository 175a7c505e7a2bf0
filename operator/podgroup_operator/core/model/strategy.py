"""The strategy of a group: how a changed template reaches its pods, in numbers of pods.

The arithmetic is Deployment's (ResolveFenceposts, k8s.io/kubernetes pkg/controller/deployment/util/deployment_util.go):
a percentage of surge rounds up, one of unavailability down, and where both come to nothing one pod may be unavailable,
or no rollout would ever move. `partition` is StatefulSet's, as CloneSet has it: how many pods stay as they are, of a
percentage rounded up; less than 100 % leaves at least one to change.
"""

from dataclasses import dataclass
from enum import Enum

ALL = 100
"""Per cent."""


class StrategyType(Enum):
    """How pods of another revision are replaced: `spec.strategy.type`."""

    ROLLING_UPDATE = "RollingUpdate"
    RECREATE = "Recreate"
    ON_DELETE = "OnDelete"


@dataclass(frozen=True, slots=True)
class Share:
    """A number of pods, or a percentage of them (IntOrString)."""

    number: int
    percent: bool = False

    def of(self, replicas: int, *, up: bool) -> int:
        """Give it as a number of pods, a percentage rounded up or down."""
        if not self.percent:
            return self.number
        product = self.number * replicas
        return -(-product // 100) if up else product // 100


@dataclass(frozen=True, slots=True)
class Strategy:
    """`spec.strategy`, with Deployment's defaults."""

    type: StrategyType = StrategyType.ROLLING_UPDATE
    max_surge: Share = Share(25, percent=True)
    max_unavailable: Share = Share(25, percent=True)
    partition: Share = Share(0)
    in_place: bool = False

    @property
    def changes_in_place(self) -> bool:
        """Tell whether pods are patched where that will do."""
        return self.in_place and self.type is StrategyType.ROLLING_UPDATE

    def surge(self, replicas: int) -> int:
        """Give how many pods there may be beyond `replicas` while others are being replaced."""
        return self.max_surge.of(replicas, up=True) if self.type is StrategyType.ROLLING_UPDATE else 0

    def unavailable(self, replicas: int) -> int:
        """Give how many of `replicas` may be unavailable by our doing; where nothing is said of it, one at a time."""
        rolling = self.type is StrategyType.ROLLING_UPDATE
        down = self.max_unavailable.of(replicas, up=False) if rolling else 0
        return min(down or int(self.surge(replicas) == 0), replicas)

    def staying(self, replicas: int) -> int:
        """Give how many pods a rollout leaves as they are."""
        if self.type is not StrategyType.ROLLING_UPDATE:
            return 0
        stay = min(self.partition.of(replicas, up=True), replicas)
        partial = self.partition.percent and self.partition.number < ALL
        return min(stay, replicas - 1) if partial and replicas else stay


DEFAULT = Strategy()
"""What Deployment does where nothing is said."""

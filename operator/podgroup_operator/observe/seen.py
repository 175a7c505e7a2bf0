"""What the stream of pods alone can tell of a group: its pods, which were lost, how often each slot was filled.

It is the cache's, and goes when the last pod of a group that is gone goes.
"""

from dataclasses import dataclass, field

from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.pod import Pod


@dataclass(slots=True)
class Seen:
    """What the stream of pods has told of a group.

    Attributes:
        pods: by UID.
        epochs: the highest epoch seen, by slot.
        losses: the pods lost and not yet replaced, by slot; those that had none under negative numbers.
        corpse: the pod that failed early last.
        departed: how many pods are gone for good so far.
        sent: what was sent for pods that have lost some of it on their way and that have yet to be seen, by UID.
    """

    pods: dict[str, Pod] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    losses: dict[int, Loss] = field(default_factory=dict)
    corpse: Pod | None = None
    departed: int = 0
    sent: dict[str, Create] = field(default_factory=dict)

    def lose(self, loss: Loss) -> None:
        """Note a loss; of two in one seat, which a rollout fills twice for a moment, neither is forgotten."""
        known = self.losses.get(loss.slot)
        seated = loss.slot >= 0 and (known is None or known.pod == loss.pod)
        slot = loss.slot if seated else min([0, *self.losses]) - 1
        self.losses[slot] = loss

    def is_replaced(self, pod: Pod) -> bool:
        """Tell whether the pod is there that was made in the place of one which was to go."""
        return any(each.replaces == pod.name for each in self.pods.values())

    def made_good(self, loss: Loss) -> None:
        """Drop a loss that has its replacement, but not a newer one of the same slot: that may be the replacement."""
        for slot in [slot for slot, known in self.losses.items() if known.pod == loss.pod]:
            del self.losses[slot]

    def made_good_by(self, pod: Pod) -> None:
        """Drop the loss that a new pod replaces: its create may not have been answered."""
        for slot in [slot for slot, loss in self.losses.items() if loss.pod and loss.pod == pod.replaces]:
            del self.losses[slot]

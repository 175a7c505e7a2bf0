"""What can be done, each to one pod."""

from dataclasses import dataclass, field
from enum import Enum

from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane


@dataclass(frozen=True, slots=True)
class Adopt:
    """Make an orphan ours; `slot` is the seat it takes."""

    pod: Pod
    slot: int


@dataclass(frozen=True, slots=True)
class Release:
    """Let go of a pod whose labels no longer match."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a heal when it is decided; seconds each.

    Attributes:
        number: of the heal, counted up in its group.
        noticed: from the first sign until the pod counted as lost.
        decided: from then until its replacement was decided.
        waited: how much of that it was held back.
        waited_for: by what; "" if it was not.
    """

    number: int
    noticed: float = 0.0
    decided: float = 0.0
    waited: float = 0.0
    waited_for: str = ""


@dataclass(frozen=True, slots=True)
class Create:
    """Fill a slot.

    Attributes:
        name: of the new pod.
        slot: where it sits.
        epoch: how often the slot has been filled before.
        revision: of the template that it is made from.
        loss: which pod it replaces, if any.
        failures: how many pods have failed in a row.
        evidence: of the heal, if it is one.
        took: the seconds from the decision until it was answered; None if there was no answer.
        lane: in which it waits if it is refused: what is made beyond `replicas` holds up no replacement.
    """

    name: str
    slot: int
    epoch: int
    revision: str
    loss: Loss | None = None
    failures: int = 0
    lane: Lane = Lane.CREATE
    evidence: Evidence | None = field(default=None, compare=False)  # what is only told makes no other create
    took: float | None = field(default=None, compare=False)

    @property
    def heals(self) -> Loss | None:
        """Give the loss that it heals; one that was asked for is none."""
        return self.loss if self.loss and self.loss.heals else None


@dataclass(frozen=True, slots=True)
class Change:
    """Bring a pod to another revision in place; `last`: nothing is left to be written but its label."""

    pod: Pod
    revision: str
    last: bool = False


class Why(Enum):
    """Why a pod is removed."""

    SURPLUS = "there is one too many"
    OUTDATED = "it is of another revision"
    ASKED = "somebody has asked for its replacement"
    SICK = "it ails, and does not get well by itself"
    MAINTAINED = "its node is under maintenance, and its replacement is available"
    HISTORY = "it has finished, and enough others are kept for a look"


class How(Enum):
    """In which way a pod is removed."""

    DELETE = "delete"
    FORCE = "force"  # without the word of its kubelet
    EVICT = "evict"  # which a PodDisruptionBudget may refuse


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a pod away; `loss` is what that is to its group, if it is to be replaced for what ails it."""

    pod: Pod
    why: Why
    how: How = How.DELETE
    loss: Loss | None = None

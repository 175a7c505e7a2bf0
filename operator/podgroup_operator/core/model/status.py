"""What is told of a group."""

from dataclasses import dataclass

from podgroup_operator.core.names import REASON_TEMPLATE_INVALID


@dataclass(frozen=True, slots=True)
class Condition:
    """A metav1.Condition."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int
    since: float  # lastTransitionTime


@dataclass(frozen=True, slots=True)
class Healing:
    """The record of replacements, `status.healing`."""

    total: int = 0
    last_time: float | None = None
    last_cause: str = ""
    last_pod: str = ""
    last_replacement: str = ""
    last_recovery_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far the way to a revision has come, `status.rollout`: what a restart must not forget.

    Attributes:
        revision: the pods go there; "" if no rollout was ever begun.
        start: when it was begun.
        last_progress: when it last went on, or something excused that it did not.
        updated_most: the most pods of the revision there were at once.
        available_most: the most of them that were available.
        first_available: when the first of them was; None while none has been.
        rolled_back_from: the revision that missed its deadline, if this is the way back.
    """

    revision: str = ""
    start: float = 0.0
    last_progress: float = 0.0
    updated_most: int = 0
    available_most: int = 0
    first_available: float | None = None
    rolled_back_from: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A PodGroup's status, with the conditions that are ours to write; those of others stay in the object."""

    observed_generation: int = 0
    replicas: int = 0
    ready: int = 0
    available: int = 0
    updated: int = 0
    unavailable: int = 0
    fully_labeled: int = 0
    terminating: int = 0
    failed: int = 0
    selector: str = ""
    current_revision: str = ""  # that the pods had before, and of which all pods are when a rollout has ended
    update_revision: str = ""  # of spec.template
    template_generation: int = 0  # of which generation spec.template is that
    last_available_revision: str = ""
    rollout: Rollout = Rollout()
    healing_start: float | None = None  # from when on pods that live are healed
    healing: Healing = Healing()
    conditions: tuple[Condition, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Tell whether spec.template is refused, so that the update revision is still that of an earlier one."""
        return any(condition.reason == REASON_TEMPLATE_INVALID for condition in self.conditions)

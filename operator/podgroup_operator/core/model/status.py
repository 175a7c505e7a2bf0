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
class Heal:
    """One replacement, in short: `status.healing.recent`.

    Attributes:
        number: counted up in its group; gaps are possible, the same twice is not.
        cause: why the pod was lost.
        pod: its name.
        node: where it was.
        seen: what was seen of it, a reason and an exit code.
        replacement: the name of the pod in its place.
        lost: when it was lost.
        began: when the first sign of that was seen.
        created: the seconds from the decision until the replacement was made.
        noticed: those from the first sign until the pod counted as lost.
        decided: those from then until the replacement was decided.
        waited: for how many of these it was held back.
        waited_for: by what.
        scheduled: those from the create until the replacement had a node; None while it has none.
        ready: those from then until it was Ready; None while it is not.
        replacement_node: where it is; "" while nobody knows.
        attempt: how many were replaced in a row with it, for they ailed from birth on.
        approximate: nobody was watching, and some stages are good to a second only.
        unusual: how many times as long as the others of its cause it took; None if that is not worth a word.
    """

    number: int
    cause: str
    pod: str
    node: str
    seen: str
    replacement: str
    lost: float
    began: float
    created: float
    noticed: float = 0.0
    decided: float = 0.0
    waited: float = 0.0
    waited_for: str = ""
    scheduled: float | None = None
    ready: float | None = None
    replacement_node: str = ""
    attempt: int = 0
    approximate: bool = False
    unusual: float | None = None

    @property
    def recovery(self) -> float | None:
        """Give the seconds that all stages took together; None while they have not ended."""
        if self.scheduled is None or self.ready is None:
            return None
        return round(self.noticed + self.decided + self.created + self.scheduled + self.ready, 3)


@dataclass(frozen=True, slots=True)
class Healing:
    """The record of replacements, `status.healing`.

    Attributes:
        by_cause: how many there were of each cause, in alphabetical order.
        recent: the last ones, the newest first.
    """

    total: int = 0
    last_time: float | None = None
    last_cause: str = ""
    last_pod: str = ""
    last_replacement: str = ""
    last_recovery_seconds: float | None = None
    by_cause: tuple[tuple[str, int], ...] = ()
    recent: tuple[Heal, ...] = ()


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

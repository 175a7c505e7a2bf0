"""What is told of a group."""

from dataclasses import dataclass


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
    healing: Healing = Healing()
    conditions: tuple[Condition, ...] = ()

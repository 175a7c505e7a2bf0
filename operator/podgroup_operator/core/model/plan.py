"""What shall be done for a group, and what became of it."""

from dataclasses import dataclass

from podgroup_operator.core.model.actions import Adopt, Change, Create, Release, Remove


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to do for a group now, and when to look again.

    Attributes:
        missing: `replicas` minus the active pods; negative when there are too many.
        held: how many creates are held back, for pods keep failing or are deleted as soon as they are made.
        why_held: that, in words; "" if none are held.
        suppressed: why pods that ail are left, in words; "" if none are.
        look_again: when the passing of time alone can change the plan or the status, in seconds since the epoch.
    """

    missing: int = 0
    held: int = 0
    why_held: str = ""
    adopts: tuple[Adopt, ...] = ()
    releases: tuple[Release, ...] = ()
    creates: tuple[Create, ...] = ()
    removes: tuple[Remove, ...] = ()
    changes: tuple[Change, ...] = ()
    look_again: float | None = None
    suppressed: str = ""

    @property
    def empty(self) -> bool:
        """Tell whether nothing is to be done."""
        return not (self.adopts or self.releases or self.creates or self.removes or self.changes)


@dataclass(frozen=True, slots=True)
class Failure:
    """An action that the API server refused, in its own words.

    Attributes:
        reason: the Event's and the condition's: FailedCreate, FailedDelete.
        message: the words, for the group's own status.
        note: what may be said elsewhere, where no value of the template must appear; "" is the message.
        forbidden: whether a permission, a quota or a policy is the cause, which only a person can change.
    """

    reason: str
    message: str
    note: str = ""
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan.

    Attributes:
        created: what was created now.
        removed: what was removed now.
        failures: what could not be done.
        suppressed: why pods that ail were not taken away, in words.
        unheard: what was created without an answer, now or earlier, and has shown itself since.
    """

    created: tuple[Create, ...] = ()
    removed: tuple[Remove, ...] = ()
    failures: tuple[Failure, ...] = ()
    unheard: tuple[Create, ...] = ()
    suppressed: tuple[str, ...] = ()

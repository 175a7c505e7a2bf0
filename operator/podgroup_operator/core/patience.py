"""Patience: creates that would only go on with a streak of failures are held back, each template's by its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from podgroup_operator.core.backoff import CALM, in_words, next_try, restrain
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.view import View


@dataclass(frozen=True, slots=True)
class Patience:
    """What of some creates may be made now.

    Attributes:
        creates: that.
        held: how many may not.
        why: why, in words; "" if none are held.
        look_again: when the next of them may be tried, if nothing else happens before.
    """

    creates: tuple[Create, ...]
    held: int = 0
    why: str = ""
    look_again: float | None = None


def wait_for(wanted: Sequence[Create], view: View, active: Sequence[Pod], *, first_look: bool) -> Patience:
    """Hold back what would only go on with a streak of failures.

    Args:
        wanted: what is missing.
        view: the group.
        active: the pods that count, those that are taken in in this very plan among them.
        first_look: what was lost before is not all known.
    """
    allowed = dict[str, Create]()
    for revision in dict.fromkeys(create.revision for create in wanted):
        ours = [create for create in wanted if create.revision == revision]
        found = view.streaks.get(revision, CALM)
        allowed |= {each.name: each for each in restrain(ours, found, active, view.now, first_look=first_look)}
    creates = tuple(allowed[create.name] for create in wanted if create.name in allowed)
    waiting = dict.fromkeys(create.revision for create in wanted if create.name not in allowed)
    streaks = [view.streaks[revision] for revision in waiting]
    times = [next_try(found, active, view.now) for found in streaks]
    return Patience(
        creates=creates,
        held=len(wanted) - len(creates),
        why=" ".join(map(in_words, streaks)),
        look_again=min((time for time in times if time is not None), default=None),
    )

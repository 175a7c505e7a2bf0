"""What was found out about changing pods of other revisions in place."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from podgroup_operator.core.difference import Difference, Target
from podgroup_operator.core.model.changing import Ease


@dataclass(slots=True)
class Comparison:
    """What tells revisions apart from one.

    Attributes:
        revision: that one; it differs in nothing from itself.
        target: what its containers are; None as long as nothing was compared.
        differences: of each other revision; None where it takes another pod.
        unknown: the revisions of which that is yet to be found out.
    """

    revision: str = ""
    target: Target | None = None
    differences: dict[str, Difference | None] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def take(self, revision: str, difference: Difference | None) -> None:
        """Note what tells a revision apart."""
        self.differences[revision] = difference
        self.unknown.discard(revision)

    def give_up(self) -> None:
        """Note that it cannot be found out."""
        for each in tuple(self.unknown):
            self.take(each, None)

    def eases(self) -> Mapping[str, Ease]:
        """Give what it takes to bring a pod of each revision to this one."""
        known = {each: ease_of(found) for each, found in self.differences.items()}
        return {self.revision: Ease.GENTLE, **known, **dict.fromkeys(self.unknown, Ease.UNKNOWN)}


def ease_of(difference: Difference | None) -> Ease:
    """Tell what a difference takes."""
    if difference is None:
        return Ease.NEVER
    return Ease.RESTART if difference.restarting else Ease.GENTLE

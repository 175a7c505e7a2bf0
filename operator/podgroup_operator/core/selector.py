"""LabelSelector: which pods a group may claim.

The meaning is that of metav1.LabelSelector: all of `matchLabels` and all of `matchExpressions` must hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Operator(Enum):
    """The operators of a LabelSelectorRequirement."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of `matchExpressions`."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet this requirement; a missing key meets NotIn, as upstream."""
        match self.operator:
            case Operator.IN:
                return self.key in labels and labels[self.key] in self.values
            case Operator.NOT_IN:
                return self.key not in labels or labels[self.key] not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels

    def __str__(self) -> str:
        """Write the requirement as kubectl's `--selector` does."""
        values = ",".join(sorted(self.values))
        match self.operator:
            case Operator.IN:
                return f"{self.key} in ({values})"
            case Operator.NOT_IN:
                return f"{self.key} notin ({values})"
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector that is never empty: an empty one would claim every orphan of the namespace."""

    labels: tuple[tuple[str, str], ...] = ()
    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether a pod with these labels belongs to the group."""
        for key, value in self.labels:
            if labels.get(key) != value:
                return False
        for requirement in self.requirements:
            if not requirement.matches(labels):
                return False
        return bool(self.labels or self.requirements)

    def names(self, key: str) -> bool:
        """Tell whether the selector says anything of a label."""
        return any(key == each for each, _ in self.labels) or any(key == each.key for each in self.requirements)

    def __str__(self) -> str:
        """Serialise for `status.selector`, which the scale subresource hands to the HPA."""
        terms = [f"{key}={value}" for key, value in self.labels]
        return ",".join(terms + [str(requirement) for requirement in self.requirements])

"""Finding what a selector matches without asking everybody: an index by label, of pods or of selectors.

A namespace may have ten thousand bare pods and a thousand groups, and each pod's event and each look at a group would
otherwise cost as much as there are of the others.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from podgroup_operator.core.selector import Operator, Selector

Pair = tuple[str, str]


def choices(selector: Selector) -> list[tuple[Pair, ...]]:
    """Give sets of labels of each of which whatever matches bears one at least; none if nothing can be said."""
    values = [
        tuple((each.key, value) for value in sorted(each.values))
        for each in selector.requirements
        if each.operator is Operator.IN
    ]
    return [((key, value),) for key, value in selector.labels] + values


class Labelled:
    """Names (of pods: UIDs) by the labels they bear."""

    def __init__(self) -> None:
        self._names: dict[Pair, set[str]] = defaultdict(set)

    def add(self, name: str, labels: Mapping[str, str]) -> None:
        """Note that this one bears these labels."""
        for pair in labels.items():
            self._names[pair].add(name)

    def remove(self, name: str, labels: Mapping[str, str]) -> None:
        """Take it out again."""
        for pair in labels.items():
            names = self._names[pair]
            names.discard(name)
            if not names:
                del self._names[pair]

    def candidates(self, selector: Selector) -> Collection[str] | None:
        """Give all that may match, the fewest that are found with ease; None is whoever there is."""
        found = [
            [self._names[pair] for pair in pairs if pair in self._names]  # a label is one value, so none comes twice
            for pairs in choices(selector)
        ]
        if not found:
            return None
        fewest = min(found, key=lambda sets: sum(map(len, sets)))
        return [name for names in fewest for name in names]


class Selecting:
    """Names (of groups) by a label that whatever they select bears."""

    def __init__(self) -> None:
        self._names: dict[Pair, set[str]] = defaultdict(set)
        self._pairs: dict[str, tuple[Pair, ...]] = {}
        self._anything: set[str] = set()

    def add(self, name: str, selector: Selector) -> None:
        """Note that this one selects so; of its labels the one that the fewest others ask for is its door."""
        self.remove(name)
        found = choices(selector)
        if found:
            pairs = min(found, key=lambda pairs: sum(len(self._names.get(pair, ())) for pair in pairs))
            self._pairs[name] = pairs
            for pair in pairs:
                self._names[pair].add(name)
        elif selector.requirements:
            self._anything.add(name)

    def remove(self, name: str) -> None:
        """Take it out again."""
        self._anything.discard(name)
        for pair in self._pairs.pop(name, ()):
            names = self._names[pair]
            names.discard(name)
            if not names:
                del self._names[pair]

    def candidates(self, labels: Mapping[str, str]) -> Collection[str]:
        """Give all that may select what bears these labels."""
        return self._anything.union(*(self._names[pair] for pair in labels.items() if pair in self._names))

    def __bool__(self) -> bool:
        """Tell whether there is anybody."""
        return bool(self._pairs or self._anything)

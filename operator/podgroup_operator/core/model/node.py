"""A node: the little that healing needs to know of it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    Attributes:
        version: resourceVersion.
        ready: whether it says that it is; one that has not said anything for a while is not.
        lost_since: since when it has been seen not to be Ready, or gone, by our own clock; None while it is.
        gone: there is no such object any more.
        out_of_service: a person has said that it is off, and its pods with it (KEP-2268).
        maintained: it is drained, or about to be: its pods have to go.
    """

    name: str
    uid: str
    version: int
    ready: bool = True
    lost_since: float | None = None
    gone: bool = False
    out_of_service: bool = False
    maintained: bool = False

    @property
    def is_dead(self) -> bool:
        """Tell whether it is certain that nothing runs there any more."""
        return self.gone or self.out_of_service


@dataclass(frozen=True, slots=True)
class Storm:
    """Whether so many nodes are lost at once that it is hardly they who are at fault.

    Attributes:
        raging: whether that is so now.
        until: until when nothing is healed for the sake of nodes after it has calmed, in seconds since the epoch.
        lost: how many nodes are lost.
        nodes: of how many.
    """

    raging: bool = False
    until: float = 0.0
    lost: int = 0
    nodes: int = 0

    @property
    def over(self) -> float:
        """Give from when on something may be done for the sake of nodes; infinity while it rages."""
        return math.inf if self.raging else self.until

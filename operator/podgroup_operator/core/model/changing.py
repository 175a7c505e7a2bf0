"""A change in place: a pod on its way from one revision to another, its containers patched where they run."""

from dataclasses import dataclass
from enum import Enum, IntEnum

BETWEEN = "(between two)"
"""The revision of a pod on its way: none that a pod shall ever have."""


class Ease(IntEnum):
    """What it takes to bring a pod of one revision to another in place; ordered, the easiest first."""

    GENTLE = 0  # nothing restarts
    RESTART = 1  # containers restart
    UNKNOWN = 2  # that is yet to be found out
    NEVER = 3  # it has to be replaced


class Stage(Enum):
    """How far a change in place has come."""

    UNWRITTEN = "some of it is yet to be written"
    UNSEEN = "the node is yet to take it up"
    RUNNING = "a container that is to restart still runs as it was"
    STARTING = "none runs as it was, and the node is at work"
    DONE = "the node has done it"
    REFUSED = "the node cannot do it"


@dataclass(frozen=True, slots=True)
class Changing:
    """A change in place that is under way.

    Attributes:
        former: the revision that the pod's label still names.
        to: the one that it is on its way to.
        restarts: whether any container restarts for it.
        stage: how far it has come.
        until: when it has come to nothing should it stay at this stage, in seconds since the epoch.
    """

    former: str
    to: str
    restarts: bool
    stage: Stage
    until: float

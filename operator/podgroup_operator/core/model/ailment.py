"""What a living pod suffers from."""

from dataclasses import dataclass

from podgroup_operator.core.model.loss import Cause


@dataclass(frozen=True, slots=True)
class Ailment:
    """What a living pod suffers from.

    Attributes:
        cause: by which its replacement will be known.
        since: since when it is seen.
        due: from when on it counts as sick, in seconds since the epoch; infinity if time alone does not make it so.
        seen: what is seen of it, in words that may stand anywhere: a reason and a number, no text of the program's.
        elsewhere: whether it may be the node's fault, so that the replacement should avoid that.
    """

    cause: Cause
    since: float
    due: float
    seen: str
    elsewhere: bool = True

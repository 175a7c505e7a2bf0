"""What the API server did not accept, and which kind of write that holds up."""

from dataclasses import dataclass
from enum import Enum


class Lane(Enum):
    """A kind of write. What one is refused holds no other back, and success in one ends no other's pause."""

    CREATE = "create"
    SURGE = "surge"  # creates beyond `replicas`
    REMOVE = "remove"
    EVICT = "evict"
    CLAIM = "claim"
    CHANGE = "change"  # in place
    TELL = "tell"  # the status
    REVISE = "revise"  # the revisions


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server's own words on what it did not accept.

    Attributes:
        message: the words.
        wait: seconds until it is worth asking again; 0 or less is now.
        forbidden: by a permission, a quota or a policy: only a person can change that.
        advice: what a person can do, where waiting will not help; "" where it may.
        revision: which template is refused; "" if it is something else.
    """

    message: str
    wait: float = 0.0
    forbidden: bool = False
    advice: str = ""
    revision: str = ""

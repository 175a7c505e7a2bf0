"""What one policy contributes to a plan."""

from dataclasses import dataclass

from podgroup_operator.core.model.actions import Adopt, Change, Create, Release, Remove


@dataclass(frozen=True, slots=True)
class Step:
    """The actions of one policy, and when it wants to be asked again.

    Attributes:
        held: how many creates it holds back.
        why_held: why, in words.
        suppressed: why pods that ail are left, in words.
        look_again: when time alone will change its mind, in seconds since the epoch.
    """

    adopts: tuple[Adopt, ...] = ()
    releases: tuple[Release, ...] = ()
    creates: tuple[Create, ...] = ()
    removes: tuple[Remove, ...] = ()
    changes: tuple[Change, ...] = ()
    held: int = 0
    why_held: str = ""
    look_again: float | None = None
    suppressed: str = ""

"""A plan: what people do, what goes wrong meanwhile, and how much of that excuses the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.strike import Strike

PATIENCE = 60.0
"""Seconds; most groups are complete after one, on a busy machine after many."""


@dataclass(frozen=True)
class Plan:
    """One run of a scenario with its faults.

    Attributes:
        name: says what goes wrong.
        scenario: its name in `SCENARIOS`.
        strikes: what goes wrong.
        seed: what the plan was drawn with; 0 if it was not drawn.
        in_the_middle: whether it begins at the scenario's trouble and not at the operator's start; watches that are
            open then are cut, so that they begin anew.
        seconds: how long it lasts; None until it has struck as often as it says.
        pause: seconds for which the operator may rest after it.
        blind: seconds for which it may keep news from the operator.
        operators: how many run at once.
        elect: whether they elect a leader; else all act.
        variant: how the operator is deliberately broken, as `broken_operator.py` knows it; "" is not at all.
        patience: seconds until a group must be complete, if nothing excuses more.
    """

    name: str
    scenario: str
    strikes: tuple[Strike, ...] = ()
    seed: int = 0
    in_the_middle: bool = False
    seconds: float | None = None
    pause: float = 3.0
    blind: float = 0.0
    operators: int = 1
    elect: bool = False
    variant: str = ""
    patience: float = PATIENCE

    @property
    def deadline(self) -> float:
        """Seconds until a group must be complete after a step of the scenario."""
        return self.patience + (self.seconds or 0.0) + self.pause

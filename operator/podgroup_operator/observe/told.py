"""What has been told of a group to people, and how often."""

import math
import time
from collections import Counter
from dataclasses import dataclass, field

from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.status import Heal, Healing

SETTLING = 0.1
"""Seconds after a create until it is told: where the pod is Ready by then, that is told with it."""

LONGEST_SETTLING = 0.25
"""Seconds; where one create follows another the first of them need not wait for the last."""

EVENTS_AT_ONCE = 25
SECONDS_AN_EVENT = 10.0


@dataclass(slots=True)
class Allowance:
    """How many Events a group may still send, and what it could not (after client-go's spam filter).

    Attributes:
        group: of which they tell.
    """

    group: Desired | None = None
    tokens: float = EVENTS_AT_ONCE
    filled: float = field(default_factory=time.monotonic)
    held_back: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self) -> bool:
        """Use up one Event's worth, if there is one."""
        now = time.monotonic()
        self.tokens = min(self.tokens + (now - self.filled) / SECONDS_AN_EVENT, EVENTS_AT_ONCE)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class Told:
    """What has been told of a group.

    Attributes:
        healing: the record of replacements including those not yet in the status.
        recovering: the replacements that are not Ready yet, by name.
        held: why creates were held back, as the last Event told it; "" when they are not.
        suppressed: why pods that ail are left, as the last Event told it; "" when none are.
        rolled_back: from which revision, as the last Event told it; "" when it was not.
        due: when the next status may be written, in monotonic seconds: two are a while apart.
        settled: when what was created first and is not told yet is told at the latest, in monotonic seconds.
        quiet_until: until when a look that nothing urgent asks for may wait, in monotonic seconds.
        allowance: of Events.
    """

    healing: Healing = field(default_factory=Healing)
    recovering: dict[str, Heal] = field(default_factory=dict)
    held: str = ""
    suppressed: str = ""
    rolled_back: str = ""
    due: float = 0.0
    settled: float = math.inf
    quiet_until: float = 0.0
    allowance: Allowance = field(default_factory=Allowance)

    def settle(self, now: float) -> None:
        """Leave what was created a moment to become Ready."""
        self.settled = min(self.settled, now + LONGEST_SETTLING)
        self.due = max(self.due, min(now + SETTLING, self.settled))

    def sent(self, next_one: float) -> None:
        """Note that a status is sent, and when the next one may be."""
        self.due, self.settled = next_one, math.inf

    def begin(self) -> None:
        """Begin a tenure: others have told since; but what we have counted and not told, nobody else knows of."""
        self.held, self.due, self.settled, self.quiet_until = "", 0.0, math.inf, 0.0

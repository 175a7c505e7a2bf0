"""What may happen to a request on its way: the weather changes, and each request meets with what it brings.

A request may be late, lost before or after its effect, refused, or held up by a webhook; a watch may be cut, silent,
late or too old. Each is drawn from the simulation's one source of chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakeapi.errors import StatusError

if TYPE_CHECKING:
    from random import Random

    from simulate.asked import Asked

REASONS = {409: "Conflict", 422: "Invalid", 403: "Forbidden"}
FAILS = (429, 500, 503)
NOES = (403, 409, 422)


@dataclass
class Weather:
    """What requests meet with now; fine at first.

    Attributes:
        late: the chance that a request or its answer takes seconds.
        lost: the chance that a request never arrives, or its answer does not; half of them without a sign.
        failing: the chance that the API server answers with 429, 500 or 503 instead of doing anything.
        refusing: for a kind of request such as "create pods" the chance that it is refused with 403, 409 or 422.
        out: what everything is answered with: 429, 500 or 503; 0 is no connection at all; None is no outage.
        cut_off: the names of the processes of which no packet arrives, nor any at them.
        hanging: seconds that the API server takes for each read of a PodGroup, by the name of the process.
        hooks: seconds that a webhook takes for each write to a namespace's pods.
        torn: the chance that a watch is cut after an event.
        silent: watches say nothing more.
        expired: every watch is answered with 410.
        lag: seconds by which watches may be behind.
    """

    late: float = 0.0
    lost: float = 0.0
    failing: float = 0.0
    refusing: dict[str, float] = field(default_factory=dict)
    out: int | None = None
    cut_off: set[str] = field(default_factory=set)
    hanging: dict[str, float] = field(default_factory=dict)
    hooks: dict[str, float] = field(default_factory=dict)
    torn: float = 0.0
    silent: bool = False
    expired: bool = False
    lag: float = 0.0

    def clear_up(self) -> None:
        """Be fine again."""
        self.__dict__.update(Weather().__dict__)

    def delay(self, chance: Random) -> float:
        """Draw for how many seconds a request or an answer is on its way."""
        if chance.random() < self.late:
            return chance.choice((0.1, 0.5, 2.0, 6.0, 12.0)) * chance.uniform(0.5, 1.5)
        return chance.uniform(0.0005, 0.004)

    def work(self, chance: Random, asked: Asked) -> float:
        """Draw for how many seconds the API server is busy with a request before it does what is asked."""
        if asked.writes and asked.resource == "pods" and asked.namespace in self.hooks:
            return min(self.hooks[asked.namespace] * chance.uniform(0.9, 1.1), 30.0)
        return self.hanging.get(asked.process.name, 0.0) if asked.key == "get podgroups" else 0.0

    def loses(self, chance: Random, process: str) -> bool:
        """Draw whether a packet is lost."""
        return process in self.cut_off or chance.random() < self.lost

    def refusal(self, chance: Random, asked: Asked) -> StatusError | None:
        """Draw whether the API server refuses a request before it does anything."""
        if self.out:
            return failed(self.out, chance)
        if chance.random() < self.failing:
            return failed(chance.choice(FAILS), chance)
        if self.expired and asked.verb == "watch":
            return StatusError(410, "too old resource version")
        if chance.random() < self.refusing.get(asked.key, 0.0):
            code = chance.choice(NOES)
            return StatusError(code, f"the simulation's policy says no to {asked.key}", reason=REASONS[code])
        return None


def failed(code: int, chance: Random) -> StatusError:
    """Give a server's failure; 429 says when to come again."""
    return StatusError(
        code, "the simulation's API server is not well", retry_after=chance.choice((1, 1, 2)) if code == 429 else None
    )

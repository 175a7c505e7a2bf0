"""Which requests a fault strikes. The faults are those of `fakeapi.faults`, and the end of the operator."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakeapi.faults import Answer, Cut, CutLine, Delay, ErrorEvent, Silence

if TYPE_CHECKING:
    from faults.asked import Asked


@dataclass(frozen=True)
class Crash:
    """The operator is ended, with `after` right after the request had its effect, and is started again.

    Attributes:
        by: SIGKILL, or SIGTERM, on which the operator puts its things in order.
    """

    by: signal.Signals = signal.SIGKILL
    after: bool = True


RequestFault = Answer | Cut | Delay | Crash
WatchFault = CutLine | ErrorEvent | Silence
Fault = RequestFault | WatchFault


@dataclass(frozen=True)
class Strike:
    """A fault for some requests.

    Attributes:
        fault: what happens.
        key: the kind of request, as `Asked.key`; "" is every request.
        nth: the first of them that is struck, counted from 1.
        times: how many are struck from there on; None is all.
        operator: whose requests are struck, if not everybody's.
    """

    fault: Fault
    key: str = ""
    nth: int = 1
    times: int | None = 1
    operator: int | None = None

    def __str__(self) -> str:
        which = f"{self.key or 'request'} {self.nth}" + ("" if self.times == 1 else f"+{self.times or 'all'}")
        which += "" if self.operator is None else f" of operator {self.operator}"
        return f"{describe(self.fault)}@{which}"


def describe(fault: Fault) -> str:
    """Name a fault in a word or two."""
    if isinstance(fault, WatchFault):
        return describe_stream(fault)
    after = "-after" if fault.after else ""
    match fault:
        case Answer():
            wait = f"-retry{fault.retry_after}" if fault.retry_after else ""
            return f"{fault.code}{wait}{after}"
        case Cut():
            return "lost-answer" if fault.after else "reset"
        case Delay():
            return f"late-{fault.seconds:g}s{after}"
        case Crash():
            return f"{fault.by.name.lower()}{after}"


def describe_stream(fault: WatchFault) -> str:
    """Name what goes wrong with a watch that is open."""
    match fault:
        case CutLine():
            return f"cut-line-{fault.events}"
        case ErrorEvent():
            return f"error-event-{fault.code}-{fault.events}"
        case Silence():
            return "silence"


@dataclass(eq=False)
class Strikes:
    """The strikes in force.

    Attributes:
        hits: how many requests were struck.
        last: when the last one was, in seconds of the monotonic clock.
    """

    strikes: list[Strike] = field(default_factory=list)
    hits: int = 0
    last: float = 0.0
    _seen: dict[int, int] = field(default_factory=dict)

    def add(self, strike: Strike) -> None:
        """Put a strike in force; it counts the requests from now on."""
        self.strikes.append(strike)

    def clear(self) -> None:
        """Let everything work again."""
        self.strikes.clear()

    def on(self, asked: Asked) -> list[Fault]:
        """Count a request, and give the faults that strike it."""
        faults = []
        for strike in self.strikes:
            if strike.key not in {"", asked.key} or strike.operator not in {None, asked.operator}:
                continue
            number = self._seen[id(strike)] = self._seen.get(id(strike), 0) + 1
            if number >= strike.nth and (strike.times is None or number < strike.nth + strike.times):
                faults.append(strike.fault)
        if faults:
            self.hits += 1
            self.last = time.monotonic()
        return faults

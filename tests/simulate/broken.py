"""The operator, deliberately broken in one way: only to show that the simulation sees it.

Each variant but the last two is a fault that the operator once had. They were found by reading: what simulated the
world then had an `apply` of its own, and neither a fence nor a clock.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
from typing import TYPE_CHECKING, Any

from podgroup_operator import reconcile, run
from podgroup_operator.act import removals
from podgroup_operator.api import writer
from podgroup_operator.observe import informer, lanes
from podgroup_operator.observe.memory import Memory
from podgroup_operator.observe.written import Leaving, Sent, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from podgroup_operator.core.model.actions import Create
    from podgroup_operator.core.model.plan import Plan


def put(owner: object, name: str, broken: object) -> None:
    """Put something broken in the place of what must be there."""
    assert hasattr(owner, name), f"{owner} has no {name} any more: break what took its place"
    setattr(owner, name, broken)


def condemn_what_the_fence_spares() -> None:
    """Remember a pod as deleted whose delete was never sent: its group waits for its end for ever."""
    carry_out = removals.Removing.carry_out

    async def forgetful(self: Any, plan: Plan) -> None:
        await carry_out(self, plan)
        progress = self._progress
        for what in plan.removes if progress.fenced else ():
            progress.written.leaving.setdefault(what.pod.uid, Leaving(what.pod, what.why, 0.0, answered=True))

    async def ask_nothing(*_: object) -> None:
        pass

    put(removals.Removing, "carry_out", forgetful)
    put(reconcile, "ask_about_leaving", ask_nothing)


def write_on_after_sigterm() -> None:
    """Give the Lease back at once, while looks and their writes go on for a second."""

    async def until_stopped(operator: run.Operator, work: Coroutine[Any, Any, None]) -> bool:
        going_on = asyncio.ensure_future(work)
        await operator._stop.wait()  # noqa: SLF001 - it is broken on purpose
        asyncio.get_running_loop().call_later(1.0, going_on.cancel)
        return not going_on.done()

    put(run.Operator, "_unless_stopped", until_stopped)


def go_on_in_a_later_tenure() -> None:
    """Send what was decided before another operator led, if we lead again."""
    send = writer.Writes.send

    async def late(self: Any, by: writer.Writer, method: str, path: str, body: Any, **options: Any) -> Any:
        now = self.writer(by.namespace, by.group).tenure
        return await send(self, dataclasses.replace(by, tenure=now), method, path, body, **options)

    put(writer.Writes, "send", late)


def never_rest() -> None:
    """Ask at once again for what was refused."""
    put(lanes, "pause_after", lambda *_: 0.0)


def list_at_once() -> None:
    """Take each 410 for everyday life, also right after a list."""
    put(informer, "TOO_SOON", -math.inf)


def double_every_pause() -> None:
    """Wait twice as long after each refusal, however much was accepted beside it."""
    refused = lanes.LaneMemory.refused

    def doubled(self: lanes.LaneMemory, *arguments: Any, mostly: bool, **options: Any) -> None:
        refused(self, *arguments, mostly=True, **options)

    put(lanes.LaneMemory, "refused", doubled)


def expect_nothing() -> None:
    """Decide without waiting until the cache shows our own writes."""
    put(Memory, "caught_up", lambda *_: True)


class Clinging(dict[str, Sent]):
    """Lets nothing go."""

    def pop(self, *_: object) -> None:  # type: ignore[override]
        """Keep it."""


def count_twice() -> None:
    """Take each create for one that was not answered."""
    sending = Written.sending

    def cling(self: Written, create: Create) -> bool:
        self.open = Clinging(self.open)
        return sending(self, create)

    put(Written, "sending", cling)


VARIANTS: dict[str, Callable[[], None]] = {
    variant.__name__: variant
    for variant in (
        condemn_what_the_fence_spares,
        write_on_after_sigterm,
        go_on_in_a_later_tenure,
        never_rest,
        list_at_once,
        double_every_pause,
        expect_nothing,
        count_twice,
    )
}

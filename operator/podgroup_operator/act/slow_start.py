"""Slow start: 1, 2, 4 and so on at once, and an end when that is of no use (ReplicaSet's slowStartBatch)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Action = TypeVar("Action")

IN_VAIN = 2
"""Batches in a row of which nothing was accepted; a single pod that is protected stops no others."""


async def start_slowly(
    actions: Sequence[Action], act: Callable[[Action], Awaitable[bool]], failures: int | None = None
) -> None:
    """Do one after the other, ever more at once.

    Args:
        actions: what to do.
        act: does it, and tells whether it was accepted.
        failures: how many batches in a row of which nothing was accepted are the end; None: the first refusal is.
    """
    done, size, in_vain = 0, 1, 0
    while done < len(actions):
        batch = actions[done : done + size]
        accepted = await asyncio.gather(*map(act, batch)) if size > 1 else [await act(batch[0])]
        if failures is None and not all(accepted):
            return
        in_vain = 0 if any(accepted) else in_vain + 1
        if failures is not None and in_vain >= failures:
            return
        done += size
        size *= 2

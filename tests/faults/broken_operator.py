"""The operator, deliberately broken in one way: only to show that the oracle sees it.

Run as a program: `python broken_operator.py VARIANT run ...`; everything after the variant is the operator's own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from podgroup_operator import cli
from podgroup_operator.api import writer
from podgroup_operator.core import backoff, slots, surge, turnover
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.strategy import Strategy
from podgroup_operator.observe import informer, lanes, memory

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def generate_names() -> None:
    """Let the API server choose the pods' names, and do not look what became of a create that was not answered."""

    async def look_away(_: object) -> None:
        pass

    informer.Informer.refresh = look_away  # type: ignore[method-assign,assignment]
    create = writer.Writer.create

    async def nameless(self: writer.Writer, path: str, body: Json, params: Any = None) -> Json:
        if body.get("kind", "Pod") == "Pod" and "name" in body["metadata"]:
            metadata = {key: value for key, value in body["metadata"].items() if key != "name"}
            body = {**body, "metadata": {**metadata, "generateName": "web-"}}
        return await create(self, path, body, params)

    writer.Writer.create = nameless  # type: ignore[method-assign]


def expect_nothing() -> None:
    """Decide without waiting until the cache shows our own writes; with names of the server's choice, see above."""
    generate_names()
    memory.Memory.caught_up = lambda *_: True  # type: ignore[method-assign]


def delete_by_name() -> None:
    """Delete whatever has the name."""

    async def delete(
        self: writer.Writer, path: str, uid: str, version: int | None = None, grace: int | None = None
    ) -> Json:
        options = {"apiVersion": "v1", "kind": "DeleteOptions"}
        return await self.writes.send(self, "DELETE", path, options)

    writer.Writer.delete = delete  # type: ignore[method-assign]


def never_rest() -> None:
    """Try again at once whatever was refused."""
    lanes.pause_after = lambda *_: 0.001


def forget_failures() -> None:
    """Replace pods that keep failing as soon as they do."""
    backoff.pause = lambda *_, **__: 0.0


def surge_at_will() -> None:
    """Make all new pods of a rollout at once."""
    Strategy.surge = lambda _, replicas: replicas  # type: ignore[method-assign,assignment]


def take_at_will() -> None:
    """Delete all old pods of a rollout at once."""
    Strategy.unavailable = lambda _, replicas: replicas  # type: ignore[method-assign,assignment]


def stand_beside() -> None:
    """Make new pods beside old ones that are yet to end with Recreate too."""
    turnover.is_old_and_leaving = lambda *_: False


def heal_by_rollout() -> None:
    """Take what a rollout replaces for lost."""
    named = slots.named

    def lost(view: Any, names: Any, slot: int, revision: str, _: Loss | None = None) -> Any:
        return named(view, names, slot, revision, Loss(slot, "web-0", Cause.DELETED, view.now))

    vars(surge)["named"] = lost


VARIANTS: dict[str, Callable[[], None]] = {
    variant.__name__: variant
    for variant in (
        *(generate_names, expect_nothing, delete_by_name, never_rest, forget_failures),
        *(surge_at_will, take_at_will, stand_beside, heal_by_rollout),
    )
}

if __name__ == "__main__":
    VARIANTS[sys.argv[1]]()
    sys.exit(cli.main(sys.argv[2:]))

"""A request, as the simulation keeps it: who asked, when, what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakeapi.routing import Request

if TYPE_CHECKING:
    from simulate.processes import Process

REVIEWS = "selfsubjectaccessreviews", "selfsubjectrulesreviews"


def now() -> float:
    """Give the simulation's seconds."""
    return asyncio.get_running_loop().time()


@dataclass
class Asked(Request):
    """A request of one process.

    Attributes:
        process: whose.
        form: its body's media type.
        sent: when it was sent, in seconds of the simulation.
        done: when the API server did what was asked or refused it; None as long as it has not.
        told: the code that the process was answered; None is nothing.
        given_up: when the process stopped waiting.
    """

    process: Process = field(kw_only=True)
    form: str = ""
    sent: float = field(default_factory=now)
    done: float | None = None
    told: int | None = None
    given_up: float | None = None

    @property
    def key(self) -> str:
        """What kind of request it is, as in "create pods", "patch podgroups/status", "try pods" for a dry run."""
        plural = self.resource.partition(".")[0]
        return f"{'try' if self.dry_run else self.verb} {plural}{'/' * bool(self.subresource)}{self.subresource}"

    @property
    def about(self) -> str:
        """Namespace and name of what it is about."""
        return f"{self.namespace}/{self.name}" if self.name else self.namespace

    @property
    def changes(self) -> bool:
        """Whether it is to change what others see; the Lease apart."""
        return self.writes and not self.dry_run and self.resource != "leases.coordination.k8s.io"

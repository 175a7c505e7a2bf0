"""What the operator asks of the API server, as the proxy between them sees and remembers it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
WRITES = frozenset({"create", "update", "patch", "delete"})
REVIEWS = frozenset({"selfsubjectaccessreviews", "selfsubjectrulesreviews"})
"""What is created only to be answered."""


@dataclass
class Asked:
    """A request.

    Attributes:
        verb: get, list, watch, create, update, patch, delete, or `try`, which is a write as a dry run.
        resource: the plural, with its subresource where one is asked for: "pods", "podgroups/status"; "" is discovery.
        at: when it came, in seconds of the monotonic clock.
        code: what the API server answered; None as long as it was not asked.
        told: what the operator was answered; None is nothing.
        operator: which operator asks, counted from 0.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    body: Json
    at: float = field(default_factory=time.monotonic)
    code: int | None = None
    told: int | None = None
    operator: int = 0

    @property
    def key(self) -> str:
        """What kind of request it is: "create pods"."""
        return f"{self.verb} {self.resource}"

    @property
    def writes(self) -> bool:
        """Whether it is to change something; the Lease is no part of what is looked at."""
        return self.verb in WRITES and self.resource not in REVIEWS and self.resource != "leases"

    @property
    def about(self) -> str:
        """The name of the object that it is about."""
        return self.name or str(self.body.get("metadata", {}).get("name", ""))


def read_request(method: str, path: str, query: Mapping[str, str], body: Json) -> Asked:
    """Find out what is asked for."""
    rest = [part for part in path.split("/") if part]
    rest = rest[3:] if rest[:1] == ["apis"] else rest[2:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = (*rest[:3], "", "", "")[:3]
    verb = VERBS.get(method, method)
    if method == "GET" and not name:
        verb = "watch" if query.get("watch") in {"true", "1"} else "list"
    if query.get("dryRun"):
        verb = "try"
    return Asked(verb, f"{resource}/{subresource}" if subresource else resource, namespace, name, body)

"""What the operator has asked the API server for, all tests of the run taken together: the cluster's audit log.

Only the local control plane has one, and in it only the operator's user. A request that is not finished, as a watch is
not for minutes, is in it as soon as its answer has begun.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controlplane.cluster import directory_of
from controlplane.components import AUDIT_LOG
from e2e.service_account import Permission

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENT = "podgroup-operator/"
"""How the operator calls itself; a test that is logged in as it calls itself otherwise."""

OPERATOR_USER = "system:serviceaccount:podgroup-system:podgroup-operator"


@dataclass(frozen=True)
class Request:
    """One request about objects."""

    permission: Permission
    namespace: str
    name: str
    forbidden: bool
    """Whether it was refused for want of a permission; a quota and the like do not count."""


def requests(cluster: str) -> Iterator[Request]:
    """Everything that the operator asked a local cluster for; discovery and the like left out."""
    with (directory_of(cluster) / AUDIT_LOG).open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            ours = entry["user"]["username"] == OPERATOR_USER and entry.get("userAgent", "").startswith(AGENT)
            if ours and "objectRef" in entry:
                yield read(entry)


def read(entry: dict[str, Any]) -> Request:
    """Read an audit event."""
    target = entry["objectRef"]
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    decision = entry.get("annotations", {}).get("authorization.k8s.io/decision")
    return Request(
        Permission(entry["verb"], target.get("apiGroup", ""), resource),
        target.get("namespace", ""),
        target.get("name", ""),
        decision == "forbid",
    )

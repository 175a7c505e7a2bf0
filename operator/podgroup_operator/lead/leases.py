"""A Lease as an object of the API: read, and written with what was read as its precondition."""

import time
from typing import Any

from podgroup_operator.api.cluster import Cluster, object_path
from podgroup_operator.api.refusals import NOT_FOUND, Refused
from podgroup_operator.core.lease import DURATION, Lease, Step
from podgroup_operator.core.manifest import micro_time
from podgroup_operator.lead.boot import stamp

ROOT = "/apis/coordination.k8s.io/v1"
RENEWED = "selfheal.dev/renewed"
"""The annotation that says when the Lease was written last, by a clock that is certain on the same machine."""
SETTLED = "selfheal.dev/settled"
"""The annotation that says whether its holder had it for so long that who serves all namespaces has noticed."""

Json = dict[str, Any]


class LeaseObject:
    """One Lease.

    Args:
        cluster: the API.
        namespace: where it is.
        name: its name.
    """

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self._cluster = cluster
        self.namespace = namespace
        self.name = name

    def __str__(self) -> str:
        """Give namespace and name."""
        return f"{self.namespace}/{self.name}"

    async def read(self) -> Json | None:
        """Read it; None if there is none.

        Raises:
            Refused: the API server's no.
            Unreachable: there was no answer.
        """
        try:
            return await self._cluster.get(self._path(self.name))
        except Refused as refusal:
            if refusal.code == NOT_FOUND:
                return None
            raise

    async def write(self, step: Step, before: Lease | None, holder: str, *, settled: bool) -> Lease:
        """Write a holder, or "" for nobody, if nobody else has changed it since it was read.

        Raises:
            Refused: somebody has (409), or the API server's no.
            Unreachable: there was no answer.
        """
        now = micro_time(time.time())
        spec: Json = {"holderIdentity": holder, "leaseDurationSeconds": int(DURATION), "renewTime": now}
        if step is not Step.RENEW:
            spec |= {"acquireTime": now, "leaseTransitions": before.transitions + 1 if before else 0}
        metadata: Json = {"annotations": {RENEWED: stamp(), SETTLED: "true" if settled else "false"}}
        if before is None:
            kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
            body: Json = {**kind, "metadata": {**metadata, "name": self.name}, "spec": spec}
            return read_lease(await self._cluster.claim("POST", self._path(), body))
        patch = {"metadata": {**metadata, "resourceVersion": str(before.version)}, "spec": spec}
        return read_lease(await self._cluster.claim("PATCH", self._path(self.name), patch))

    def _path(self, name: str = "") -> str:
        return object_path(ROOT, "leases", self.namespace, name)


def read_lease(body: Json) -> Lease:
    """Reduce a Lease to what decides."""
    spec = body.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or DURATION),
        transitions=int(spec.get("leaseTransitions") or 0),
        version=int(body["metadata"]["resourceVersion"]),
        settled=(body["metadata"].get("annotations") or {}).get(SETTLED) == "true",
        uid=body["metadata"].get("uid") or "",
    )


def renewed_stamp(body: Json) -> str:
    """Read when, by the stamp of `boot.py`, it was written last; "" if it does not say."""
    return str((body["metadata"].get("annotations") or {}).get(RENEWED) or "")

"""An operator that shares its groups with others: one of several on the stage, all on one fake API."""

from fakeapi import FakeApi
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.group_lease import INTERVAL, GroupLeases
from shell.stage import Stage, names

PODGROUPS = "podgroups.selfheal.dev"


class Sharing(Stage):
    """An operator that shares its groups with others.

    Attributes:
        monotonic: what its own clock says, in seconds.
        caught_up: how often it has listed the pods.
    """

    def __init__(self, api: FakeApi, cluster: Cluster, identity: str) -> None:
        super().__init__(api, cluster)
        self.monotonic = 1000.0
        self.caught_up = 0
        self.leases = GroupLeases(cluster, self.groups, identity, self.catch_up, lambda: self.monotonic)
        self.reconciler.leases = self.leases

    def hear(self) -> None:
        """Bring all caches up to date, which takes its time."""
        self.monotonic += INTERVAL
        super().hear()

    async def catch_up(self) -> None:
        """List the pods anew."""
        self.caught_up += 1
        self.hear_pods()

    def holder(self) -> str:
        """Who has the lease of the group `web`; "" is nobody."""
        return str(self.status().get("lease", {}).get("holderIdentity", ""))

    def lose(self) -> None:
        """Take a pod out of the API at once."""
        self.api.delete("pods", names(self.api.pods())[0], grace=0)

    async def take(self) -> None:
        """Take the lease of the group, and do no more."""
        self.hear()
        assert await self.leases.take(self.group()) is None

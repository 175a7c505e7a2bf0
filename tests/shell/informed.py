"""An informer at work on the fake API: a cache of pods that it fills, and what it asked for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fakeapi import FakeApi
from fakeapi.client import a_pod
from podgroup_operator.api.cluster import Cluster, pods_path
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.observe.informer import Collection, Informer
from podgroup_operator.observe.pods import PodStore

Read = Callable[[dict[str, Any]], Pod | None]


class Informed:
    """A cache of pods that an informer fills from a fake API.

    Attributes:
        told: the pods that the cache has told of.
        forbidden: how often the informer was not allowed to read.
        troubles: why it could not read, and "" when it could.
    """

    def __init__(self, api: FakeApi, cluster: Cluster, namespace: str = "", read: Read = read_pod) -> None:
        self.api = api
        self.told: list[Pod] = []
        self.store = PodStore(self._tell, lambda: 0.0)
        self.forbidden = 0
        self.troubles: list[str] = []
        self.informer: Informer[Pod] = Informer(
            cluster,
            Collection(pods_path(namespace), namespace),
            read,
            self.store,
            self._permission,
            self.troubles.append,
        )

    def _tell(self, pod: Pod, _: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
        self.told.append(pod)
        return True

    async def _permission(self) -> None:
        self.forbidden += 1

    def pods(self) -> list[str]:
        """Give the names of the orphans in the namespace default, which all pods here are."""
        return sorted(pod.name for pod in self.store.orphans("default"))

    async def has(self, *names: str) -> None:
        """Wait until the cache has exactly these pods."""
        await self.api.until(lambda: self.pods() == sorted(names), f"the cache has {names}")

    def asked(self, verb: str) -> list[str | None]:
        """Give the versions from which lists or watches were asked for."""
        return [request.query.get("resourceVersion") for request in self.api.requests if request.verb == verb]


@asynccontextmanager
async def running(informed: Informed) -> AsyncIterator[Informed]:
    """Run the informer of a cache."""
    task = asyncio.create_task(informed.informer.run())
    try:
        yield informed
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def create(api: FakeApi, *names: str) -> None:
    """Create pods."""
    for name in names:
        api.create("pods", a_pod(name))

"""The null healer: the least that a healer can do, as the limit of what any can reach on this machine.

It answers the first news of a pod's end with one prepared POST on a warm connection. It counts nothing, reads nothing
afresh, tells nobody, and would be wrong after the first lost answer.

    python -m bench.null_healer KUBECONFIG NAMESPACE REPLICAS OWNER    (the owner's reference, as JSON)

It makes the pods when it is told to by a line on its standard input; each of its own lines says that it is ready.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from e2e.namespace import template
from podgroup_operator.api.login import connect
from podgroup_operator.api.sockets import connector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json = dict[str, Any]

IN_FLIGHT = 32  # as many as the operator's


class NullHealer:
    """Makes a pod for each that ends.

    Args:
        kubeconfig: of the cluster.
        namespace: of the pods.
        owner: their controller, as an ownerReference.
    """

    def __init__(self, kubeconfig: str, namespace: str, owner: Json) -> None:
        self._connection = connect(kubeconfig)
        self._path = f"{self._connection.server}/api/v1/namespaces/{namespace}/pods"
        self._manifest = template({"ownerReferences": [owner]})
        self._owner = owner["uid"]
        self._numbers = itertools.count()
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._ended: set[str] = set()

    async def run(self, replicas: int) -> None:
        """Make so many pods when told to, then heal for ever."""
        async with (
            aiohttp.ClientSession(
                connector=connector(self._connection.tls), headers=self._connection.headers()
            ) as self._session,
            asyncio.TaskGroup() as tasks,
        ):
            version = (await self._answer("GET"))["metadata"]["resourceVersion"]
            say("ready to make pods")
            await asyncio.to_thread(sys.stdin.readline)
            for _ in range(replicas):
                tasks.create_task(self._create())
            async for event in self._events(version):
                pod = event["object"]["metadata"]
                ends = event["type"] == "DELETED" or "deletionTimestamp" in pod
                ours = any(owner["uid"] == self._owner for owner in pod.get("ownerReferences", ()))
                if ends and ours and pod["uid"] not in self._ended:
                    self._ended.add(pod["uid"])
                    tasks.create_task(self._create())

    async def _events(self, version: str) -> AsyncIterator[Json]:
        """Follow watches, one taken up where the one before ended: the server closes one that is read too slowly."""
        forever = aiohttp.ClientTimeout(total=None)
        while True:
            params, rest = {"watch": "true", "resourceVersion": version}, b""
            async with self._session.get(self._path, params=params, timeout=forever, read_bufsize=1 << 20) as stream:
                async for chunk in stream.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        event = orjson.loads(line)
                        version = event["object"]["metadata"]["resourceVersion"]
                        yield event

    async def _create(self) -> None:
        manifest = self._manifest | {"metadata": self._manifest["metadata"] | {"name": f"null-{next(self._numbers)}"}}
        async with self._room:
            await self._answer("POST", manifest)

    async def _answer(self, method: str, body: Json | None = None) -> Json:
        data = orjson.dumps(body) if body else None
        kind = {"Content-Type": "application/json"}
        async with self._session.request(
            method, self._path, data=data, headers=kind, raise_for_status=True
        ) as response:
            answer: Json = orjson.loads(await response.read())
            return answer


def say(what: str) -> None:
    """Tell whoever started us."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    KUBECONFIG, NAMESPACE, REPLICAS, OWNER = sys.argv[1:]
    asyncio.run(NullHealer(KUBECONFIG, NAMESPACE, orjson.loads(OWNER)).run(int(REPLICAS)))

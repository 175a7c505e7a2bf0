"""The whole operator at work on the fake API, in the event loop of the test, as its user would run it.

What it waits for in real time is shortened, where the waiting itself is not the subject.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import yaml

from fakeapi import FakeApi
from podgroup_operator import metrics
from podgroup_operator.run import Operator
from podgroup_operator.settings import Settings

DEADLINE = 5.0  # seconds


@dataclass
class Running:
    """An operator that runs.

    Attributes:
        operator: it.
        url: of its endpoints.
        task: its `run`.
    """

    operator: Operator
    url: str
    task: asyncio.Task[None] = field(init=False)

    async def ask(self, path: str) -> tuple[int, str]:
        """Ask one of its endpoints; give the status code and the text."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}{path}") as response:
            return response.status, await response.text()

    async def readiness(self, code: int, words: str = "") -> str:
        """Wait until /readyz answers with a code and a text that has these words; give the text."""
        async with asyncio.timeout(DEADLINE):
            while not self.task.done():
                try:
                    answer = await self.ask("/readyz")
                except aiohttp.ClientConnectionError:
                    answer = (0, "")  # it does not listen yet
                if answer[0] == code and words in answer[1]:
                    return answer[1]
                await asyncio.sleep(0.01)
        self.task.result()
        raise AssertionError("The operator has ended.")

    def stop(self) -> None:
        """Do what SIGTERM does; the signal itself would end the tests, should it come a moment too early."""
        self.operator._stop.set()  # noqa: SLF001 - see above


def looks(result: str = "success") -> float:
    """Give how many looks have ended so."""
    return metrics.registry.get_sample_value("podgroup_reconcile_total", {"result": result}) or 0


def write_kubeconfig(path: Path, server: str, **user: object) -> Path:
    """Write a kubeconfig for a server; give its path."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        "clusters": [{"name": "fake", "cluster": {"server": server}}],
        "users": [{"name": "fake", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def free_address() -> str:
    """Find an address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host, port = probe.getsockname()
        return f"{host}:{port}"


@asynccontextmanager
async def operating(
    api: FakeApi,
    *namespaces: str,
    ready: bool = True,
    lease_namespace: str = "",
    leader_elect: bool = True,
    pod_uid: str = "",
) -> AsyncIterator[Running]:
    """Run an operator.

    Args:
        api: where.
        namespaces: those that it serves; none is all.
        ready: whether to wait until it says that it works, and follows PodGroups.
        lease_namespace: where its Lease is; by default `default`.
        leader_elect: whether it must hold one.
        pod_uid: of the pod that it is in.
    """
    with TemporaryDirectory() as folder:
        kubeconfig = write_kubeconfig(Path(folder) / "kubeconfig", api.url)
        address = free_address()
        settings = Settings(
            namespaces=namespaces,
            kubeconfig=str(kubeconfig),
            http=address,
            lease_namespace=lease_namespace,
            leader_elect=leader_elect,
            pod_uid=pod_uid,
        )
        running = Running(Operator(settings), f"http://{address}")
    running.task = asyncio.create_task(running.operator.run())
    try:
        if ready:
            await running.readiness(200)
            await api.until(lambda: bool(api.watches("podgroups")), "kopf watches")
        yield running
    finally:
        running.stop()
        async with asyncio.timeout(DEADLINE):
            await running.task

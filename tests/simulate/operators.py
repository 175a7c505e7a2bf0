"""The operators of a simulation: started, stopped, killed and held up as processes are.

Each is the whole `Operator` as its user runs it; only what would leave the process stands in for itself.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING, cast

import aiohttp

from podgroup_operator import cli, run
from podgroup_operator.api import cluster
from podgroup_operator.api.login import Connection
from simulate.apiserver import LEASE_NAMESPACE
from simulate.feeder import Feeder
from simulate.network import Network, Session
from simulate.processes import Process, within

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from podgroup_operator.settings import Settings
    from podgroup_operator.tell.endpoints import Health
    from simulate.loop import Loop


class Probes:
    """Stands in for the HTTP endpoints: what they would answer."""

    def __init__(self, _: str, health: Health) -> None:
        self.health = health

    async def start(self) -> int:
        """Listen nowhere."""
        return 0

    async def stop(self) -> None:
        """Have nothing to stop."""


def patient() -> aiohttp.ClientSession:
    """Give a session that waits for as long as an operator's lines do."""
    return cast("aiohttp.ClientSession", Session(aiohttp.ClientTimeout(cluster.REQUEST_TIMEOUT)))


def stand_in(network: Network) -> None:
    """Put what stands in for the outside into the operator's modules."""
    Session.network = network
    aiohttp.ClientSession = Session  # type: ignore[misc,assignment]
    outside: dict[ModuleType, dict[str, object]] = {
        cluster: {
            "connector": lambda *_: None,
            "Lines": lambda connection, _: cluster.Detour(patient(), connection.server),
        },
        run: {
            "connect": lambda *_: Connection("http://simulation", None, lambda: "", namespace=LEASE_NAMESPACE),
            "Supervisor": Feeder,
            "Endpoints": Probes,
        },
    }
    for module, names in outside.items():
        for name, stands_in in names.items():
            assert hasattr(module, name), f"{module.__name__} has no {name} any more: what reaches outside now?"
            setattr(module, name, stands_in)


class Operators:
    """All operators that ever ran.

    Attributes:
        running: the processes that live.
        failures: why processes ended that were not told to.
    """

    def __init__(self, loop: Loop, network: Network, tell: Callable[[str], None], settings: Settings) -> None:
        self._loop = loop
        self._network = network
        self._tell = tell
        self._settings = settings
        self._count = 0
        self.running: list[Process] = []
        self.failures: list[str] = []

    def start(self) -> Process:
        """Start an operator."""
        self._count += 1
        process = Process(f"operator-{self._count}")
        self._tell(f"{process.name} starts")
        self.running.append(process)
        task = self._loop.create_task(cli.serve(self._settings), context=within(process))
        task.add_done_callback(lambda task: self._ended(process, task), context=within(process))
        return process

    def _ended(self, process: Process, task: asyncio.Task[None]) -> None:
        self.running.remove(process)
        error = None if task.cancelled() else task.exception()
        self._tell(f"{process.name} has ended" + (f" by {error!r}" if error else ""))
        if error:
            logging.getLogger("simulate").error("%s ended", process.name, exc_info=error)
            self.failures.append(f"{process.name} ended by {error!r}")

    def terminate(self, process: Process) -> None:
        """Tell an operator to end."""
        self._tell(f"{process.name} gets SIGTERM")
        if signal.SIGTERM in process.signals:
            self._loop.signal(process, signal.SIGTERM)
        else:
            self.kill(process)

    def kill(self, process: Process) -> None:
        """Let an operator be gone at once; what it has sent may arrive yet."""
        self._tell(f"{process.name} is killed")
        self._loop.kill(process)
        self.running.remove(process)
        self._network.hang_up(process)

    async def hold_up(self, process: Process, seconds: float) -> None:
        """Let nothing of an operator run for a while, as in a pause of its machine."""
        self._tell(f"{process.name} is stopped for {seconds:.1f} s")
        self._loop.stop_process(process)
        await asyncio.sleep(seconds)
        if not process.dead:
            self._tell(f"{process.name} goes on")
            self._loop.resume(process)

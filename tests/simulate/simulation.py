"""One simulation: a world, its operators, and what happens to them, all drawn from one seed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from podgroup_operator import metrics
from podgroup_operator.settings import Settings
from simulate.apiserver import ApiServer
from simulate.kubelet import Nodes
from simulate.loop import Circles, Loop
from simulate.network import Network
from simulate.operators import Operators, stand_in
from simulate.oracle import Oracle, Violation
from simulate.people import People
from simulate.processes import WORLD
from simulate.quiet import become_steady, stay_idle
from simulate.troubles import NEEDS_PEACE, Troubles
from simulate.weather import Weather

if TYPE_CHECKING:
    from simulate.asked import Asked

ROUNDS = 3
"""Times of trouble in one simulation, each followed by one of quiet."""


@dataclass
class Report:
    """What became of a simulation.

    Attributes:
        violation: what happened that must not; "" is nothing.
        story: what happened, a line each.
        seconds: how long it lasted, in its own time.
        steady: seconds after which each time of quiet had made all well.
        looks: how many looks at groups there were.
        requests: how many requests.
        cpu: seconds of the processor that it took.
        digest: of all that happened, to compare two runs of one seed.
    """

    seed: int
    violation: str = ""
    story: list[str] = field(default_factory=list)
    seconds: float = 0.0
    steady: list[float] = field(default_factory=list)
    looks: int = 0
    requests: int = 0
    cpu: float = 0.0
    digest: str = ""


class Simulation:
    """A world with everything in it."""

    def __init__(self, seed: int, only: frozenset[str] = frozenset()) -> None:
        self.chance = random.Random(f"world {seed}")  # noqa: S311 - a simulation
        random.seed(f"operators {seed}")
        self._only = only
        self.loop = Loop()
        self.report = Report(seed)
        self._digest = hashlib.sha256()
        self.namespaces = ["shop", "farm", "mill"][: self.chance.randint(1, 3)]
        self.server: ApiServer
        self.network: Network
        self.oracle: Oracle
        self.nodes: Nodes
        self.people: People
        self.operators: Operators

    def run(self) -> Report:
        """Let it all happen."""
        asyncio.set_event_loop(self.loop)
        logging.getLogger().addHandler(Listener(self))
        main = self.loop.create_task(self._live())
        try:
            self.loop.run_until_complete(main)
        except (Violation, Circles) as violation:
            self.break_off(str(violation))
        except Exception as error:  # noqa: BLE001 - told as what ended the simulation
            if not self.report.violation:  # else it was broken off for that
                self.report.story += traceback.format_exc().splitlines()
                self.break_off(f"the simulation itself failed: {error!r}")
        report = self.report
        report.seconds, report.requests = self.loop.time(), len(self.network.requests)
        report.cpu = time.process_time()
        report.looks, report.digest = count_looks(), self._digest.hexdigest()[:12]
        return report

    def tell(self, what: str) -> None:
        """Tell what happens."""
        line = f"{self.loop.time():9.3f}  {what}"
        self._digest.update(line.encode())
        self.report.story.append(line)

    def break_off(self, what: str) -> None:
        """End here, for something happened that must not."""
        if not self.report.violation:
            self.report.violation = what
            self.tell(f"WRONG: {what}")
        self.loop.stop()

    def _build(self) -> None:
        self.server = ApiServer(tuple(self.namespaces), nodes=3)
        self.network = Network(self.server, Weather(), self.chance, self._notice)
        self.oracle = Oracle(self.server, self.break_off)
        self.nodes = Nodes(self.server, self.chance)
        self.people = People(self.server, self.oracle, self.nodes, self.chance, self.tell)
        stand_in(self.network)
        namespaces = tuple(self.namespaces) if self.chance.random() < 0.3 else ()
        self.operators = Operators(self.loop, self.network, self.tell, Settings(namespaces=namespaces))
        self.server.collector.start()

    def _notice(self, asked: Asked) -> None:
        """Tell of a request that has been done, and judge it."""
        if asked.changes or (asked.code or 0) >= 400:
            late = (
                f", which had given it up {asked.done - asked.given_up:.2f} s ago"
                if asked.given_up and asked.done
                else ""
            )
            self.tell(f"{asked.process.name}: {asked.key} {asked.about}: {asked.code}{late}")
        elif asked.resource == "leases.coordination.k8s.io" and asked.writes:
            self._digest.update(f"{self.loop.time()} {asked.process.name} lease {asked.code}".encode())
        self.oracle.judge(asked)

    async def _live(self) -> None:
        self._build()
        for _ in range(self.chance.randint(1, 4)):
            self.people.make_group()
        for _ in range(self.chance.choice((1, 1, 2))):
            self.operators.start()
        for number in range(ROUNDS):
            await self._be_troubled(first=number == 0)
            await self._be_quiet()

    async def _be_troubled(self, *, first: bool) -> None:
        """Let one to three troubles come, while people do what they do."""
        troubles = Troubles(self)
        kinds = sorted(self._only & troubles.kinds.keys()) or list(troubles.kinds)
        chosen = self.chance.sample(kinds, min(self.chance.choice((1, 1, 2, 2, 3)), len(kinds)))
        alone = NEEDS_PEACE.intersection(chosen)
        if alone and not first:
            await troubles.strike(min(alone))
            return
        busy = self.loop.create_task(self._be_busy(), context=WORLD)
        try:
            await asyncio.gather(*(troubles.strike(kind) for kind in chosen if kind not in alone))
        finally:
            busy.cancel()

    async def _be_busy(self) -> None:
        pace = self.chance.choice((0.3, 1.0, 4.0))
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / pace))
            self.people.act()

    async def _be_quiet(self) -> None:
        """Let nothing go wrong any more: all becomes well, and stays so."""
        self.tell("the world is quiet")
        self.network.weather.clear_up()
        await self.network.drain()
        if not self.operators.running:
            self.operators.start()
        self.report.steady.append(await become_steady(self))
        self.tell(f"all is well after {self.report.steady[-1]:.1f} s")
        await stay_idle(self)
        self.oracle.be_quiet()


class Listener(logging.Handler):
    """Hears what the operators log: an error is one that nobody foresaw."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(logging.WARNING)
        self._simulation = simulation

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line into the story."""
        self._simulation.tell(f"    log: {record.getMessage()}")
        if record.levelno >= logging.ERROR:
            if record.exc_info:
                trace = logging.Formatter().formatException(record.exc_info)
                self._simulation.report.story.extend(f"           {line}" for line in trace.splitlines()[-12:])
            self._simulation.break_off(f"a bug: {record.getMessage()}")


def count_looks() -> int:
    """Count the looks at groups, whatever came of them."""
    families = metrics.registry.collect()
    return int(
        sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "podgroup_reconcile_total"
        )
    )

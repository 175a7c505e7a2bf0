"""A plan carried out: its own namespace, proxy and operator, and what the oracle says in the end."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.api import Api
from e2e.namespace import Namespace
from e2e.operator_fixtures import new_namespace
from e2e.operator_process import OperatorProcess
from e2e.waiting import PAUSE, wait_for
from faults.history import History
from faults.invariants import violations
from faults.proxy import Proxy
from faults.scenarios import SCENARIOS
from faults.stage import Stage
from faults.story import Story
from faults.strike import Strikes

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from pytest_kind import KindCluster

    from e2e.service_account import ServiceAccount
    from faults.asked import Asked
    from faults.plan import Plan
    from faults.strike import Crash

BROKEN_PROGRAM = Path(__file__).with_name("broken_operator.py")

QUIET_SECONDS = 1.0
"""Without a write for so long, a group is idle; a status is held back for a quarter."""

IDLE_SECONDS = 1.0
"""How long an idle group is watched."""

NEVER_QUIET_SECONDS = 12.0
"""Events that were added up are told after ten."""


@dataclass(frozen=True)
class Site:
    """The cluster on which plans are carried out.

    Attributes:
        kubeconfig: the administrator's.
        account: whom the operator is logged in as.
        tls: how to trust the API server at `server`.
    """

    cluster: KindCluster
    kubeconfig: Path
    account: ServiceAccount
    server: str
    tls: ssl.SSLContext


@dataclass(frozen=True)
class Verdict:
    """What became of a plan.

    Attributes:
        violations: what it has broken, in sentences; none is good.
        hits: how many requests were struck.
        log: the operator's.
    """

    violations: list[str]
    hits: int
    seconds: float
    log: str
    requests: list[Asked]

    @property
    def account(self) -> str:
        """What there is to read when something is broken: what it is, the operator's log, and its writes."""
        writes = (
            f"{asked.at:.3f} {asked.key} {asked.about}: {asked.code}, told {asked.told}"
            for asked in self.requests
            if asked.writes
        )
        return "\n".join([*self.violations, f"The operator's log:\n{self.log}", "Its writes:", *writes, ""])


class OneOperator(OperatorProcess):
    """The operator of a plan, whole or deliberately broken."""

    def __init__(
        self, kubeconfig: Path, log: Path, options: Sequence[str] = (), *, elect: bool = False, variant: str = ""
    ) -> None:
        super().__init__(kubeconfig, log, options, elect=elect)
        if variant:
            self._command[:1] = [sys.executable, str(BROKEN_PROGRAM), variant]


class Performance:
    """One plan being carried out."""

    def __init__(self, plan: Plan, site: Site, folder: Path) -> None:
        self._plan = plan
        self._site = site
        self._folder = folder
        self._operators: list[OperatorProcess] = []
        self._proxies: list[Proxy] = []
        self._strikes = Strikes()
        self._calm_from = 0.0
        self._restarting = 0

    def play(self) -> Verdict:
        """Carry it out and judge it."""
        began = time.monotonic()
        with ExitStack() as stack:
            api = stack.enter_context(Api(self._site.kubeconfig))
            space = Namespace(self._site.cluster, api, stack.enter_context(new_namespace(api)))
            history = stack.enter_context(History(self._site.kubeconfig, space))
            stage = Stage(space, history, self._trouble, self._plan.deadline)
            stage.bystand()
            self._start_operators(stack, space.name)
            trouble = self._act(stage)
            if not trouble:
                self._settle(stage)
            story = self._story(stage)
        found = trouble + violations(story)
        if self._plan.strikes and not self._strikes.hits:
            found.append("the fault never struck")
        log = "".join(operator.log() for operator in self._operators)
        return Verdict(found, self._strikes.hits, time.monotonic() - began, log, self._requests())

    def _start_operators(self, stack: ExitStack, namespace: str) -> None:
        if not self._plan.in_the_middle:
            self._arm()
        for number in range(self._plan.operators):
            crash = partial(self._crash, number)
            proxy = Proxy(self._site.server, self._site.tls, number, self._strikes, crash)
            self._proxies.append(stack.enter_context(proxy))
            login = self._site.account.write_kubeconfig(self._folder / f"kubeconfig-{number}", proxy.url)
            options = [f"--namespace={namespace}", f"--lease-namespace={namespace}"]
            log = self._folder / f"log-{number}"
            operator = OneOperator(login, log, options, elect=self._plan.elect, variant=self._plan.variant)
            self._operators.append(stack.enter_context(operator))
            operator.launch()
            if self._plan.in_the_middle:
                operator.start()
            if self._plan.elect and number == 0:
                wait_for("the first to lead", partial(leads, operator), self._plan.patience)

    def _act(self, stage: Stage) -> list[str]:
        """Play the scenario; what it waits for in vain is the first thing that is wrong."""
        try:
            self._perform(stage)
        except BaseException as error:  # pytest's failures are no Exceptions
            if isinstance(error, KeyboardInterrupt):
                raise
            return [str(error) or repr(error)]
        return []

    def _perform(self, stage: Stage) -> None:
        SCENARIOS[self._plan.scenario](stage)

    def _trouble(self) -> None:
        if self._plan.in_the_middle:
            self._arm()
            for proxy in self._proxies:
                proxy.disconnect()

    def _arm(self) -> None:
        """Let the plan's faults begin; if they last a certain time, let them end after it."""
        for strike in self._plan.strikes:
            self._strikes.add(strike)
        if self._plan.seconds is not None:
            timer = threading.Timer(self._plan.seconds, self._calm)
            timer.daemon = True
            timer.start()

    def _calm(self) -> None:
        self._strikes.clear()
        self._calm_from = time.monotonic()

    def _crash(self, number: int, crash: Crash) -> None:
        operator = self._operators[number]
        self._restarting += 1
        operator.process.send_signal(crash.by)
        operator.exit_code()
        with suppress(AssertionError):  # it may have to wait until the faults have an end
            operator.start()
        self._calm_from = time.monotonic()
        self._restarting -= 1

    def _settle(self, stage: Stage) -> None:
        """Wait until nothing happens any more."""
        deadline = time.monotonic() + NEVER_QUIET_SECONDS + self._plan.pause
        while self._busy(stage) and time.monotonic() < deadline:
            time.sleep(PAUSE)

    def _story(self, stage: Stage) -> Story:
        """Watch for a while that nothing happens, and put down what has happened."""
        idle_from = time.monotonic()
        time.sleep(IDLE_SECONDS)  # how long the invariant "idle writes nothing" is looked at
        return Story(
            changes=stage.history.changes(),
            requests=self._requests(),
            births=stage.births,
            removals=stage.removals,
            spare=stage.spare,
            lost=stage.lost,
            idle_from=idle_from,
            ended=time.monotonic(),
            calm_from=max(self._calm_from, self._strikes.last),
            pause=self._plan.pause,
            blind=self._plan.blind,
        )

    def _requests(self) -> list[Asked]:
        """Give all requests so far, in order."""
        return sorted((asked for proxy in self._proxies for asked in list(proxy.requests)), key=lambda asked: asked.at)

    def _busy(self, stage: Stage) -> bool:
        if self._restarting or not stage.settled:
            return True
        written = max((asked.at for asked in self._requests() if asked.writes), default=0.0)
        return stage.history.since() < QUIET_SECONDS or time.monotonic() - written < QUIET_SECONDS


def leads(operator: OperatorProcess) -> bool:
    """Tell whether an operator says that it is the leader."""
    return operator.metric("leader_election_master_status") == 1

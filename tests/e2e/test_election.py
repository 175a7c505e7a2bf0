"""Two operators, one Lease: one acts, the other stands by; and whoever loses the Lease writes nothing more."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from e2e.operator_process import OperatorProcess
from e2e.pod import uids
from e2e.service_account import ServiceAccount, lease_rules, operator_rules
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.namespace import Namespace
    from e2e.pod import Pod
    from e2e.recording import Recording

pytestmark = pytest.mark.usefixtures("podgroup_crd", "operator_away")

HAND_OVER = 2.0
"""Seconds until another leads after SIGTERM."""

TAKE_OVER = 15.0
"""Seconds until another leads after SIGKILL."""

REPLICAS = 3


class Pair:
    """Two operators for one namespace, of which one leads."""

    def __init__(self, operators: list[OperatorProcess]) -> None:
        self.operators = operators

    def leading(self) -> list[OperatorProcess]:
        """Those that say that they lead."""
        live = [each for each in self.operators if each.runs]
        return [each for each in live if each.metric("leader_election_master_status") == 1]

    def leader(self) -> OperatorProcess:
        """The one that leads."""
        return wait_for("one of them to lead", lambda: next(iter(self.leading()), None))

    def other(self, operator: OperatorProcess) -> OperatorProcess:
        """The other one."""
        return next(each for each in self.operators if each is not operator)

    def await_leader(self, operator: OperatorProcess, since: float) -> float:
        """Wait until this one leads; give the seconds that it took."""
        wait_for("the other to lead", lambda: operator.metric("leader_election_master_status") == 1)
        return time.monotonic() - since


@pytest.fixture
def account(shop: Namespace, tmp_path: Path) -> Path:
    """The login of a ServiceAccount with the chart's rules, all in the test's namespace."""
    account = ServiceAccount(shop.cluster, shop.api, shop.name, "operator")
    account.allow([*operator_rules(), *lease_rules()])
    return account.write_kubeconfig(tmp_path / "kubeconfig")


@pytest.fixture
def pair(shop: Namespace, account: Path, tmp_path: Path) -> Iterator[Pair]:
    """Two operators, both ready."""
    options = (f"--namespace={shop.name}", f"--lease-namespace={shop.name}")
    with (
        OperatorProcess(account, tmp_path / "one", options, elect=True) as one,
        OperatorProcess(account, tmp_path / "two", options, elect=True) as two,
    ):
        one.start()
        two.start()
        yield Pair([one, two])


@pytest.fixture
def recorded(pair: Pair, shop: Namespace) -> Iterator[Recording]:
    """A group of three, and a recording from now on, in which there are never more than three live pods."""
    shop.start_group(replicas=REPLICAS)
    with shop.record() as recording:
        yield recording
        most = recording.most_live()
    assert most <= REPLICAS


def heals(shop: Namespace) -> None:
    """Kill a pod, and see it replaced."""
    victim = shop.complete()[0]
    shop.kill(victim, gracePeriodSeconds=0)
    shop.complete(without=[victim])


def test_only_one_acts(pair: Pair, shop: Namespace, recorded: Recording) -> None:
    """One leads and makes all pods; the other is as ready and makes none."""
    leader = pair.leader()
    heals(shop)
    assert pair.leading() == [leader]
    assert [each.metric("podgroup_pod_creates_total") for each in (leader, pair.other(leader))] == [REPLICAS + 1, 0]


def test_after_sigterm_the_other_leads_within_two_seconds(pair: Pair, shop: Namespace, recorded: Recording) -> None:
    """The leader gives its Lease back; a pod that dies at that moment is replaced by the other one."""
    leader = pair.leader()
    victim = shop.live()[0]
    since = time.monotonic()
    leader.process.terminate()
    shop.kill(victim, gracePeriodSeconds=0)
    assert pair.await_leader(pair.other(leader), since) < HAND_OVER
    shop.complete(without=[victim])
    assert len(recorded.created()) == 1


def test_after_sigkill_the_other_leads_within_fifteen_seconds(pair: Pair, shop: Namespace, recorded: Recording) -> None:
    """Nobody gives the Lease back; when its time is over the other one takes it, and replaces what died meanwhile."""
    leader = pair.leader()
    victim = shop.live()[0]
    since = time.monotonic()
    leader.kill()
    shop.kill(victim, gracePeriodSeconds=0)
    assert pair.await_leader(pair.other(leader), since) < TAKE_OVER
    shop.complete(without=[victim])
    assert len(recorded.created()) == 1


def test_a_leader_that_was_paused_writes_nothing(pair: Pair, shop: Namespace, recorded: Recording) -> None:
    """Paused until another leads and then resumed, it finds a pod missing, as does the other, and leaves it to that."""
    leader = pair.leader()
    with paused(leader):
        pair.await_leader(pair.other(leader), time.monotonic())
        heals(shop)
        victims = kill_all(shop)
    shop.complete(without=victims)
    assert pair.leading() == [pair.other(leader)]
    assert leader.metric("podgroup_pod_creates_total") == REPLICAS
    assert len(recorded.created()) == 1 + REPLICAS
    assert not uids(recorded.created()[:1]) & uids(recorded.before)


@contextmanager
def paused(operator: OperatorProcess) -> Iterator[None]:
    """Stop the process where it is, and let it go on."""
    os.kill(operator.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(operator.pid, signal.SIGCONT)


def kill_all(shop: Namespace) -> list[Pod]:
    """Kill all pods at once."""
    victims = shop.live()
    for victim in victims:
        shop.kill(victim, gracePeriodSeconds=0)
    return victims

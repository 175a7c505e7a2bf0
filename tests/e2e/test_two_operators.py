"""Two operators without an election: both act, each group's own lease keeps them from acting at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from e2e.operator_process import OperatorProcess
from e2e.service_account import ServiceAccount, operator_rules
from e2e.test_election import paused
from e2e.waiting import eventually
from podgroup_operator.core.lease import DURATION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.namespace import Namespace
    from e2e.recording import Recording

pytestmark = pytest.mark.usefixtures("podgroup_crd", "operator_away")

REPLICAS = 5
ROUNDS = 10


@pytest.fixture
def operators(shop: Namespace, tmp_path: Path) -> Iterator[list[OperatorProcess]]:
    """Two operators for the test's namespace, both ready, with the chart's rules and none for Leases."""
    account = ServiceAccount(shop.cluster, shop.api, shop.name, "operator")
    account.allow(operator_rules())
    login = account.write_kubeconfig(tmp_path / "kubeconfig")
    options = (f"--namespace={shop.name}",)
    with (
        OperatorProcess(login, tmp_path / "one", options) as one,
        OperatorProcess(login, tmp_path / "two", options) as two,
    ):
        one.start()
        two.start()
        yield [one, two]


@pytest.fixture
def recorded(operators: list[OperatorProcess], shop: Namespace) -> Iterator[Recording]:
    """A group of five, and a recording from now on, in which there are never more than five live pods."""
    with shop.record() as recording:
        shop.start_group(replicas=REPLICAS)
        yield recording
        most = recording.most_live()
    assert most <= REPLICAS


def kill(shop: Namespace, number: int) -> None:
    """Take some pods out of the API at once, and see them replaced."""
    victims = shop.live()[:number]
    for victim in victims:
        shop.kill(victim, gracePeriodSeconds=0)
    shop.complete(without=victims)


def test_each_lost_pod_is_replaced_once(shop: Namespace, recorded: Recording) -> None:
    """However often pods are killed, one or all, there are as many new pods as were lost; then the lease is free."""
    for number in [1, 2, REPLICAS] * ROUNDS:
        kill(shop, number)
    assert len(recorded.created()) == REPLICAS + ROUNDS * (1 + 2 + REPLICAS)
    eventually(None, lambda: shop.status().get("lease"))


def test_while_groups_grow_and_shrink_none_is_too_large(shop: Namespace, recorded: Recording) -> None:
    """Both see each change of `replicas` at the same time, and one of them carries it out."""
    for replicas in [1, REPLICAS] * ROUNDS:
        shop.patch_group({"spec": {"replicas": replicas}})
        shop.complete()
    assert len(recorded.created()) == REPLICAS + ROUNDS * (REPLICAS - 1)


def test_one_is_killed_at_each_step_and_started_again(
    shop: Namespace, operators: list[OperatorProcess], recorded: Recording
) -> None:
    """Whatever it was about to do, the pods that die meanwhile are replaced once, by itself or by the other one."""
    for number in range(4):
        operator = operators[number % 2]
        victims = shop.live()[:3]
        for victim in victims:
            shop.kill(victim, gracePeriodSeconds=0)
        operator.kill()
        operator.start()
        shop.complete(without=victims)
    assert len(recorded.created()) == REPLICAS + 4 * 3


def test_one_that_was_paused_makes_no_pod_too_many(
    shop: Namespace, operators: list[OperatorProcess], recorded: Recording
) -> None:
    """It wakes with caches that lag by whole lives of pods, and finds more of them missing."""
    with paused(operators[0]):
        kill(shop, REPLICAS)
        kill(shop, REPLICAS)
        victims = shop.live()
        for victim in victims:
            shop.kill(victim, gracePeriodSeconds=0)
    shop.complete(without=victims)
    assert len(recorded.created()) == REPLICAS * 4


def test_after_sigterm_the_other_need_not_wait(
    shop: Namespace, operators: list[OperatorProcess], recorded: Recording
) -> None:
    """An operator that ends while it acts gives its groups' leases back."""
    for victim in shop.live():
        shop.kill(victim, gracePeriodSeconds=0)
    since = time.monotonic()
    assert operators[0].stop() == 0
    shop.complete()
    assert time.monotonic() - since < DURATION
    eventually(None, lambda: shop.status().get("lease"))
    assert len(recorded.created()) == REPLICAS * 2

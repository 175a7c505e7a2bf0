"""Pods that die at birth, in a world that goes on for an hour: few creates, few objects, and recovery when it ends."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP_UID
from podgroup_operator.core.model import Phase
from world.apiserver import ApiServer
from world.operators import Operator

HOUR = 3600.0
STEADY = 600.0
"""Seconds after which the pauses have their full length."""


def bury(server: ApiServer) -> None:
    """Let every live pod be rejected by its node."""
    for one in server.live():
        server.write(replace(one, phase=Phase.FAILED, finished=server.now, node="n1"))


def settle(server: ApiServer) -> None:
    """Let every live pod become Ready."""
    for one in server.live():
        if one.ready_since is None:
            server.write(replace(one, phase=Phase.RUNNING, node="n1", ready_since=server.now))


def see(operator: Operator) -> float:
    """Let the operator hear everything and look, until it rests; give when it looks again."""
    for _ in range(10):
        operator.deliver(10_000)
        decision = operator.look()
        if decision and decision.empty:
            break
    assert decision
    return decision.look_again or operator.server.now + HOUR


@given(replicas=st.integers(1, 8), restarts=st.sets(st.integers(0, 200), max_size=10))
def test_pods_that_die_at_birth_are_no_hot_loop(replicas: int, restarts: set[int]) -> None:
    """At most six creates in any minute of the steady state, replicas + 5 objects, whatever restarts in between."""
    server = ApiServer(replicas)
    operator, births, born, round_ = Operator(server), [], 0, 0
    while server.now < server.began + HOUR:
        if round_ in restarts:
            operator = Operator(server)
        due = see(operator)
        births += [server.now] * (len(server.made) - born)
        born = len(server.made)
        assert len([one for one in server.pods.values() if one.controller == GROUP_UID]) <= replicas + 5
        bury(server)
        server.now = max(server.now + 0.5, min(due, server.now + 30.0))
        round_ += 1
    steady = [birth for birth in births if birth > server.began + STEADY]
    assert steady, "it is tried again and again"
    assert max(sum(start <= birth < start + 60 for birth in steady) for start in steady) <= 6


@pytest.mark.parametrize("replicas", [1, 3, 50])
def test_a_group_recovers_within_half_a_minute(replicas: int) -> None:
    """Once pods live again the group is complete 30 s later, however long they have failed."""
    server = ApiServer(replicas)
    operator = Operator(server)
    while server.now < server.began + HOUR:
        due = see(operator)
        bury(server)
        server.now = max(server.now + 0.5, min(due, server.now + 30.0))
    cured = server.now
    while len(server.live()) < replicas and server.now < cured + HOUR:
        due = see(operator)
        server.now = max(server.now + 1.0, min(due, server.now + 30.0)) if not server.live() else server.now + 1.0
        settle(server)
    assert server.now - cured <= 30.0

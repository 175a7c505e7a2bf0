"""Clocks that differ, and marks that others take off: the back-off is what it is without.

The API server says when a pod was made and asked to go, its node when it ended, and our own clock is another one
(kubernetes#29229). A policy may take our annotations and labels off new pods (KusionStack/resourceconsist#23).
"""

from collections.abc import Callable
from dataclasses import replace
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, OWNER, desired, planned, pod
from podgroup_operator.core.classify import is_active
from podgroup_operator.core.marks import UNMARKED, marks_of
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.observe.pods import PodStore

LIFE = 0.5
"""Seconds from a pod's birth to its end."""

MINUTES = 6
"""For how many of them each world goes on."""

skews = st.one_of(st.sampled_from([-3600.0, -30.0, 0.0, 30.0, 3600.0]), st.floats(-7200.0, 7200.0))


class World:
    """A group whose pods end as soon as they are made; it has clocks of its own, and so have the API server and a node.

    Attributes:
        births: when each pod was made, by the API server's clock.
        news_first: whether the news of a pod comes before the answer to its create.
        stripped: whether pods lose all marks of ours on their way.
    """

    def __init__(self, ours: float, node: float, *, stripped: bool = False, news_first: bool = False) -> None:
        self._now = NOW
        self._ours = ours
        self._node = node
        self._group = desired(1)
        self._pods: dict[str, Pod] = {}
        self._version = 100
        self.stripped = stripped
        self.news_first = news_first
        self.births: list[float] = []
        self.start()

    def start(self) -> None:
        """Start the operator anew: it lists what is there and knows nothing else."""
        self._store = PodStore(lambda *_: True, lambda: self._now + self._ours)
        self._store.replace("", list(self._pods.values()), self._version)

    def go_on(self, end: Callable[[Pod], Pod], restarts: frozenset[int] = frozenset()) -> None:
        """Let some minutes pass in which each pod ends so; in the given ones the operator is started anew."""
        for minute in range(MINUTES):
            if minute in restarts:
                self.start()
            while self._now < NOW + 60 * (minute + 1):
                again = self._look()
                self._now += LIFE
                for one in [one for one in self._pods.values() if is_active(one)]:
                    self._change(end(one))
                self._now = max(self._now, min(again, NOW + 60 * (minute + 1)))

    def rejected(self, one: Pod) -> Pod:
        """Have a pod rejected by its node."""
        return replace(one, phase=Phase.FAILED, finished=max(floor(self._now + self._node), one.created))

    def held(self, one: Pod) -> Pod:
        """Have a pod deleted, and held by a finalizer."""
        return replace(one, deleted=floor(self._now))

    def _look(self) -> float:
        seen = self._store.memories.of(OWNER).seen
        view = Observed(tuple(seen.pods.values()), losses=seen.losses, epochs=seen.epochs, corpse=seen.corpse)
        decision = planned(self._group, view, self._store.now())
        for remove in decision.removes:
            del self._pods[remove.pod.uid]
            self._store.remove(remove.pod.uid)
        for create in decision.creates:
            self._make(create)
        return self._now if decision.look_again is None or decision.creates else decision.look_again - self._ours

    def _make(self, create: Create) -> None:
        self.births.append(self._now)
        self._version += 1
        memory = self._store.memories.of(OWNER)
        memory.written.sending(create)
        has = UNMARKED if self.stripped else marks_of(create)
        fresh = {"created": floor(self._now), "phase": Phase.PENDING, "ready_since": None, "version": self._version}
        one = pod(create.name, **fresh, **has, uid=f"uid-{self._version}")
        self._pods[one.uid] = one
        if self.news_first:
            self._store.upsert(one, born=True)
        memory.answered(create, one)
        if create.loss:
            memory.seen.made_good(create.loss)
        if not self.news_first:
            self._store.upsert(one, born=True)

    def _change(self, one: Pod) -> None:
        self._version += 1
        self._pods[one.uid] = replace(one, version=self._version)
        self._store.upsert(self._pods[one.uid])


def by_minute(births: list[float]) -> list[int]:
    """Count the pods that were made in each minute."""
    return [sum(minute <= (birth - NOW) / 60 < minute + 1 for birth in births) for minute in range(MINUTES)]


@given(skews, skews)
def test_no_clock_undoes_the_back_off(ours: float, node: float) -> None:
    """However far they differ, of pods that are rejected at birth at most seven are made in a minute, then four."""
    world = World(ours, node)
    world.go_on(world.rejected)

    first, *others = by_minute(world.births)
    assert 4 <= first <= 7
    assert all(2 <= number <= 4 for number in others)


@given(skews, st.frozensets(st.integers(1, MINUTES - 1), max_size=2))
def test_a_restart_costs_a_few_tries(ours: float, restarts: frozenset[int]) -> None:
    """What is said of the pods that are there is all that is known then; what comes after is seen again."""
    world = World(ours, ours / 2)
    world.go_on(world.rejected, restarts)

    for minute, number in enumerate(by_minute(world.births)):
        assert number <= (8 if minute in {0, *restarts} else 4)


@given(skews, st.frozensets(st.integers(1, MINUTES - 1), max_size=2))
def test_no_clock_lets_deleted_pods_pile_up(ours: float, restarts: frozenset[int]) -> None:
    """The few that are replaced at once, then ever fewer, and after a restart one more."""
    world = World(ours, 0.0)
    world.go_on(world.held, restarts)

    first, *others = by_minute(world.births)
    assert 7 <= first <= 14
    assert all(2 <= number <= 5 for number in others)


@pytest.mark.parametrize("news_first", [True, False], ids=["the news comes first", "the answer comes first"])
@given(ours=skews)
def test_no_policy_that_takes_our_marks_off_undoes_the_back_off(*, ours: float, news_first: bool) -> None:
    """What was sent counts where the pod says nothing, whichever tells of the pod first."""
    world = World(ours, 0.0, stripped=True, news_first=news_first)
    world.go_on(world.rejected)

    first, *others = by_minute(world.births)
    assert 4 <= first <= 7
    assert all(2 <= number <= 4 for number in others)

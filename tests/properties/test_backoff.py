"""Pods that die at birth, in a world that goes on for an hour: few creates, few objects, and recovery when it ends."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, desired, observed, planned, pod
from podgroup_operator.core.backoff import failed_early
from podgroup_operator.core.classify import is_active
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.pod import Phase, Pod

HOUR = 3600.0
STEADY = 600.0
"""Seconds after which the pauses have their full length."""


class Ward:
    """A group whose pods live and die as a test has it; what is planned is done at once.

    Attributes:
        cleaned: whether somebody takes each corpse away as soon as it lies there.
        births: when each pod was made.
    """

    def __init__(self, replicas: int, *, cleaned: bool = False) -> None:
        self.now = NOW
        self.cleaned = cleaned
        self.births: list[float] = []
        self.pods: list[Pod] = []
        self._group = desired(replicas)
        self._corpse: Pod | None = None
        self._epochs: dict[int, int] = {}

    def look(self) -> float:
        """Plan and do until nothing is to be done; give when to look again."""
        while True:
            decision = planned(self._group, observed(*self.pods, epochs=self._epochs, corpse=self._corpse), self.now)
            gone = {remove.pod.uid for remove in decision.removes}
            self.pods = [one for one in self.pods if one.uid not in gone] + [
                self._born(one) for one in decision.creates
            ]
            if decision.empty:
                return decision.look_again or self.now + HOUR

    def _born(self, create: Create) -> Pod:
        self.births.append(self.now)
        self._epochs[create.slot] = create.epoch
        fresh = {"slot": create.slot, "epoch": create.epoch, "failures": create.failures, "ready_since": None}
        return pod(create.name, created=self.now, phase=Phase.PENDING, **fresh)

    def bury(self) -> None:
        """Let every live pod be rejected by its node."""
        self.pods = [
            replace(one, phase=Phase.FAILED, finished=self.now) if is_active(one) else one for one in self.pods
        ]
        self._corpse = next((one for one in reversed(self.pods) if failed_early(one)), self._corpse)
        if self.cleaned:
            self.pods = [one for one in self.pods if is_active(one)]

    def live_and_die(self) -> None:
        """Let pods be made and rejected half a second later, and go on to the moment at which the next may be made."""
        self.look()
        self.now += 0.5
        self.bury()
        self.now = max(self.now, min(self.look(), self.now + 30.0))

    def settle(self) -> None:
        """Let every live pod become Ready."""
        self.pods = [
            replace(one, phase=Phase.RUNNING, ready_since=self.now)
            if is_active(one) and one.ready_since is None
            else one
            for one in self.pods
        ]

    def restart(self) -> None:
        """Forget all that is not read off the pods."""
        self._corpse, self._epochs = None, {}


def busiest(births: list[float]) -> int:
    """Count the most that fall into any minute."""
    return max(sum(start <= birth < start + 60 for birth in births) for start in births)


@pytest.mark.parametrize("cleaned", [False, True], ids=["corpses stay", "a cleaner takes corpses away"])
@given(replicas=st.integers(1, 8), restarts=st.sets(st.integers(0, 200), max_size=10))
def test_pods_that_die_at_birth_are_no_hot_loop(replicas: int, restarts: set[int], *, cleaned: bool) -> None:
    """At most six creates in any minute of the steady state, replicas + 5 objects, whatever restarts in between.

    A cleaner changes nothing, as long as the operator lives: after a restart there is nothing left to read it off.
    """
    ward, round_ = Ward(replicas, cleaned=cleaned), 0
    while ward.now < NOW + HOUR:
        if round_ in restarts and not cleaned:
            ward.restart()
        ward.live_and_die()
        assert len(ward.pods) <= replicas + 5
        round_ += 1
    steady = [birth for birth in ward.births if birth > NOW + STEADY]
    assert steady, "it is tried again and again"
    assert busiest(steady) <= 6


def test_in_the_first_minute_as_many_are_made_again_as_were_wanted() -> None:
    """Three that are rejected at birth cost three tries: after 4 s, 16 s and 20 s, each a little sooner."""
    ward = Ward(3)
    while ward.now < NOW + 60:
        ward.live_and_die()
    assert len([birth for birth in ward.births if birth < NOW + 60]) in {6, 7}


@given(replicas=st.integers(1, 8), ill=st.floats(10.0, HOUR))
def test_when_the_cause_is_gone_all_are_there_within_thirty_seconds(replicas: int, ill: float) -> None:
    """However long it lasted: the next try comes within 20 s, and the first that starts frees the others."""
    ward = Ward(replicas)
    while ward.now < NOW + ill:
        ward.live_and_die()
    ended = ward.now
    while sum(one.ready_since is not None for one in ward.pods if is_active(one)) < replicas:
        due = ward.look()
        ward.now += 1.0
        ward.settle()
        ward.now = min(max(ward.now, due), ward.now + 1.0)
        assert ward.now - ended <= 30.0

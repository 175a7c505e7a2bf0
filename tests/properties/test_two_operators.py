"""Two operators at once, without election: what computed names alone are good for.

Both have watched from the start and see all that has happened when they decide; then both act, one after the other.
As they know the same they choose the same names, so the later one is told that the pods are there: no surplus.
An operator that knows less (it has restarted and forgotten epochs, or lags by a pod that came and went) may choose
another name, and that takes an election to prevent.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from builders import LABELS, pod
from podgroup_operator.core.plan import plan
from world.apiserver import ApiServer
from world.operators import Operator


class TwoOperators(RuleBasedStateMachine):
    """One group, two operators that know the same, and people who take pods away.

    Attributes:
        most: the most pods ever wanted.
    """

    server: ApiServer
    operators: list[Operator]

    @initialize(replicas=st.integers(1, 4))
    def start(self, replicas: int) -> None:
        """Begin with an empty namespace."""
        self.server = ApiServer(replicas)
        self.operators = [Operator(self.server), Operator(self.server)]
        self.most = replicas

    @rule(replicas=st.integers(0, 5))
    def scale(self, replicas: int) -> None:
        """Somebody wants more or fewer pods."""
        self.server.replicas = replicas
        self.most = max(self.most, replicas)

    @rule(numbers=st.lists(st.integers(0, 9), min_size=1, max_size=3))
    def kill(self, numbers: list[int]) -> None:
        """Somebody deletes pods."""
        for number in numbers:
            if pods := sorted(self.server.live(), key=lambda one: one.name):
                self.server.delete(pods[number % len(pods)])

    @rule()
    def intrude(self) -> None:
        """Somebody makes a pod that the group takes in."""
        self.server.add(pod(f"stray-{self.server.version}", controller="", labels=LABELS, node=""))

    def tell(self) -> None:
        """Both operators learn all that has happened."""
        for operator in self.operators:
            operator.deliver(1000)
            operator.hear()

    @rule(number=st.integers(0, 1))
    def look(self, number: int) -> None:
        """One of them looks."""
        self.tell()
        self.operators[number].look()

    def look_together(self, first: int) -> None:
        """Both look at the same world at the same time, and then both act on what they saw."""
        self.tell()
        before = len(self.server.live())
        views = [(operator, operator.observe()) for operator in (self.operators[first], self.operators[1 - first])]
        decisions = [(operator, plan(operator.desired, seen, self.server.now), seen) for operator, seen in views]
        for operator, decision, seen in decisions:
            operator.carry_out(decision, seen)

        assert len(self.server.live()) >= min(before, self.server.replicas), "they have deleted too many"

    one_before_the_other = rule(first=st.just(0))(look_together)
    the_other_before_the_one = rule(first=st.just(1))(look_together)

    @invariant()
    def no_surplus(self) -> None:
        """No more pods of their making live than were ever wanted."""
        assert len([one for one in self.server.live() if one.uid in self.server.made]) <= self.most

    def teardown(self) -> None:
        """End in quiet: one after the other they make the group what is wanted."""
        for _ in range(6):
            self.look(0)
            self.look(1)

        assert len(self.server.live()) == self.server.replicas


TestTwoOperators = TwoOperators.TestCase

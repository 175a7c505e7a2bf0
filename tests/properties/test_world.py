"""An operator in a world that does what it likes: safe always, and converged once the world is quiet.

Pods are killed, finish, fail, are relabelled, started and made by others; news come late or not at all; the operator
restarts; requests are refused or go unanswered. What is claimed (I1, I2 and I8 of the reliability goals):

- no surplus: never do more pods of the operator's making live than were wanted since the world was quiet last;
- no harm: the operator's deletes never leave fewer pods than were wanted, less those that others took away;
- convergence: when the world is quiet there are exactly as many as wanted, and then nothing more is done.
"""

from dataclasses import replace
from enum import Enum

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from builders import GROUP_UID, LABELS, OTHER_UID, pod
from podgroup_operator.core.model import Phase, Pod
from podgroup_operator.core.names import pod_name
from world.apiserver import ApiServer, Trouble, alive, wanted
from world.operators import Operator

LONG_ENOUGH = 8  # steps between two times of quiet


class Harm(Enum):
    """What becomes of a pod that others take away."""

    DELETED = "deleted"  # with the grace that its kubelet gives it
    GONE = "gone"  # by force, or with its node
    FAILED = "failed"
    EVICTED = "evicted"
    SUCCEEDED = "succeeded"
    RELABELLED = "relabelled"


PICKS = st.integers(0, 9)
NAMES = st.builds(pod_name, st.just("web"), st.just(GROUP_UID), st.integers(0, 4), st.integers(0, 2))
TROUBLES = st.lists(st.sampled_from(Trouble), min_size=1, max_size=4)


class World(RuleBasedStateMachine):
    """One group, one operator, and everything that can happen to them.

    Attributes:
        most: the most pods wanted since the world was quiet.
        least: the fewest pods wanted since then.
        harm: how many pods others took away since then.
        steps: how much has happened since then.
        touched: UIDs of pods whose labels somebody has changed: they may come back when they were replaced already.
    """

    server: ApiServer
    operator: Operator

    @initialize(replicas=st.integers(1, 4))
    def start(self, replicas: int) -> None:
        """Begin with an empty namespace."""
        self.server = ApiServer(replicas)
        self.operator = Operator(self.server)
        self.touched: set[str] = set()
        self.be_quiet()

    def be_quiet(self) -> None:
        """Note that the past is past."""
        self.most = self.least = self.server.replicas
        self.harm = self.steps = 0

    @rule(replicas=st.integers(0, 5), heard=st.booleans())
    def scale(self, replicas: int, heard: bool) -> None:  # noqa: FBT001 (drawn)
        """Somebody wants more or fewer pods, and the operator hears of it now or later."""
        self.server.replicas = replicas
        self.most, self.least = max(self.most, replicas), min(self.least, replicas)
        if heard:
            self.operator.hear()

    def pick(self, number: int) -> Pod | None:
        """Choose a live pod of the group."""
        pods = sorted(self.server.live(), key=lambda one: one.name)
        return pods[number % len(pods)] if pods else None

    @rule(numbers=st.lists(PICKS, min_size=1, max_size=3), harm=st.sampled_from(Harm))
    def take_away(self, numbers: list[int], harm: Harm) -> None:
        """Pods stop counting, in one way or another."""
        for number in numbers:
            if one := self.pick(number):
                self.harm += 1
                self.do_harm(one, harm)

    def do_harm(self, one: Pod, harm: Harm) -> None:
        """Take one pod away."""
        match harm:
            case Harm.DELETED:
                self.server.delete(one)
            case Harm.GONE:
                self.server.remove(one)
            case Harm.RELABELLED:
                self.touched.add(one.uid)
                self.server.write(replace(one, labels={key: one.labels[key] for key in one.labels.keys() - LABELS}))
            case Harm.SUCCEEDED:
                self.server.write(replace(one, phase=Phase.SUCCEEDED, ready_since=None, finished=self.server.now))
            case Harm.FAILED | Harm.EVICTED:
                ended = replace(one, phase=Phase.FAILED, ready_since=None, finished=self.server.now)
                self.server.write(replace(ended, evicted=harm is Harm.EVICTED))

    @rule(number=PICKS)
    def clean_up(self, number: int) -> None:
        """A pod that was on its way out, or has finished, is gone."""
        pods = sorted((one for one in self.server.pods.values() if not alive(one)), key=lambda one: one.name)
        if pods:
            self.server.remove(pods[number % len(pods)])

    @rule(number=PICKS, ready=st.booleans())
    def run(self, number: int, ready: bool) -> None:  # noqa: FBT001 (drawn)
        """A pod is on a node, and Ready or not."""
        if one := self.pick(number):
            since = self.server.now if ready else None
            self.server.write(replace(one, node="n1", phase=Phase.RUNNING, ready_since=since))

    @rule(number=PICKS)
    def relabel_back(self, number: int) -> None:
        """Somebody gives a pod the group's label, whether it was the group's or not."""
        pods = sorted((one for one in self.server.pods.values() if not wanted(one)), key=lambda one: one.name)
        if pods:
            one = pods[number % len(pods)]
            self.server.write(replace(one, labels={**one.labels, **LABELS}))

    @rule(name=NAMES, controller=st.sampled_from(["", OTHER_UID]), labels=st.sampled_from([LABELS, {}]))
    def intrude(self, name: str, controller: str, labels: dict[str, str]) -> None:
        """Somebody else makes a pod, under a name that the operator may want."""
        if name not in self.server.pods:
            self.server.add(pod(name, controller=controller, labels=labels, node=""))

    @rule(number=st.integers(1, 8))
    def tell(self, number: int) -> None:
        """The operator gets the next events, and the newest spec."""
        self.operator.deliver(number)
        self.operator.hear()

    @rule(forgets=st.booleans())
    def start_over(self, forgets: bool) -> None:  # noqa: FBT001 (drawn)
        """The operator lists: its watch was too old, or it restarts and forgets all that it keeps in memory."""
        if forgets:
            self.operator = Operator(self.server)
        else:
            self.operator.relist()

    def look(self, troubles: list[Trouble], seconds: float) -> None:
        """Some time later the operator looks at the group, and some of its requests meet with trouble."""
        self.server.now += seconds
        fates = iter(troubles)
        decision = self.operator.look(lambda: next(fates, Trouble.NONE))
        if decision and decision.deletes:
            assert len(self.server.live()) >= self.least - self.harm, "the operator has deleted too many"

    # Several rules for one thing: a third of what happens is the operator's doing, or there is little to go wrong.
    look_at_once = rule(troubles=TROUBLES, seconds=st.just(0.0))(look)
    look_soon = rule(troubles=TROUBLES, seconds=st.just(2.0))(look)
    look_later = rule(troubles=TROUBLES, seconds=st.sampled_from([30.0, 5000.0]))(look)
    look_in_peace = rule(troubles=st.just([]), seconds=st.just(2.0))(look)

    @precondition(lambda self: self.steps >= LONG_ENOUGH)
    @rule()
    def calm_down(self) -> None:
        """Everybody leaves the group alone: it becomes what is wanted, and then nothing happens any more."""
        for _ in range(20):
            self.server.now += 60.0
            self.get_ready()
            self.operator.deliver(1000)
            self.operator.hear()
            decision = self.operator.look()
            if decision and decision.empty and not decision.held:
                break
        version, status = self.server.version, self.server.status

        assert len(self.server.live()) == self.server.replicas
        assert status.replicas == self.server.replicas
        decision = self.operator.look()
        assert decision is not None
        assert decision.empty
        assert (self.server.version, self.server.status) == (version, status)
        self.be_quiet()

    def get_ready(self) -> None:
        """Let every live pod become Ready: what has failed until now fails no more."""
        for one in self.server.live():
            if one.ready_since is None:
                self.server.write(replace(one, node="n1", phase=Phase.RUNNING, ready_since=self.server.now))

    @invariant()
    def count_steps(self) -> None:
        """Count what happens."""
        self.steps += 1

    @invariant()
    def no_surplus(self) -> None:
        """No more pods of the operator's making live than were wanted since the world was quiet."""
        live = [one for one in self.server.live() if one.uid in self.server.made - self.touched]
        assert len(live) <= self.most

    def teardown(self) -> None:
        """End in quiet."""
        self.calm_down()


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=3 * settings().max_examples)  # a world is large

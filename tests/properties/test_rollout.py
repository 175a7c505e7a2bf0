"""Rollouts as a machine: a group is rolled, scaled, paused and hurt at random; its bounds hold, and it always ends."""

from dataclasses import replace
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from builders import orphan
from podgroup_operator.core.model.changing import Stage
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType
from properties.rollout_world import Fate, World, a_group

MOST = 6
ROUNDS = 80
"""Looks after which a group that nobody hurts any more has long been what it shall be."""
LONG = 12.0
"""Seconds between them: a pause after failures lasts 20 s."""

shares = st.one_of(
    st.integers(0, 3).map(Share), st.sampled_from([0, 10, 25, 50, 100]).map(lambda each: Share(each, percent=True))
)
strategies = st.builds(
    Strategy,
    type=st.sampled_from([StrategyType.ROLLING_UPDATE] * 3 + [StrategyType.RECREATE, StrategyType.ON_DELETE]),
    max_surge=shares,
    max_unavailable=shares,
    partition=st.sampled_from([Share(0)] * 5 + [Share(1), Share(2), Share(50, percent=True), Share(99, percent=True)]),
)
in_place = st.builds(replace, strategies, in_place=st.sampled_from([True, True, False]))
policies = st.sampled_from(PodReplacement)
delays = st.sampled_from([0, 0, 3])
uids = st.integers(0, 99)


class Rollout(RuleBasedStateMachine):
    """People, nodes, time and an operator, in any order."""

    @initialize(
        replicas=st.integers(0, MOST),
        strategy=in_place,
        policy=policies,
        delay=delays,
        kept=st.booleans(),
        back=st.booleans(),
    )
    def begin(
        self, replicas: int, strategy: Strategy, policy: PodReplacement, delay: int, *, kept: bool, back: bool
    ) -> None:
        """A group that stands, all of one revision."""
        wishes = {"rollback_on_deadline": back, "progress_deadline_seconds": 30 if back else 600}
        group = a_group(replicas, strategy=strategy, pod_replacement=policy, min_ready_seconds=delay, **wishes)
        self.world = World(group)
        self.world.stand()
        self.calm = True
        if kept and self.world.pods:
            uid = min(self.world.pods)
            self.world.pods[uid] = replace(self.world.pods[uid], kept=True)

    def drawn(self, number: int) -> str:
        """Choose a pod."""
        chosen = sorted(self.world.pods)
        return chosen[number % len(chosen)]

    # What people, nodes and time do.

    @rule(revision=st.sampled_from(["r1", "r2", "r3"]), fate=st.sampled_from(Fate))
    def roll(self, revision: str, fate: Fate) -> None:
        """The template changes, back to an earlier one or on to one that may never be Ready."""
        self.world.roll(revision, fate)

    @rule(replicas=st.integers(0, MOST))
    def scale(self, replicas: int) -> None:
        """Another number of pods is wanted."""
        self.world.group = replace(self.world.group, replicas=replicas)

    @rule()
    def pause(self) -> None:
        """The rollout is paused, or resumed."""
        self.world.group = replace(self.world.group, paused=not self.world.group.paused)

    @rule(strategy=in_place)
    def choose(self, strategy: Strategy) -> None:
        """Another strategy is chosen."""
        self.world.group = replace(self.world.group, strategy=strategy)

    @precondition(lambda self: self.world.pods)
    @rule(number=uids)
    def ask(self, number: int) -> None:
        """Somebody asks for the replacement of a pod."""
        uid = self.drawn(number)
        self.world.pods[uid] = replace(self.world.pods[uid], asked=True)

    @precondition(lambda self: self.world.pods)
    @rule(number=uids, gone=st.booleans())
    def kill(self, number: int, *, gone: bool) -> None:
        """A pod is deleted from outside, with or without grace."""
        self.world.lose(self.drawn(number), gone=gone)

    @precondition(lambda self: self.world.pods)
    @rule(number=uids, gone=st.booleans())
    def kill_unseen(self, number: int, *, gone: bool) -> None:
        """A pod is deleted while no operator runs."""
        self.world.lose(self.drawn(number), noticed=False, gone=gone)
        self.world.forget()

    @precondition(lambda self: self.world.active())
    @rule(number=uids)
    def fail(self, number: int) -> None:
        """A pod fails."""
        active = self.world.active()
        self.world.fail(active[number % len(active)].uid)

    @precondition(lambda self: self.world.pods)
    @rule(number=uids)
    def sicken(self, number: int) -> None:
        """A pod is Ready no more, for a while."""
        uid = self.drawn(number)
        self.world.pods[uid] = replace(self.world.pods[uid], ready_since=None)

    @precondition(lambda self: self.world.active())
    @rule(number=uids)
    def relabel(self, number: int) -> None:
        """A person takes a pod out of the group by its label."""
        active = self.world.active()
        pod = active[number % len(active)]
        self.world.pods[pod.uid] = replace(pod, labels={"app": "else"})

    @rule(number=uids, revision=st.sampled_from(["", "r1"]))
    def stray(self, number: int, revision: str) -> None:
        """A pod comes that nobody controls: one from elsewhere, or one that an earlier group of ours has left."""
        name = f"stray-{number}"
        self.world.pods.setdefault(f"uid-{name}", orphan(name, revision=revision, created=self.world.now))

    @precondition(lambda self: any(pod.changing for pod in self.world.active()))
    @rule(number=uids, stage=st.sampled_from([Stage.REFUSED, Stage.UNWRITTEN]))
    def fail_in_place(self, number: int, stage: Stage) -> None:
        """A node cannot do what is patched, or the operator was cut short."""
        pods = [pod for pod in self.world.active() if pod.changing]
        pod = pods[number % len(pods)]
        assert pod.changing
        self.world.pods[pod.uid] = replace(pod, changing=replace(pod.changing, stage=stage, until=inf))

    @rule()
    def cut_short(self) -> None:
        """From now on a change in place ends after its mark, or no more."""
        self.world.halfway = not self.world.halfway

    @rule(lane=st.sampled_from([Lane.CREATE, Lane.SURGE]))
    def refuse(self, lane: Lane) -> None:
        """A quota has no room for a kind of create, or has again."""
        self.world.refused ^= {lane}

    @rule()
    def misspell(self) -> None:
        """The template is refused, or no more: what is wanted stays what it was."""
        refused = self.world.template_refusal
        self.world.template_refusal = None if refused else Refusal("invalid", 60.0, advice="No.", revision="r9")

    @rule(many=st.integers(0, 9))
    def start(self, many: int) -> None:
        """Time passes, and some pods go on."""
        self.world.pass_time(1, many)

    @rule()
    def wait(self) -> None:
        """Much time passes."""
        self.world.pass_time(40)

    # What the operator does.

    @rule(stop=st.sampled_from([0, 1, 2, 3, 99, 99, 99]), times=st.integers(1, 3))
    def look(self, stop: int, times: int) -> None:
        """The operator looks and acts, and may be stopped after so many writes; some news bring more than one look."""
        for _ in range(times):
            self.world.look(stop)

    @rule()
    def restart(self) -> None:
        """The operator starts again, and knows nothing but what it can read."""
        self.world.forget()

    def teardown(self) -> None:
        """Left alone with good templates, the group ends as it shall be."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.group, world.refused, world.halfway = replace(world.group, paused=False), set(), False
        world.fates = dict.fromkeys(world.fates, Fate.GOOD)
        world.come_to_rest(ROUNDS, LONG)
        assert world.look().empty
        self.judge_end()

    def judge_end(self) -> None:
        """As many pods as wanted, in seats of their own, none asked for any more, and as many of the new template."""
        group, active = self.world.aimed(), self.world.active()
        kept = [pod for pod in active if pod.kept]
        assert max(group.replicas, len(kept)) >= len(active) >= group.replicas
        assert not any(pod.asked and not pod.kept for pod in active)
        assert all(pod.changing or self.world.is_available(pod) for pod in active)
        assert not any(pod.changing and pod.changing.stage is Stage.UNWRITTEN for pod in active if not pod.kept)
        old = [pod for pod in active if pod.revision != group.revision]
        if group.strategy.type is StrategyType.ON_DELETE or (
            group.strategy.type is StrategyType.RECREATE and any(pod.kept for pod in old)
        ):
            return
        assert len(old) <= max(group.strategy.staying(group.replicas), sum(pod.kept for pod in old))


Rollout.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
TestRollout = Rollout.TestCase


@given(
    replicas=st.integers(0, MOST), strategy=strategies, policy=policies, delay=delays, many=st.sampled_from([1, 3, 99])
)
def test_a_quiet_rollout_makes_exactly_the_pods_that_it_replaces(
    replicas: int, strategy: Strategy, policy: PodReplacement, delay: int, many: int
) -> None:
    """Each pod that goes has one that is made for it, in its seat, and none of that is a heal."""
    world = World(a_group(replicas, strategy=strategy, pod_replacement=policy, min_ready_seconds=delay))
    world.stand()
    made, before = world.made, set(world.pods)
    world.roll("r2", Fate.GOOD)
    world.come_to_rest(ROUNDS, 5, many)

    rolls = strategy.type is not StrategyType.ON_DELETE
    replaced = replicas - strategy.staying(replicas) if rolls else 0
    assert world.look().empty
    assert (world.made - made, len(before - set(world.pods))) == (replaced, replaced)
    assert sorted(pod.slot for pod in world.active() if pod.slot is not None) == list(range(replicas))
    assert world.status.healing.total == 0


@given(
    replicas=st.integers(1, MOST),
    strategy=strategies,
    policy=policies,
    delay=delays,
    fate=st.sampled_from(Fate),
    rounds=st.integers(0, 9),
)
def test_going_back_leaves_the_pods_that_are_still_there(
    replicas: int, strategy: Strategy, policy: PodReplacement, delay: int, fate: Fate, rounds: int
) -> None:
    """From a template that is good, never Ready or crashing the way back takes none of the old pods away."""
    world = World(a_group(replicas, strategy=strategy, pod_replacement=policy, min_ready_seconds=delay))
    world.stand()
    world.roll("r2", fate)
    for _ in range(rounds):
        world.look()
        world.pass_time(5)
    world.roll("r1", Fate.GOOD)
    still = {pod.uid for pod in world.active() if pod.revision == "r1"}
    world.come_to_rest(ROUNDS, 5)

    assert world.look().empty
    assert still <= set(world.pods)
    assert len(world.active()) == replicas
    others = sum(pod.revision != "r1" for pod in world.active())
    assert strategy.type is StrategyType.ON_DELETE or others <= strategy.staying(replicas)


@given(
    replicas=st.integers(0, MOST), strategy=in_place, many=st.sampled_from([1, 3, 99]), to=st.sampled_from(["r2", "r3"])
)
def test_a_quiet_rollout_in_place_makes_no_pod(replicas: int, strategy: Strategy, many: int, to: str) -> None:
    """The pods are those that were there; where none may be unavailable only if nothing restarts."""
    world = World(a_group(replicas, strategy=replace(strategy, type=StrategyType.ROLLING_UPDATE, in_place=True)))
    world.stand()
    before = set(world.pods)
    world.roll(to, Fate.GOOD)
    world.come_to_rest(ROUNDS, 1, many)  # if one pod after the other goes on, all do within the minute that each has
    strategy = world.group.strategy
    patched = to == "r3" or strategy.unavailable(replicas) > 0
    assert world.look().empty
    assert not patched or set(world.pods) == before
    assert sum(pod.revision == to for pod in world.active()) == replicas - strategy.staying(replicas)
    assert world.status.healing.total == 0

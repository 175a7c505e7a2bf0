"""Rollouts as a machine: a group is rolled, scaled, paused and hurt at random; its bounds hold, and it always ends."""

from dataclasses import replace
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from builders import GROUP_UID, LABELS, NOW, desired, planned
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.strategy import Share, Strategy, StrategyType

MOST = 6
ROUNDS = 60
"""Looks after which a group that nobody hurts any more has long been what it shall be."""

shares = st.one_of(
    st.integers(0, 3).map(Share), st.sampled_from([0, 10, 25, 50, 100]).map(lambda each: Share(each, percent=True))
)
strategies = st.builds(
    Strategy,
    type=st.sampled_from([StrategyType.ROLLING_UPDATE, StrategyType.RECREATE, StrategyType.ON_DELETE]),
    max_surge=shares,
    max_unavailable=shares,
    partition=st.sampled_from([Share(0)] * 4 + [Share(1), Share(2), Share(50, percent=True), Share(99, percent=True)]),
)


class Rollout(RuleBasedStateMachine):
    """A store with the pods of one group, and an operator that looks at it, acts, and may be stopped anywhere."""

    @initialize(
        replicas=st.integers(0, MOST), strategy=strategies, policy=st.sampled_from(PodReplacement), kept=st.booleans()
    )
    def begin(self, replicas: int, strategy: Strategy, policy: PodReplacement, kept: bool) -> None:  # noqa: FBT001
        """A group that stands, all of one revision."""
        self.versions = count(1)
        self.group = desired(
            replicas, revision="r1", former="r1", strategy=strategy, pod_replacement=policy, failed_pods_history_limit=0
        )
        self.pods: dict[str, Pod] = {}
        self.epochs: dict[int, int] = {}
        self.losses: dict[int, Loss] = {}
        self.good = {"r1"}
        self.revisions = {"r1"}
        self.proved, self.made, self.now = False, 0, NOW
        for slot in range(replicas):
            self.create(Create(f"web-{slot}", slot, 0, "r1"))
        self.start(replicas)
        if kept and self.pods:
            uid = min(self.pods)
            self.pods[uid] = replace(self.pods[uid], kept=True)

    # What people, nodes and time do.

    @rule(revision=st.sampled_from(["r1", "r2", "r3"]), good=st.booleans())
    def roll(self, revision: str, good: bool) -> None:  # noqa: FBT001
        """The template changes, back to an earlier one or on to one that may never be Ready."""
        if revision not in self.revisions:
            self.revisions.add(revision)
            if good:
                self.good.add(revision)
        if revision != self.group.revision:
            self.group = replace(self.group, former=self.group.revision, revision=revision)
            self.proved = False

    @rule(replicas=st.integers(0, MOST))
    def scale(self, replicas: int) -> None:
        """Another number of pods is wanted."""
        self.group = replace(self.group, replicas=replicas)

    @rule()
    def pause(self) -> None:
        """The rollout is paused, or resumed."""
        self.group = replace(self.group, paused=not self.group.paused)

    @precondition(lambda self: self.pods)
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """Somebody asks for the replacement of a pod."""
        uid = data.draw(st.sampled_from(sorted(self.pods)))
        self.pods[uid] = replace(self.pods[uid], asked=True)

    @precondition(lambda self: self.pods)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        """A pod is deleted from outside."""
        uid = data.draw(st.sampled_from(sorted(self.pods)))
        pod = self.pods[uid]
        if pod.deleted is None:
            slot = -1 if pod.slot is None else pod.slot
            self.losses[slot] = Loss(
                slot, pod.name, Cause.DELETED, self.now, revision=pod.revision, ready_since=pod.ready_since
            )
            self.pods[uid] = replace(pod, deleted=self.now)

    @rule(many=st.integers(0, 9))
    def start(self, many: int) -> None:
        """Time passes: pods of good revisions become Ready, and those that were asked to go are gone."""
        self.now += 1
        for uid, pod in list(self.pods.items())[:many]:
            if pod.deleted is not None:
                del self.pods[uid]
            elif pod.revision in self.good and pod.ready_since is None:
                self.pods[uid] = replace(pod, ready_since=self.now, phase=Phase.RUNNING, node=f"n{pod.slot}")
        self.proved |= any(pod.ready_since is not None and pod.revision == self.group.revision for pod in self.active())

    # What the operator does.

    @rule(stop=st.integers(0, 9))
    def look(self, stop: int) -> None:
        """The operator looks and acts, and is stopped after so many writes."""
        self.step(stop)

    def step(self, stop: int = 99) -> Plan:
        """Look once and act."""
        plan = planned(self.group, self.seen(), self.now)
        if plan.missing <= 0:
            self.losses.clear()
        self.judge(plan)
        for create in plan.creates[:stop]:
            self.create(create)
            self.judge_create(create)
        for remove in plan.removes[: max(stop - len(plan.creates), 0)]:
            self.pods[remove.pod.uid] = replace(self.pods[remove.pod.uid], deleted=self.now)
        return plan

    def create(self, create: Create) -> None:
        """Make a pod."""
        assert create.name not in {pod.name for pod in self.pods.values()}
        version = next(self.versions)
        self.made += 1
        self.pods[f"uid-{version}"] = Pod(
            namespace="shop",
            name=create.name,
            uid=f"uid-{version}",
            version=version,
            labels=LABELS,
            created=self.now,
            controller=GROUP_UID,
            slot=create.slot,
            epoch=create.epoch,
            revision=create.revision,
        )
        self.epochs[create.slot] = max(create.epoch, self.epochs.get(create.slot, -1))
        if create.loss:
            self.losses = {slot: loss for slot, loss in self.losses.items() if loss.pod != create.loss.pod}

    def seen(self) -> Observed:
        """Give what the operator sees."""
        return Observed(
            pods=tuple(self.pods.values()),
            names=frozenset(pod.name for pod in self.pods.values()),
            losses=dict(self.losses),
            epochs=dict(self.epochs),
            templates=frozenset(self.revisions),
        )

    # What must hold.

    def judge(self, plan: Plan) -> None:
        """No plan takes what is kept, or lowers what is available below what may be."""
        group, removed = self.group, {remove.pod.uid for remove in plan.removes}
        assert not any(self.pods[uid].kept for uid in removed)
        available = [pod for pod in self.active() if pod.ready_since is not None]
        left = [pod for pod in available if pod.uid not in removed]
        least = group.replicas - group.strategy.unavailable(group.replicas)
        assert len(left) == len(available) or len(left) >= least or group.strategy.type is StrategyType.RECREATE

    def judge_create(self, create: Create) -> None:
        """No pod is made beyond `replicas` and the surge, nor one beside old ones where Recreate is at work."""
        group, active = self.group, self.active()
        waiting = len(self.pods) - len(active) if group.pod_replacement is PodReplacement.TERMINATION_COMPLETE else 0
        assert len(active) + waiting <= group.replicas + group.strategy.surge(group.replicas)
        assert create.revision in self.revisions
        old = [pod for pod in self.pods.values() if pod.revision != group.revision]
        recreates = group.strategy.type is StrategyType.RECREATE and not group.paused
        assert not (recreates and old) or any(pod.kept for pod in old)

    def teardown(self) -> None:
        """Left alone with good templates, the group ends as it shall be, and makes no pod more than it needs."""
        if not hasattr(self, "group"):
            return
        self.group, self.good, made = replace(self.group, paused=False), set(self.revisions), self.made
        needed, allowed = self.needed(), self.staying()
        for _ in range(ROUNDS):
            self.step()
            self.start(99)
        assert self.step().empty
        outdated = [pod for pod in self.active() if pod.revision != self.group.revision]
        kept = sum(pod.kept for pod in self.active())
        assert max(self.group.replicas, kept) >= len(self.active()) >= self.group.replicas
        assert self.group.strategy.type is StrategyType.ON_DELETE or len(outdated) <= allowed
        assert not any(pod.asked and not pod.kept for pod in self.active())
        assert self.made - made <= needed

    def staying(self) -> int:
        """Count the pods that may be of another revision in the end."""
        kept = sum(pod.kept and pod.revision != self.group.revision for pod in self.active())
        if self.group.strategy.type is StrategyType.RECREATE and kept:
            return self.group.replicas
        return max(kept, self.group.strategy.staying(self.group.replicas))

    def needed(self) -> int:
        """Count the pods that have to be made, those apart that come again as they were to be replaced later."""
        staying = [pod for pod in self.active() if not (pod.asked and not pod.kept)]
        fresh = sum(pod.revision == self.group.revision for pod in staying)
        again = len(self.losses)
        return max(self.group.replicas - fresh, 0) + again

    def active(self) -> list[Pod]:
        """Give the pods that count."""
        return [pod for pod in self.pods.values() if pod.deleted is None]


Rollout.TestCase.settings = settings(max_examples=300, stateful_step_count=30)
TestRollout = Rollout.TestCase

"""A store with the pods of one group, and an operator that looks at it, acts, and may be stopped or forget anything.

Each look is judged as it is made: what must hold at every moment is here, what must be so in the end is in the tests.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from itertools import count

from builders import GROUP_UID, LABELS, NOW, desired, planned, summarized
from podgroup_operator.core.classify import Bucket, classify, is_active, is_finished
from podgroup_operator.core.in_place import is_out
from podgroup_operator.core.model.actions import Create, Remove, Why
from podgroup_operator.core.model.desired import Desired, PodReplacement
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.plan import Outcome, Plan
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.model.strategy import StrategyType
from podgroup_operator.core.target import Update, aim
from properties.changing_pods import changed, ease, goes_its_way, goes_on, gone_on, restarts

PAUSE = 5.0
"""Seconds after which what was refused is tried again."""


class Fate(Enum):
    """What becomes of the pods of a template."""

    GOOD = "they are Ready soon"
    SLOW = "they are never Ready"
    CRASHING = "they fail at birth"


class World:
    """The store, the operator, and what is remembered to judge them by.

    Attributes:
        group: what is asked for; its revision is that of the template.
        fates: what becomes of the pods of each template.
        refused: the kinds of create that a quota has no room for now.
        made: how many pods were made since the beginning.
        halfway: a change in place is cut short after its mark.
        proved: whether the operator has written down that a pod of this rollout was available.
    """

    def __init__(self, group: Desired) -> None:
        self.group = group
        self.fates = {group.revision: Fate.GOOD}
        self.refused = set[Lane]()
        self.now, self.made, self.proved, self.halfway = NOW, 0, False, False
        self.pods = dict[str, Pod]()
        self.status = Status()
        self.first_look = True
        self.losses, self.epochs, self.until = dict[int, Loss](), dict[int, int](), dict[Lane, float]()
        self.template_refusal: Refusal | None = None
        self._versions = count(1)

    def stand(self) -> None:
        """Let the group come to stand with its first template."""
        for _ in range(3):
            self.look()
            self.pass_time(5)

    # What people, nodes and time do.

    def roll(self, revision: str, fate: Fate) -> None:
        """Change the template; what became of pods of an earlier one becomes of them again."""
        self.fates.setdefault(revision, fate)
        self.group = replace(self.group, revision=revision, generation=self.group.generation + 1)

    def lose(self, uid: str, *, noticed: bool = True, gone: bool = False) -> None:
        """Let somebody delete a pod, whether or not the operator hears of it."""
        pod = self.pods[uid]
        self._note(pod, Cause.DELETED if noticed else None)
        if gone:
            del self.pods[uid]
        else:
            self.pods[uid] = replace(pod, deleted=self.now)

    def fail(self, uid: str) -> None:
        """Let a pod fail."""
        self._note(self.pods[uid], Cause.FAILED)
        self.pods[uid] = replace(self.pods[uid], phase=Phase.FAILED, finished=self.now, ready_since=None)

    def _note(self, pod: Pod, cause: Cause | None) -> None:
        if cause and is_active(pod) and pod.controller:
            early = cause is Cause.FAILED and self.now - pod.created < PAUSE
            slot = -1 if pod.slot is None else pod.slot
            self.losses[slot] = Loss(slot, pod.name, cause, self.now, early, pod.revision, pod.ready_since)

    def forget(self) -> None:
        """Restart the operator: only the status and the pods remember anything."""
        self.losses, self.first_look, self.until = {}, True, {}
        self.epochs = {}
        for pod in self.pods.values():
            if pod.slot is not None:
                self.epochs[pod.slot] = max(pod.epoch, self.epochs.get(pod.slot, -1))

    def pass_time(self, seconds: float, many: int = 99) -> None:
        """Let time pass: some of the pods that were asked to go are gone, or of those that start meet their fate."""
        self.now += seconds
        unsettled = [pod for pod in self.pods.values() if self._is_unsettled(pod)]
        for pod in unsettled[:many]:
            if pod.deleted is not None:
                del self.pods[pod.uid]
            else:
                self._meet_fate(pod.uid, pod)

    def come_to_rest(self, rounds: int, seconds: float, many: int = 99) -> None:
        """Look and let time pass until nothing is left to be done, but no longer than so many times."""
        for _ in range(rounds):
            self.look()
            plan = self.look()
            if plan.empty and plan.look_again is None and not any(map(self._is_unsettled, self.pods.values())):
                return
            self.pass_time(seconds, many)

    def _is_unsettled(self, pod: Pod) -> bool:
        return pod.deleted is not None or self._awaits_fate(pod)

    def _awaits_fate(self, pod: Pod) -> bool:
        if pod.changing and is_active(pod):
            return goes_on(pod, pod.changing, good=self.fates[pod.changing.to] is Fate.GOOD)
        slow = self.fates.get(pod.revision) is Fate.SLOW
        return is_active(pod) and pod.ready_since is None and not slow

    def _meet_fate(self, uid: str, pod: Pod) -> None:
        if pod.changing:
            self.pods[uid] = gone_on(pod, pod.changing, self.now)
            return
        fate = self.fates.get(pod.revision, Fate.GOOD)
        if fate is Fate.GOOD:
            self.pods[uid] = replace(pod, ready_since=self.now, phase=Phase.RUNNING, node=f"n{pod.slot}")
        elif fate is Fate.CRASHING:
            self.fail(uid)

    # What the operator does.

    def aimed(self) -> Desired:
        """Give what the operator takes the group to ask for."""
        begun = self.status.update_revision != self.group.revision
        return aim(self.group, self.status, self.fates, Update(self.group.revision, self.group.generation, begun))

    def seen(self) -> Observed:
        """Give what the operator sees."""
        held = {lane: Refusal("quota", until - self.now, forbidden=True) for lane, until in self.until.items()}
        return Observed(
            pods=tuple(self.pods.values()),
            names=frozenset(pod.name for pod in self.pods.values()),
            losses=dict(self.losses),
            epochs=dict(self.epochs),
            first_look=self.first_look,
            template_refusal=self.template_refusal,
            held=held,
            templates=frozenset(self.fates),
            eases={each: ease(each, self.aimed().revision) for each in self.fates},
            status=self.status,
        )

    def look(self, stop: int = 99) -> Plan:
        """Look once and act; after `stop` writes it is stopped, and the status is not written."""
        group, seen = self.aimed(), self.seen()
        plan = planned(group, seen, self.now)
        if plan.missing <= 0:
            self.losses.clear()
        self.judge(group, plan)
        outcome = Outcome(
            created=tuple(each for each in plan.creates[:stop] if self.create(group, each)),
            removed=tuple(self.remove(each) for each in plan.removes[: max(stop - len(plan.creates), 0)]),
        )
        for change in plan.changes[:stop]:
            self.pods[change.pod.uid] = changed(change, group, self.now, self.halfway)
        for adopt in plan.adopts[:stop]:
            self.pods[adopt.pod.uid] = replace(adopt.pod, controller=GROUP_UID, slot=adopt.slot)
        for release in plan.releases[:stop]:
            self._note(self.pods.pop(release.pod.uid), Cause.DELETED)
        self.first_look &= plan.missing > sum(each.lane is Lane.CREATE for each in outcome.created)
        if stop > len(plan.creates) + len(plan.removes) + len(plan.changes):
            self.tell(group, seen, outcome)
        return plan

    def tell(self, group: Desired, seen: Observed, outcome: Outcome) -> None:
        """Write the status."""
        if self.status.rollout.revision != group.revision:
            self.proved = False
        self.status = summarized(group, seen, outcome, self.now)
        self.proved |= any(self.is_available(pod) and pod.revision == group.revision for pod in seen.pods)

    def create(self, group: Desired, create: Create) -> bool:
        """Make a pod, if the quota lets it."""
        if create.lane in self.refused:
            self.until[create.lane] = self.now + PAUSE
            return False
        self.judge_create(group, create)
        version = next(self._versions)
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
            failures=create.failures,
            replaces=create.loss.pod if create.loss else "",
            lost_at=create.loss.at if create.loss else None,
        )
        self.epochs[create.slot] = max(create.epoch, self.epochs.get(create.slot, -1))
        if create.loss:
            self.losses = {slot: loss for slot, loss in self.losses.items() if loss.pod != create.loss.pod}
        return True

    def remove(self, remove: Remove) -> Remove:
        """Ask a pod to go."""
        self.pods[remove.pod.uid] = replace(self.pods[remove.pod.uid], deleted=self.now)
        return remove

    # What must hold at every moment.

    def judge(self, group: Desired, plan: Plan) -> None:
        """No plan takes what is kept, or lowers what is available below what may be."""
        removed = [self.pods[remove.pod.uid] for remove in plan.removes]
        assert not any(pod.kept for pod in removed)
        assert all(pod.revision != group.revision for pod in outdated(plan))
        assert not {each.pod.uid for each in plan.changes if not each.last} & {pod.uid for pod in removed}
        assert not any(self.pods[each.pod.uid].kept for each in plan.changes)
        patched = [self.pods[each.pod.uid] for each in plan.changes if not (each.last or goes_its_way(each))]
        assert not any(pod.asked for pod in patched)
        assert not patched or group.strategy.changes_in_place
        taken = sum(self.is_available(pod) for pod in (*removed, *(pod for pod in patched if restarts(pod, group))))
        least = group.replicas - group.strategy.unavailable(group.replicas)
        available = sum(self.is_available(pod) for pod in self.active())
        assert not taken or available - taken >= least or self.recreates(group)

    def judge_create(self, group: Desired, create: Create) -> None:
        """No pod is made beyond `replicas` and the surge, beside an old one with Recreate, or that makes it worse."""
        active = self.active()
        waiting = [pod for pod in self.members() if pod.deleted is not None and not is_finished(pod)]
        complete = group.pod_replacement is PodReplacement.TERMINATION_COMPLETE
        most = group.replicas + group.strategy.surge(group.replicas)
        assert len(active) + (len(waiting) if complete else 0) < most
        assert create.name not in {pod.name for pod in self.pods.values()}
        assert create.revision in self.fates
        if self.recreates(group):
            assert not [pod for pod in (*active, *waiting) if pod.revision != group.revision]
        if create.loss and create.loss.revision in self.fates:
            assert create.revision in self.heirs(group, create.loss)

    def heirs(self, group: Desired, loss: Loss) -> set[str]:
        """Give the revisions that the replacement of a lost pod may have.

        One that was asked for is among those that the strategy lets go, if it lets any go.
        """
        if loss.cause is Cause.ASKED:
            stays = group.paused or group.held or group.strategy.staying(group.replicas) > 0
            return {group.revision, group.former} if stays else {group.revision}
        was_available = loss.ready_since is not None and loss.at >= loss.ready_since + group.min_ready_seconds
        if group.paused or group.strategy.staying(group.replicas):
            superseded = loss.revision not in (group.revision, group.former) and not was_available
            return {group.revision, group.former} if superseded else {loss.revision}
        if group.held or group.strategy.type is not StrategyType.ROLLING_UPDATE:
            return {group.revision, group.former}
        proved = self.proved and self.status.rollout.revision == group.revision
        proved |= any(self.is_available(pod) and pod.revision == group.revision for pod in self.active())
        return {loss.revision} if was_available and not proved else {group.revision}

    def recreates(self, group: Desired) -> bool:
        """Tell whether a Recreate is at work: it does not begin while an old pod must be kept."""
        old = [pod for pod in self.active() if pod.revision != group.revision]
        at_work = group.strategy.type is StrategyType.RECREATE and not (group.paused or group.held)
        leaving = any(pod.deleted is not None and pod.revision != group.revision for pod in self.members())
        return at_work and bool(old or leaving) and not any(pod.kept for pod in old)

    def is_available(self, pod: Pod) -> bool:
        """Tell whether a pod is available."""
        return not is_out(pod) and classify(pod, self.group.min_ready_seconds, self.now) is Bucket.AVAILABLE

    def active(self) -> list[Pod]:
        """Give the pods that count."""
        return [pod for pod in self.members() if is_active(pod)]

    def members(self) -> list[Pod]:
        """Give the group's pods."""
        return [pod for pod in self.pods.values() if pod.controller and pod.labels == LABELS]


def outdated(plan: Plan) -> Iterator[Pod]:
    """Give the pods that a plan takes away because they are of another revision."""
    return (each.pod for each in plan.removes if each.why is Why.OUTDATED)


def a_group(replicas: int, **changes: object) -> Desired:
    """Build a group that asks for its first template."""
    plain: dict[str, object] = {"revision": "r1", "failed_pods_history_limit": 0, "backoff_max_seconds": 20}
    return desired(replicas, **(plain | changes))

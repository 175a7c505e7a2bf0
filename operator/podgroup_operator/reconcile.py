"""One look at one group: observe, decide, act, tell. This is the story of the product.

A look is caused by anything and depends on nothing but what is seen now; after a crash anywhere in it, the
next one repairs what is left.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from podgroup_operator import metrics
from podgroup_operator.act.apply import Application
from podgroup_operator.act.comparing import Comparing
from podgroup_operator.act.judging import Judging
from podgroup_operator.act.owner import Owner, Owners
from podgroup_operator.act.removals import ask_about_leaving
from podgroup_operator.act.revise import Revising
from podgroup_operator.act.tidy import keep_tidy
from podgroup_operator.api.cluster import Cluster, podgroups_path
from podgroup_operator.api.refusals import NOT_FOUND, NotLeading, Refused, Unreachable
from podgroup_operator.api.wire.status import shows
from podgroup_operator.api.wire.status import write_status as written
from podgroup_operator.api.writer import Writer, Writes
from podgroup_operator.core.conditions import changes_at
from podgroup_operator.core.losses import outlives
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.plan import Outcome, Plan
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.status import Status
from podgroup_operator.core.names import REASON_TEMPLATE_INVALID
from podgroup_operator.core.plan import plan
from podgroup_operator.core.status import summarize
from podgroup_operator.core.view import View, view_of
from podgroup_operator.core.waits import waiting
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.observe.lanes import OF_PODS
from podgroup_operator.observe.memory import Memory
from podgroup_operator.observe.nodes import NodeStore
from podgroup_operator.observe.observed import observe
from podgroup_operator.observe.pods import PodStore, owner_of
from podgroup_operator.observe.revisions import RevisionStore
from podgroup_operator.tell import report
from podgroup_operator.tell.heals import measure_recoveries
from podgroup_operator.tell.recorder import Recorder
from podgroup_operator.tell.report import announce, announce_held, announce_rollback, announce_suppressed, write_status
from podgroup_operator.tell.unreadable import unreadable_status
from podgroup_operator.workqueue import Key

STALE_PAUSE = 1.0  # seconds; the news that is waited for wakes the group, this is for the case that it never comes
READS_IN_FLIGHT = 64
UNFINISHED_PAUSE = 0.1  # seconds; something was answered with 409 and has to be thought over
SPACING = 5.0  # times what a look took in which nothing was to be done, until the next one that nothing urgent asks for

Json = dict[str, Any]

logger = logging.getLogger(__name__)


async def _nothing(_: str) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one group.

    Attributes:
        group: as it was known.
        memory: what is remembered of it.
        writer: by which everything is written.
        began: when it began, in monotonic seconds.
        view: what was seen.
    """

    group: Group
    memory: Memory
    writer: Writer
    began: float
    view: View


@dataclass
class Reconciler:
    """Looks at groups, one at a time each, any number of groups at once.

    Attributes:
        clock: seconds since the epoch.
        refresh: makes the cache of a namespace's pods no older than the call.
        monotonic: seconds by which pauses are measured.
        revisions: the ones that are known; where they may not be read nothing is rolled out.
        nodes: the ones that are known; where they may not be read none is lost.
        reading: how many PodGroups are read at once; after a takeover all are.
    """

    cluster: Cluster
    writes: Writes
    groups: GroupStore
    pods: PodStore
    recorder: Recorder
    clock: Callable[[], float] = time.time
    refresh: Callable[[str], Awaitable[None]] = _nothing
    monotonic: Callable[[], float] = time.monotonic
    revisions: RevisionStore = field(default_factory=RevisionStore)
    nodes: NodeStore = field(default_factory=NodeStore)
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READS_IN_FLIGHT))

    def __post_init__(self) -> None:
        self._owners = Owners(self.cluster)
        self._judging = Judging(self._tell_refused, self.monotonic)
        self._comparing = Comparing(self.monotonic)
        self._revising = Revising(self.cluster, self.revisions, self._judging, self.monotonic)

    def foresee(self, pods: Iterable[Pod]) -> bool:
        """Ask at once about the owners of pods that are about to be lost; tell whether anything was asked.

        An API server that does not answer is not asked in addition.
        """
        if self.cluster.outage.suspected:
            return False
        lost = defaultdict[Key, list[str]](list)
        for pod in pods:
            memory = self.pods.memories.known(owner_of(pod))
            if memory and pod.uid not in memory.written.leaving:
                for key in self.groups.concerned(pod):
                    lost[key].append(pod.name)
        for key, names in lost.items():
            group = self.groups.get(key)
            if group and not group.desired.deleting and self.writes.may_write(key[0]):
                self._owners.ask(group.desired, names)
        return bool(lost)

    async def reconcile(self, key: Key) -> float | None:
        """Bring a group to what it asks for; give the seconds after which to look again, if time matters."""
        writer = self.writes.writer(*key)
        group = await self._confirmed(key)
        if group is None:
            return None
        if group.desired.unreadable:
            await self._say_unreadable(group, writer)
            return None
        try:
            return await self._look(group, writer)
        finally:
            if self.groups.named(group.uid) is None:  # it went meanwhile, and what we did is remembered
                self.forget(group)

    async def _look(self, group: Group, writer: Writer) -> float | None:
        memory = self.pods.memories.of(group.owner)
        await ask_about_leaving(memory, self.cluster, self.monotonic())
        if memory.written.unsure:
            await self.refresh(group.desired.namespace)
            memory.written.unsure = False
        if not memory.caught_up(self.pods.version(group.desired.namespace)):
            metrics.stale_skips.inc()
            memory.told.quiet_until = 0.0  # the news that is waited for is urgent
            return STALE_PAUSE
        await self._revising.revise(group, memory, writer)
        await self._comparing.compare(group, memory, writer)
        memory.seen.sent.clear()  # whatever was answered has been seen by now, or is gone
        with self._owners.take(group.desired) as owner:
            look = Look(group, memory, writer, self.monotonic(), self._view(group, memory))
            if await self._judging.look(group, memory, look.view, writer):
                look = Look(group, memory, writer, self.monotonic(), self._view(group, memory))
            return await self._act_and_tell(look, owner)

    async def _act_and_tell(self, look: Look, owner: Owner) -> float | None:
        """Do what is to be done for a group, and tell it; give the seconds after which to look again."""
        group, memory, writer, view = look.group, look.memory, look.writer, look.view
        decision = self._decide(look)
        outcome = Outcome()
        application = Application(group, owner, memory, self.cluster, writer, self.monotonic, view.now)
        if not decision.empty or any(lane.message for lane in memory.written.lanes.values()):
            outcome = await application.carry_out(decision)
        if owner.gone:
            self.groups.doubt(group)  # the news of its end may never come, or the answer was older than it
            return STALE_PAUSE
        outcome = replace(outcome, unheard=memory.written.unheard(group.desired.selector))
        status = summarize(view, outcome, self.clock())
        rest = SPACING * (self.monotonic() - look.began) if decision.empty else 0.0

        memory.told.healing = status.healing
        if not group.desired.deleting:
            memory.missing = decision.missing > sum(each.lane is Lane.CREATE for each in outcome.created)
            memory.first_look &= memory.missing
            announce_held(group.desired, decision, memory.told, self.recorder)
            announce_suppressed(group.desired, decision, memory.told, self.recorder)
            announce(group.desired, decision, outcome, self.recorder, self.clock())
            measure_recoveries(view, outcome.unheard + outcome.created, memory.told, self.clock())
            announce_rollback(group, status, memory.told, self.recorder)
        if application.fenced:
            raise NotLeading
        if outcome.created and not outcome.failures:
            memory.told.settle(self.monotonic())
        told_in = await self._tell(group, status, memory, writer)
        await keep_tidy(view, status, group, memory, self.revisions, writer, self.monotonic)
        if status.rollout.rolled_back_from != group.told.rollout.rolled_back_from:
            return told_in or 0.0  # there is another revision to go to now
        now = self.monotonic()
        memory.told.quiet_until = max(memory.told.due, now + rest)
        delay = next_look(look, decision, outcome, status, now)
        return min((each for each in (delay, told_in) if each is not None), default=None)

    def _decide(self, look: Look) -> Plan:
        """Plan, and remember of the losses those that are yet to be made good."""
        view, seen = look.view, look.memory.seen
        decision = plan(view)
        if view.tally.replicas >= view.desired.replicas and decision.missing <= 0:  # what is taken in may be refused
            # None of these needs a replacement, but for what a rollout makes beyond; one that comes from now on may.
            seen.losses = {slot: loss for slot, loss in seen.losses.items() if outlives(view, loss)}
        elif seen.losses:
            seen.losses = waiting(view, decision, seen.losses)
        return decision

    async def _tell(self, group: Group, status: Status, memory: Memory, writer: Writer) -> float | None:
        """Write the status if it differs.

        Returns:
            The seconds after which it may be written, if it differs but was written or refused a moment ago; else None.
        """
        replicas, group = group.desired.replicas, self.groups.newest(group)  # what was done may have taken its time
        lane, now = memory.written.lanes[Lane.TELL], self.monotonic()
        body = written(status, replicas, group.status)
        if shows(group.status, body):
            return None
        due = max(memory.told.due, lane.until)
        if due > now:
            return due - now
        memory.told.sent(now + report.STATUS_INTERVAL)
        try:
            done = await write_status(group, body, writer, self.groups)
        except (Refused, Unreachable) as error:
            lane.refused(error, str(error), self.monotonic(), mostly=True)
            logger.warning("group=%s/%s its status cannot be written: %s", *group.key, error)
            metrics.failures.labels("FailedStatus").inc()
            return lane.until - self.monotonic()
        lane.accepted()
        if done:
            return None
        self.groups.doubt(group)  # the news that should be on its way may never come
        return STALE_PAUSE

    async def _say_unreadable(self, group: Group, writer: Writer) -> None:
        """Tell in the status of a group whose spec cannot be read that nothing is done for it."""
        status = unreadable_status(group, self.clock())
        if not shows(group.status, status):
            await write_status(group, status, writer, self.groups)

    async def _confirmed(self, key: Key) -> Group | None:
        """Give the group, read afresh if it may have vanished unseen; forget it if it has."""
        group = self.groups.get(key)
        if group is None or not self.groups.doubtful(group):
            return group
        listing = self.groups.listing
        try:
            async with self.reading:
                body = await self.cluster.get(podgroups_path(*key))
            group.compare(body)
            return self.hear(body, listing)
        except Refused as refusal:
            if refusal.code == NOT_FOUND:
                self.forget(group)
                return None
            raise

    def hear(self, body: Json, listing: int | None = None) -> Group:
        """Take a group's state (see `GroupStore.see`), and forget an earlier group of the same name."""
        before = self.groups.get((body["metadata"]["namespace"], body["metadata"]["name"]))
        group = self.groups.see(body, listing)
        if before and before.uid != group.uid:
            self.forget(before)
        return group

    def start_anew(self, within: Callable[[str], bool], *, others: bool = True) -> None:
        """Begin a tenure in some namespaces, in which others may have written since the last one."""
        self.pods.memories.begin(within, others=others)

    def recovered(self) -> Iterator[Key]:
        """Let whatever the API server itself has failed at be tried again; give the groups for which that is so."""
        for owner, memory in self.pods.memories:
            lanes = [lane for lane in memory.written.lanes.values() if lane.passing]
            for lane in lanes:
                lane.try_again()
            group = self.groups.named(owner[1]) if lanes else None
            if group:
                yield group.key

    def forget(self, group: Group) -> None:
        """Drop all that is remembered of a group that is gone."""
        self.groups.forget(group)
        self._owners.forget(group.uid)
        self.revisions.forget(group.owner)
        self.pods.memories.end(group.owner)

    def _tell_refused(self, desired: Desired, note: str) -> None:
        self.recorder.record(desired, "Warning", REASON_TEMPLATE_INVALID, note)

    def _view(self, group: Group, memory: Memory) -> View:
        now = self.pods.now()
        return view_of(group.desired, observe(group, memory, self.pods, self.nodes, self.monotonic(), now), now)


def next_look(look: Look, decision: Plan, outcome: Outcome, status: Status, now: float) -> float | None:
    """Find the earliest time at which a look is worth while without news, in seconds from now.

    What was yet to come when this look began may have passed while it acted and told.

    Args:
        look: the look that ends.
        decision: what was to be done.
        outcome: what became of it.
        status: what was told.
        now: monotonic seconds.
    """
    began, lanes, at = look.began, look.memory.written.lanes, look.view.now
    changes = changes_at(look.view, status, at)
    times = [time for time in (decision.look_again, changes) if time is not None and time > at]
    delays = [time - at - (now - began) for time in times]
    ends = [lanes[lane].until for lane in (*OF_PODS, Lane.REVISE)]
    ends += [each.until for lane in OF_PODS for each in lanes[lane].stuck.values()]
    held = [until - now for until in ends if until > began]
    undone = len(outcome.created) < len(decision.creates) or len(outcome.removed) < len(decision.removes)
    delays += held or ([UNFINISHED_PAUSE] if undone else [])
    return max(min(delays), 0.0) if delays else None

"""One look at one group: observe, decide, act, tell. This is the story of the product.

A look is caused by anything and depends on nothing but what is seen now; after a crash anywhere in it, the
next one repairs what is left.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from podgroup_operator import metrics
from podgroup_operator.act.apply import Application, ask_about_deletes
from podgroup_operator.act.template import objection
from podgroup_operator.api.cluster import NOT_FOUND, Cluster, Refused, podgroups_path
from podgroup_operator.api.wire import read_status
from podgroup_operator.api.wire import write_status as written
from podgroup_operator.api.writer import Writer, Writes
from podgroup_operator.core.model import Observed, Outcome, Plan, Status
from podgroup_operator.core.names import REASON_TEMPLATE_INVALID
from podgroup_operator.core.plan import plan
from podgroup_operator.core.status import summarize
from podgroup_operator.observe.groups import Group, GroupStore
from podgroup_operator.observe.ledger import Ledger
from podgroup_operator.observe.pods import Family, PodStore
from podgroup_operator.tell.recorder import Recorder
from podgroup_operator.tell.report import announce, announce_streak, status_due, write_status
from podgroup_operator.workqueue import Key

STALE_PAUSE = 1.0  # seconds; the news that is waited for wakes the group, this is for the case that it never comes
UNFINISHED_PAUSE = 0.1  # seconds; something was answered with 409 and has to be thought over

Json = dict[str, Any]


async def _nothing() -> None:
    """Do nothing."""


@dataclass
class Reconciler:
    """Looks at groups, one at a time each, any number of groups at once.

    Attributes:
        refresh: makes the cache of pods no older than the call.
    """

    cluster: Cluster
    writes: Writes
    groups: GroupStore
    pods: PodStore
    recorder: Recorder
    clock: Callable[[], float] = time.time
    refresh: Callable[[], Awaitable[None]] = _nothing
    ledgers: dict[str, Ledger] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> float | None:
        """Bring a group to what it asks for; give the seconds after which to look again, if time matters."""
        group = await self._confirmed(key)
        if group is None or group.desired.deleting:
            return None  # owner references do the rest, with or without us
        try:
            return await self._look(group)
        finally:
            if self.groups.named(group.uid) is None:  # it went meanwhile, and what we did is remembered
                self.forget(group)

    async def _look(self, group: Group) -> float | None:
        writer = self.writes.writer(*group.key)
        ledger, family = self.ledgers.setdefault(group.uid, Ledger()), self.pods.family(group.owner)
        await ask_about_deletes(family, ledger, self.cluster)
        if ledger.unsure:
            await self.refresh()
            ledger.unsure = False
        if not ledger.caught_up(self.pods.version(group.desired.namespace), family.pods, family.condemned):
            metrics.stale_skips.inc()
            return STALE_PAUSE
        await self._judge_template(group, ledger, writer)
        return await self._decide_and_act(group, family, ledger, writer)

    async def _decide_and_act(self, group: Group, family: Family, ledger: Ledger, writer: Writer) -> float | None:
        """Do what is to be done for a group, and tell it; give the seconds after which to look again."""
        now = self.clock()
        observed, decision = self._decide(group, family, ledger, now)
        if decision.missing <= 0:
            family.losses.clear()  # none of these needs a replacement; one that comes from now on may
        outcome = await Application(group, family, ledger, self.cluster, writer, self.clock).carry_out(decision)
        status = summarize(group.desired, observed, outcome, self.clock())

        ledger.settle(status.healing, held=decision.held > 0)
        announce_streak(group.desired, decision, ledger, self.recorder)
        announce(group.desired, decision, outcome, self.recorder, self.clock())
        told_in = await self._tell(group, status, ledger, writer)
        return self._next_look(told_in, decision, outcome, ledger)

    async def _tell(self, group: Group, status: Status, ledger: Ledger, writer: Writer) -> float | None:
        """Write the status if it differs.

        Returns:
            The seconds after which it may be written, if it differs but was written a moment ago; else None.
        """
        replicas, group = group.desired.replicas, self.groups.newest(group)  # what was done may have taken its time
        body = written(status, replicas, group.body.get("status") or {})
        due = status_due(group, body, ledger)
        if due == 0:
            await write_status(group, body, writer, self.groups)
        return due or None

    async def _confirmed(self, key: Key) -> Group | None:
        """Give the group, read afresh if it may have vanished unseen; forget it if it has."""
        group = self.groups.get(key)
        if group is None or not self.groups.doubtful(group):
            return group
        listing = self.groups.listing
        try:
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

    def start_anew(self) -> None:
        """Drop what is remembered of our own writes: others have written since."""
        self.ledgers.clear()
        self.pods.absolve()

    def forget(self, group: Group) -> None:
        """Drop all that is remembered of a group that is gone."""
        self.groups.forget(group)
        self.pods.forget(group.owner)
        self.recorder.forget(group.uid)
        self.ledgers.pop(group.uid, None)

    async def _judge_template(self, group: Group, ledger: Ledger, writer: Writer) -> None:
        """Ask the API server about a template that is new, or was refused a while ago."""
        if not ledger.must_judge(group.desired.revision, self.clock()):
            return
        before, refusal = ledger.template_refusal, await objection(group, writer)
        ledger.judge(group.desired.revision, refusal.message if refusal else None, self.clock())
        if refusal and (before is None or before.message != refusal.message):
            note = f"{refusal}. The condition Stalled has the API server's own words."
            self.recorder.record(group.desired, "Warning", REASON_TEMPLATE_INVALID, note)

    def _decide(self, group: Group, family: Family, ledger: Ledger, now: float) -> tuple[Observed, Plan]:
        """Give what is known of a group at this moment, and what is to be done."""
        observed = self._observe(group, family, ledger)
        return observed, plan(group.desired, observed, now)

    def _observe(self, group: Group, family: Family, ledger: Ledger) -> Observed:
        """Put together what is known of a group at this moment."""
        status = read_status(group.body)
        return Observed(
            pods=(*family.pods.values(), *self.pods.orphans(group.desired.namespace)),
            names=frozenset(ledger.names),
            losses=dict(family.losses),
            epochs=family.epochs,
            first_look=ledger.first_look,
            template_refusal=ledger.template_refusal,
            create_refusal=ledger.create_refusal,
            status=replace(status, healing=ledger.remembered(status.healing)),
        )

    def _next_look(self, told_in: float | None, decision: Plan, outcome: Outcome, ledger: Ledger) -> float | None:
        """Find the earliest time at which a look is worth while without news."""
        now = self.clock()
        delays = [] if told_in is None else [told_in]
        if decision.look_again is not None:
            delays.append(decision.look_again - now)
        if ledger.refusals:
            delays.append(ledger.retry_at - now)
        elif len(outcome.created) < len(decision.creates) or len(outcome.deleted) < len(decision.deletes):
            delays.append(UNFINISHED_PAUSE)
        return max(min(delays), 0.0) if delays else None

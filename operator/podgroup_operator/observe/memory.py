"""What is remembered of a group between two looks, in one place and three parts, each of which is dropped as a whole.

- `Seen` is what the stream of pods alone can tell: the pods, which were lost and when exactly, how often each slot was
  filled. It is the cache's, and goes when the last pod of a group that is gone goes.
- `Written` is what we know of our own writes: which the cache has yet to show, and what was refused. What was refused
  is dropped when a tenure begins, for others have written since; what the cache has yet to show is not, for a write may
  be under way.
- `Told` is what has been told to people, and how often.

Nothing in it matters for safety after a restart: a write that is forgotten is found by its effect or answered with 409,
a refusal is heard again at the price of one request, a loss is found by counting, an epoch by looking at names.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from podgroup_operator.core.conditions import PATIENCE
from podgroup_operator.core.marks import marks_of, missing
from podgroup_operator.core.model.actions import Create, Why
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.model.status import Healing
from podgroup_operator.core.selector import Selector
from podgroup_operator.core.target import Update
from podgroup_operator.observe.comparison import Comparison
from podgroup_operator.observe.lanes import LAST_PAUSE, LaneMemory, new_lanes

Owner = tuple[str, str]
"""Namespace and UID. A reference to a PodGroup of another namespace, which anybody could write, means nothing."""

SETTLING = 0.1
"""Seconds after a create until it is told: where the pod is Ready by then, that is told with it."""

LONGEST_SETTLING = 0.25
"""Seconds; where one create follows another the first of them need not wait for the last."""

EVENTS_AT_ONCE = 25
SECONDS_AN_EVENT = 10.0
LONGEST_STRAY_PAUSE = 600.0
"""Seconds; the longest pause between two pods that something on the way to the store takes away from their group."""


@dataclass(slots=True)
class Seen:
    """What the stream of pods has told of a group.

    Attributes:
        pods: by UID.
        epochs: the highest epoch seen, by slot.
        losses: the pods lost and not yet replaced, by slot; those that had none under negative numbers.
        corpse: the pod that failed early last.
        departed: how many pods are gone for good so far.
        sent: what was sent for pods that have lost some of it on their way and that have yet to be seen, by UID.
    """

    pods: dict[str, Pod] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    losses: dict[int, Loss] = field(default_factory=dict)
    corpse: Pod | None = None
    departed: int = 0
    sent: dict[str, Create] = field(default_factory=dict)

    def lose(self, loss: Loss) -> None:
        """Note a loss; of two in one seat, which a rollout fills twice for a moment, neither is forgotten."""
        known = self.losses.get(loss.slot)
        seated = loss.slot >= 0 and (known is None or known.pod == loss.pod)
        slot = loss.slot if seated else min([0, *self.losses]) - 1
        self.losses[slot] = loss

    def made_good(self, loss: Loss) -> None:
        """Drop a loss that has its replacement, but not a newer one of the same slot: that may be the replacement."""
        for slot in [slot for slot, known in self.losses.items() if known.pod == loss.pod]:
            del self.losses[slot]

    def made_good_by(self, pod: Pod) -> None:
        """Drop the loss that a new pod replaces: its create may not have been answered."""
        for slot in [slot for slot, loss in self.losses.items() if loss.pod and loss.pod == pod.replaces]:
            del self.losses[slot]


class Leaving(NamedTuple):
    """A pod that we remove, and that the cache still shows as it was.

    Attributes:
        pod: it.
        why: it goes; its end is no loss.
        since: when that was asked for, in monotonic seconds.
        answered: whether the API server has said yes; else it may have happened or not.
    """

    pod: Pod
    why: Why
    since: float
    answered: bool = False


@dataclass(slots=True)
class Sent:
    """A create that was sent and not answered, so far or for good.

    Attributes:
        create: it.
        pod: what came of it, as it was first seen; None while nothing has.
    """

    create: Create
    pod: Pod | None = None


@dataclass(slots=True)
class Verdict:
    """What the API server says of a template.

    Attributes:
        revision: the template.
        refusal: its no; None is a yes.
        until: when it is worth asking again, in monotonic seconds.
        since: when it said no first.
    """

    revision: str = ""
    refusal: Refusal | None = None
    until: float = 0.0
    since: float = 0.0

    def held(self, now: float) -> Refusal | None:
        """Give its no, and for how long it has to wait; a policy's may pass, until it has stood for a while."""
        no = self.refusal
        if no is None:
            return None
        advice = "" if no.forbidden and now < self.since + PATIENCE else no.advice
        return Refusal(no.message, self.until - now, no.forbidden, advice, self.revision)


@dataclass(slots=True)
class Stray:
    """What is remembered of pods that were made in vain, for something has changed them on their way.

    It is apart from the verdict, which may be on another template: spec.template is refused, and pods are made of the
    last good one.

    Attributes:
        number: how many there were.
        verdict: on their template.
    """

    number: int = 0
    verdict: Verdict = field(default_factory=Verdict)


@dataclass(slots=True)
class Written:
    """What is known of our own writes for a group.

    Attributes:
        version: the highest resourceVersion among the answers.
        unsure: a create was not answered: its pod may have come, and gone again, without the cache's showing it yet.
        open: the creates of which we do not know what became, by the pod's name.
        leaving: pods that we remove, by UID.
        strangers: pod names that turned out to be taken by others.
        lanes: what was refused.
        verdict: on the template that was asked about last.
        stray: the pods that were made in vain last.
        comparison: what tells other revisions apart from the present one.
        update: what was found of the template; None while that is yet to be found out.
    """

    version: int = 0
    unsure: bool = False
    open: dict[str, Sent] = field(default_factory=dict)
    leaving: dict[str, Leaving] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    lanes: dict[Lane, LaneMemory] = field(default_factory=new_lanes)
    verdict: Verdict = field(default_factory=Verdict)
    stray: Stray = field(default_factory=Stray)
    comparison: Comparison = field(default_factory=Comparison)
    update: Update | None = None

    def begin(self, *, others: bool) -> None:
        """Begin a tenure: drop what may be otherwise by now, but nothing that the cache has yet to show.

        Args:
            others: whether others may have written since: a pod that we asked for may be theirs then.
        """
        self.strangers, self.lanes, self.verdict = set(), new_lanes(), Verdict()
        self.stray, self.update, self.comparison = Stray(), None, Comparison()
        if others:
            self.open.clear()

    def wrote(self, version: int) -> None:
        """Note the resourceVersion of a write's answer."""
        self.version = max(self.version, version)

    def sending(self, create: Create) -> bool:
        """Note that a create is about to be sent; tell whether what became of an earlier one of its name is open."""
        before = self.open.get(create.name)
        if before is None or before.pod is None:
            self.open[create.name] = Sent(create)
        return before is not None

    def not_done(self, create: Create, *, again: bool) -> None:
        """Note that a create was not done; if one of its name was sent before, that may be done yet."""
        if not again:
            self.open.pop(create.name, None)

    def came(self, pod: Pod) -> None:
        """Note that a pod of the group has come: a create of ours of that name that is open was done."""
        if sent := self.open.get(pod.name):
            sent.pod = sent.pod or pod

    def unheard(self, selector: Selector) -> tuple[Create, ...]:
        """Give, once, the creates that were not answered but done; none of them may be under way any more.

        Args:
            selector: the group's; a pod that was changed on its way and does not match it is none of the group's.
        """
        done = [(sent.create, sent.pod) for sent in self.open.values() if sent.pod]
        for create, _ in done:
            del self.open[create.name]
        return tuple(create for create, pod in done if selector.matches(pod.labels))

    def judge(self, revision: str, refusal: Refusal | None, now: float) -> None:
        """Note what the API server says of a template; what was refused of another one is no matter any more."""
        if revision != self.verdict.revision:
            self.lanes[Lane.CREATE].accepted()
            self.verdict = Verdict(revision)
        if self.verdict.refusal is None:
            self.verdict.since = now
        self.verdict.refusal = refusal
        self.verdict.until = now + (LAST_PAUSE if refusal else 0.0)

    def forgive(self, revision: str) -> None:
        """Note that the template is this revision now; what was refused of another one is no matter any more."""
        if self.verdict.revision != revision:
            self.verdict = Verdict()

    def strayed(self, revision: str, refusal: Refusal, now: float) -> None:
        """Note that a pod was made that does not belong to its group, for something has changed it on its way."""
        number = self.stray.number + 1 if self.stray.verdict.revision == revision else 1
        until = now + min(LAST_PAUSE * 2.0 ** (number - 1), LONGEST_STRAY_PAUSE)
        self.stray = Stray(number, Verdict(revision, refusal, until))
        if not self.refuses_another(revision):
            self.judge(revision, refusal, now)
            self.verdict.until = until

    def refuses_another(self, revision: str) -> bool:
        """Tell whether it is known of another template that it is refused, and why: of one that is asked for."""
        return self.verdict.refusal is not None and self.verdict.revision != revision


@dataclass(slots=True)
class Allowance:
    """How many Events a group may still send, and what it could not (after client-go's spam filter).

    Attributes:
        group: of which they tell.
    """

    group: Desired | None = None
    tokens: float = EVENTS_AT_ONCE
    filled: float = field(default_factory=time.monotonic)
    held_back: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self) -> bool:
        """Use up one Event's worth, if there is one."""
        now = time.monotonic()
        self.tokens = min(self.tokens + (now - self.filled) / SECONDS_AN_EVENT, EVENTS_AT_ONCE)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class Told:
    """What has been told of a group.

    Attributes:
        healing: the record of replacements including those not yet in the status.
        held: why creates were held back, as the last Event told it; "" when they are not.
        rolled_back: from which revision, as the last Event told it; "" when it was not.
        due: when the next status may be written, in monotonic seconds: two are a while apart.
        settled: when what was created first and is not told yet is told at the latest, in monotonic seconds.
        quiet_until: until when a look that nothing urgent asks for may wait, in monotonic seconds.
        allowance: of Events.
    """

    healing: Healing = field(default_factory=Healing)
    held: str = ""
    rolled_back: str = ""
    due: float = 0.0
    settled: float = math.inf
    quiet_until: float = 0.0
    allowance: Allowance = field(default_factory=Allowance)

    def settle(self, now: float) -> None:
        """Leave what was created a moment to become Ready."""
        self.settled = min(self.settled, now + LONGEST_SETTLING)
        self.due = max(self.due, min(now + SETTLING, self.settled))

    def sent(self, next_one: float) -> None:
        """Note that a status is sent, and when the next one may be."""
        self.due, self.settled = next_one, math.inf

    def begin(self) -> None:
        """Begin a tenure: others have told since; but what we have counted and not told, nobody else knows of."""
        self.held, self.due, self.settled, self.quiet_until = "", 0.0, math.inf, 0.0


@dataclass(slots=True)
class Memory:
    """All that is remembered of one group.

    Attributes:
        first_look: what was lost before anybody looked has not all been replaced yet.
        began: when this tenure first looked at a group of others', in seconds since the epoch; None if it has not.
        missing: there were fewer pods than wanted after the last look.
        most_told: the most pods that the status has told of since, and how many of these were up to date; of fewer we
            may have to tell before they are replaced.
    """

    seen: Seen = field(default_factory=Seen)
    written: Written = field(default_factory=Written)
    told: Told = field(default_factory=Told)
    first_look: bool = True
    began: float | None = None
    missing: bool = True
    most_told: tuple[int, int] = (0, 0)

    def caught_up(self, version: int) -> bool:
        """Tell whether the cache shows all our writes; until then it must not be decided upon (KEP-5647).

        A pod that goes at once when it is deleted leaves no version to compare: until it is gone the group waits.

        Args:
            version: the resourceVersion up to which the cache is complete.
        """
        if version < self.written.version:
            return False
        pods = self.seen.pods
        return not any(uid in pods and pods[uid].deleted is None for uid in self.written.leaving)

    def answered(self, create: Create, pod: Pod | None) -> None:
        """Note what came of a create; a pod that lacks some of what was sent, and is yet to be seen, will have it."""
        sent = self.written.open.pop(create.name, None)
        if pod and not (sent and sent.pod) and missing(pod, marks_of(create)):
            self.seen.sent[pod.uid] = create

    def sent_as(self, pod: Pod) -> Create | None:
        """Give what we sent for a pod that comes, where its create is not answered or the answer lacked something."""
        sent = self.written.open.get(pod.name)
        return self.seen.sent.pop(pod.uid, None) or (sent.create if sent else None)

    def begin(self, *, others: bool) -> "Memory":
        """Give the memory of a tenure that begins; a look under way notes in it what it writes, but no more than that.

        Args:
            others: whether others may have written since the last one.
        """
        self.written.begin(others=others)
        self.told.begin()
        return Memory(self.seen, self.written, self.told)

    def born(self, pod: Pod) -> None:
        """Note that a pod of the group has come."""
        self.seen.made_good_by(pod)
        self.written.came(pod)

    def healing(self, told: Healing) -> Healing:
        """Give the fuller of two records of replacements: ours, or the status's."""
        return self.told.healing if self.told.healing.total > told.total else told


class Memories:
    """The memory of each group, by owner."""

    def __init__(self) -> None:
        self._memories: dict[Owner, Memory] = {}

    def __iter__(self) -> Iterator[tuple[Owner, Memory]]:
        """Give them all."""
        return iter(tuple(self._memories.items()))

    def of(self, owner: Owner) -> Memory:
        """Give the memory of a group, an empty one if there is none yet."""
        memory = self._memories.get(owner)
        if memory is None:  # each event of a pod asks: an empty one is not made to be thrown away
            memory = self._memories[owner] = Memory()
        return memory

    def known(self, owner: Owner) -> Memory | None:
        """Give the memory of a group, if there is one."""
        return self._memories.get(owner)

    def begin(self, within: Callable[[str], bool], *, others: bool) -> None:
        """Begin a tenure in some namespaces.

        Args:
            within: tells which.
            others: whether others may have written since the last one.
        """
        for owner, memory in self:
            if within(owner[0]):
                self._memories[owner] = memory.begin(others=others)

    def end(self, owner: Owner) -> None:
        """Drop what is remembered of a group that is gone, its pods aside as long as there are any."""
        memory = self._memories.get(owner)
        if memory and not memory.seen.pods:
            del self._memories[owner]
        elif memory:
            self._memories[owner] = Memory(seen=memory.seen)

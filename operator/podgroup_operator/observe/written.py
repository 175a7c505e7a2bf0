"""What we know of our own writes for a group: which the cache has yet to show, and what was refused.

What was refused is dropped when a tenure begins, for others have written since; what the cache has yet to show is not,
for a write may be under way.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from podgroup_operator.core.conditions import PATIENCE
from podgroup_operator.core.model.actions import Create, Why
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane, Refusal
from podgroup_operator.core.selector import Selector
from podgroup_operator.core.target import Update
from podgroup_operator.observe.comparison import Comparison
from podgroup_operator.observe.lanes import LAST_PAUSE, LaneMemory, new_lanes

LONGEST_STRAY_PAUSE = 600.0
"""Seconds; the longest pause between two pods that something on the way to the store takes away from their group."""


class Leaving(NamedTuple):
    """A pod that we remove, and that the cache still shows as it was.

    Attributes:
        pod: it.
        why: it goes; its end is no loss.
        since: when that was asked for, in monotonic seconds.
        answered: whether the API server has said yes; else it may have happened or not.
        loss: what its end is to the group, if it is to be replaced for what ails it.
    """

    pod: Pod
    why: Why
    since: float
    answered: bool = False
    loss: Loss | None = None


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

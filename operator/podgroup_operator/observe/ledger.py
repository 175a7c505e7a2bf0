"""What is remembered of a group between two looks: the writes that the caches have yet to show, and refusals.

Nothing in it matters for safety after a restart: a write that is forgotten is found by its effect or answered
with 409, a refusal is heard again at the price of one request.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from podgroup_operator.core.model import Healing, Pod, Refusal

FIRST_PAUSE = 1.0  # seconds before a refused create is tried again
LAST_PAUSE = 20.0  # seconds, of a refused template too; recovery within half a minute of its cause's end
JITTER = 0.8, 1.0  # of a pause: groups that were refused together do not come back together
MOST_DOUBLINGS = 10  # no pause is longer, and after days of refusals two to their number is no float any more


@dataclass(slots=True)
class Ledger:
    """The memory of one PodGroup (by UID).

    Attributes:
        wrote_at: the highest resourceVersion of our writes to its pods.
        unsure: a create was not answered: its pod may have come, and gone again, without the cache's showing it yet.
        names: pod names that turned out to be taken by strangers.
        first_look: what was lost before the operator started has not all been replaced yet.
        revision: the template that the API server was asked about last.
        template_refusal: its answer; None is a yes.
        create_refusal: why creates are held back; None when they are not.
        refusals: looks in a row in which something was refused or not answered.
        retry_at: when what was refused is worth another try.
        suppressed: how many failures in a row the last Event told of; 0 when pods do not keep failing.
        healing: the record of replacements including those not yet in the status.
        status_due: the earliest time (monotonic seconds) of the next status write.
    """

    wrote_at: int = 0
    unsure: bool = False
    names: set[str] = field(default_factory=set)
    first_look: bool = True
    revision: str = ""
    template_refusal: Refusal | None = None
    create_refusal: Refusal | None = None
    refusals: int = 0
    retry_at: float = 0.0
    suppressed: int = 0
    healing: Healing = field(default_factory=Healing)
    status_due: float = 0.0

    def caught_up(self, version: int, pods: Mapping[str, Pod], condemned: set[str]) -> bool:
        """Tell whether the cache shows all our writes; until then it must not be decided upon (KEP-5647).

        Args:
            version: the resourceVersion up to which the cache is complete.
            pods: the group's pods in the cache.
            condemned: the pods that we have deleted; a delete at once leaves no version to compare.
        """
        if version < self.wrote_at:
            return False
        return not any(uid in pods and pods[uid].deleted is None for uid in condemned)

    def wrote(self, version: int) -> None:
        """Note the resourceVersion of a write's answer."""
        self.wrote_at = max(self.wrote_at, version)

    def refused(self, now: float, retry_after: float | None = None) -> None:
        """Pause after a refusal, twice as long each time, and at least as long as the API server asks for."""
        self._pause(now, FIRST_PAUSE, LAST_PAUSE, retry_after or 0.0)

    def unanswered(self, now: float) -> None:
        """Pause after a request that was not answered: nobody has refused it, it may even have been done."""
        self._pause(now, FIRST_PAUSE / 2, LAST_PAUSE / 2)

    def _pause(self, now: float, first: float, last: float, least: float = 0.0) -> None:
        pause = min(first * 2 ** min(self.refusals, MOST_DOUBLINGS), last) * random.uniform(*JITTER)  # noqa: S311 - spreads, protects nothing
        self.refusals += 1
        self.retry_at = now + max(pause, least)

    def hold_creates(self, message: str, now: float, *, forbidden: bool = False) -> None:
        """Hold creates back until the pause is over."""
        self.create_refusal = Refusal(message, self.retry_at, forbidden, now)

    def accepted(self) -> None:
        """Note that the API server takes what we ask for again."""
        self.refusals = 0
        self.retry_at = 0.0
        self.create_refusal = None

    def must_judge(self, revision: str, now: float) -> bool:
        """Tell whether the API server has to be asked about a template: it is new, or was refused a while ago."""
        refused = self.template_refusal
        return self.revision != revision or (refused is not None and refused.retry_at <= now)

    def judge(self, revision: str, message: str | None, now: float) -> None:
        """Note what the API server says of a template; no message is a yes, and a new one has not been refused yet."""
        if revision != self.revision:
            self.accepted()
        self.revision = revision
        self.template_refusal = Refusal(message, now + LAST_PAUSE) if message else None

    def settle(self, healing: Healing, *, held: bool = False) -> None:
        """Note that a look is complete, whether creates are held back, and what the record of replacements is now."""
        self.first_look = self.first_look and held
        self.healing = healing

    def remembered(self, healing: Healing) -> Healing:
        """Give the fuller of two records of replacements: ours, or the status's."""
        return self.healing if self.healing.total > healing.total else healing

"""What is remembered of a group between two looks: the writes that the caches have yet to show, and refusals.

Nothing in it matters for safety after a restart: a write that is forgotten is found by its effect or answered
with 409, a refusal is heard again at the price of one request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from podgroup_operator.core.model import Healing, Pod, Refusal

FIRST_PAUSE = 1.0  # seconds before a refused create is tried again
LAST_PAUSE = 20.0  # seconds; at most three tries a minute, and recovery within half a minute of its cause's end
TEMPLATE_PAUSE = 30.0  # seconds before a refused template is shown to the API server again, unchanged


@dataclass(slots=True)
class Ledger:
    """The memory of one PodGroup (by UID).

    Attributes:
        wrote_at: the highest resourceVersion of our writes to its pods.
        unsure: a create was not answered: its pod may have come, and gone again, without the cache's showing it yet.
        names: pod names that turned out to be taken by strangers.
        first_look: nothing has been planned for it since the operator started.
        revision: the template that the API server was asked about last.
        template_refusal: its answer; None is a yes.
        create_refusal: why creates are held back; None when they are not.
        refusals: looks in a row in which something was refused.
        retry_at: when what was refused is worth another try.
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
        pause = min(FIRST_PAUSE * 2**self.refusals, LAST_PAUSE)
        self.refusals += 1
        self.retry_at = now + max(pause, retry_after or 0.0)

    def hold_creates(self, message: str, *, forbidden: bool = False) -> None:
        """Hold creates back until the pause is over."""
        self.create_refusal = Refusal(message, self.retry_at, forbidden)

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
        """Note what the API server says of a template; no message is a yes."""
        self.revision = revision
        self.template_refusal = Refusal(message, now + TEMPLATE_PAUSE) if message else None

    def settle(self, healing: Healing) -> None:
        """Note that a look is complete, and what the record of replacements is after it."""
        self.first_look = False
        self.healing = healing

    def remembered(self, healing: Healing) -> Healing:
        """Give the fuller of two records of replacements: ours, or the status's."""
        return self.healing if self.healing.total > healing.total else healing

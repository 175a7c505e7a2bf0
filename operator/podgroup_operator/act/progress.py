"""Progress: what has become of a plan so far, and what each lane is to remember of it."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from podgroup_operator.api.refusals import FOR_A_PERSON, Refused, Unreachable
from podgroup_operator.core.model.plan import Failure, Outcome, Plan
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.observe.lanes import OF_PODS
from podgroup_operator.observe.memory import Memory

if TYPE_CHECKING:
    from podgroup_operator.core.model.actions import Create, Remove

FEW = 2
"""Pods that may not be changed; where there are more, something is wrong with all, and the lane waits."""


class Trouble(NamedTuple):
    """A write that failed; `uid` is the pod's that could not be changed."""

    error: Refused | Unreachable
    message: str
    uid: str = ""


class Progress:
    """One plan on its way.

    Attributes:
        memory: of the group.
        monotonic: gives the seconds by which pauses are measured.
        created: what has been created.
        removed: what has been removed.
        failures: what could not be done, for people to see.
        suppressed: why pods that ail were not taken away, in words.
        began: when, in monotonic seconds.
        fenced: something was not sent, for this operator may not write any more.
    """

    def __init__(self, memory: Memory, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.memory = memory
        self.written = memory.written
        self.monotonic = monotonic
        self.created: list[Create] = []
        self.removed: list[Remove] = []
        self.failures: list[Failure] = []
        self.suppressed: list[str] = []
        self.fenced = False
        self.began = monotonic()
        self._departed = memory.seen.departed  # a pod that goes from now on may make room for one that is refused
        self._accepted = Counter[Lane]()
        self._troubles: dict[Lane, list[Trouble]] = defaultdict(list)

    @property
    def outcome(self) -> Outcome:
        """Sum up."""
        return Outcome(
            tuple(self.created), tuple(self.removed), tuple(self.failures), suppressed=tuple(self.suppressed)
        )

    def accepted(self, lane: Lane, uid: str = "", version: int = 0) -> None:
        """Note a write that was done, on which pod, and the resourceVersion of the answer."""
        self._accepted[lane] += 1
        self.written.lanes[lane].stuck.pop(uid, None)
        self.written.wrote(version)

    def failed(self, lane: Lane, reason: str, what: str, error: Refused | Unreachable, uid: str = "") -> None:
        """Note a write that failed, for people to see, and for the lane."""
        failed = failure(reason, what, error)
        self.failures.append(failed)
        self.held_up(lane, error, failed.message, uid)

    def held_up(self, lane: Lane, error: Refused | Unreachable, message: str, uid: str = "") -> None:
        """Note a write that failed and is nobody's fault."""
        self._troubles[lane].append(Trouble(error, message, uid))

    def has_accepted(self, lane: Lane) -> bool:
        """Tell whether anything was done in a lane."""
        return self._accepted[lane] > 0

    def in_trouble(self, lane: Lane) -> bool:
        """Tell whether anything has failed in a lane."""
        return bool(self._troubles[lane])

    def settle(self, plan: Plan) -> None:
        """Let each lane remember what became of its writes."""
        now, lanes = self.monotonic(), self.written.lanes
        wishes = {
            Lane.CREATE: plan.missing > 0,
            Lane.SURGE: lanes[Lane.SURGE].until > now,
            Lane.REMOVE: plan.missing < 0 or lanes[Lane.REMOVE].until > now,
            Lane.CHANGE: lanes[Lane.CHANGE].until > now,
            Lane.EVICT: lanes[Lane.EVICT].until > now,
        }
        for lane in OF_PODS:
            memory, troubles, accepted = lanes[lane], self._troubles[lane], self._accepted[lane]
            single = lane is not Lane.EVICT  # in which few are tried at once, by turns; what forbids one may forbid all
            if single or not memory.message:
                memory.forget_before(now)
            for trouble in troubles:
                if trouble.uid:
                    memory.stick(trouble.uid, trouble.error, now)
            if single and troubles and len(troubles) <= FEW and all(trouble.uid for trouble in troubles):
                memory.note(troubles[0].error, troubles[0].message, self._departed)
            elif troubles:
                first, mostly = troubles[0], len(troubles) > accepted
                memory.refused(first.error, first.message, now, mostly=mostly, departed=self._departed)
            elif accepted or not (wishes.get(lane) or memory.stuck_at(now)):
                memory.accepted()


def failure(reason: str, what: str, error: Refused | Unreachable) -> Failure:
    """Put into words that something could not be done, and why."""
    if isinstance(error, Unreachable):
        return Failure(reason, f"{what}: no answer from the API server: {error}")
    return Failure(reason, f"{what}: {error.message}", f"{what}: {error}", error.code in FOR_A_PERSON)

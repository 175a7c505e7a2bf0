"""What one exhaustive check covers: how many operators, which faults, what is assumed of them, and under which rules.

A scope is small on purpose: nearly all mistakes of such a program show with two pods, two operators and two or
three faults, if every order of events is tried.
"""

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What may go wrong; each time it does counts."""

    DELETE = "somebody deletes a pod, and it has time to end"
    KILL = "somebody deletes a pod without grace"
    FAIL = "a pod fails"
    STEAL = "another controller takes a pod away"
    ROLL = "somebody changes the template, once"
    SCALE = "somebody changes `replicas`, from 2 to 1 or from 1 to 2"
    CRASH = "an operator is killed and starts again, with an empty memory; what it sent may arrive yet"
    UNANSWERED = "an operator stops waiting for an answer; what it sent may arrive yet, or never"
    FENCED = "a request is not sent, for the Lease was not renewed in time; then it is, and nobody else has led"


TAKING = frozenset({Fault.DELETE, Fault.KILL, Fault.FAIL, Fault.STEAL})
"""The faults by which others take pods; then an operator cannot know how many are one too many."""


class Naming(Enum):
    """By which rule an operator chooses a new pod's epoch, and so its name."""

    RANDOM = "a name that nobody else has, as with generateName"
    REMEMBERED = "one above the highest epoch that it has seen in the slot (this is what the operator does)"
    FRESH = "one above the highest among the pods that an uncached list shows"
    FRESH_REMEMBERED = "one above the highest that it has seen or that an uncached list shows"
    RECORDED = "the epoch in the PodGroup's status, raised there when an uncached list shows its pod finished or ending"
    LOCKED = "as FRESH, but the status is written before every create, if nobody wrote to it since it was read"
    CLAIMED_BLINDLY = "as CLAIMED, but the pods are those of its cache"
    CLAIMED = "as RECORDED, but the status is written before every create, if nobody wrote to it since it was read"


RECORDING = frozenset({Naming.RECORDED, Naming.LOCKED, Naming.CLAIMED, Naming.CLAIMED_BLINDLY})
"""The rules by which epochs are in the PodGroup's status."""

MEMORYLESS = frozenset({Naming.FRESH, Naming.LOCKED, Naming.RECORDED, Naming.CLAIMED})
"""The rules by which an operator decides from what it reads at that moment alone; its cache only wakes it."""


@dataclass(frozen=True)
class Scope:
    """One check.

    Attributes:
        faults: what may go wrong.
        most: how often something may go wrong, all in all.
        operators: how many there are.
        elected: only the holder of the Lease acts, be it the leaders' or the group's own.
        waits: the Lease moves when no request is on its way.
        forgets: who takes the Lease forgets what it remembered of writes of its own.
        lists: who takes the Lease lists the pods before it looks.
        settled: an operator that crashed or had no answer acts when what it had sent has arrived or never will.
        outlived: a create may arrive after a pod of the same name, made since it was sent, has come and gone.
        lagging: an operator may look before it has heard all the news, or miss some by a new list.
        surge: how many pods a rollout may have beyond `replicas`, else one fewer; None where there are no rollouts. In
            a rollout a pod is Ready as soon as it lives.
        naming: how new pods get their names.
        reads_own_writes: operators wait until their cache shows what they wrote.
        asks: after a write that was not answered an operator reads from the API how far its cache must be.
        preconditions: a delete names the state of the pod that it means.
        spares: a pod whose delete the fence kept back counts as one that nobody wants to delete.
    """

    faults: frozenset[Fault]
    most: int = 3
    operators: int = 1
    elected: bool = False
    waits: bool = True
    forgets: bool = True
    lists: bool = True
    settled: bool = True
    outlived: bool = False
    lagging: bool = True
    surge: int | None = None
    naming: Naming = Naming.REMEMBERED
    reads_own_writes: bool = True
    asks: bool = True
    preconditions: bool = True
    spares: bool = True

    @property
    def unavailable(self) -> int:
        """How many pods fewer than `replicas` there may be in a rollout."""
        return int(self.surge == 0)

"""The records of which a state of the small world is made: nothing but tuples, so that it can be hashed.

There are no versions and no UIDs, for they would make states differ that are the same. A pod only ever goes on (live,
then failed or ending, then gone), so its stage says which version of it is meant; and pods that bear the same name
one after the other are told apart by the smallest number that no one speaks of any more, their `life`.
"""

from typing import NamedTuple

REPLICAS = 2

LIVE, FAILED, ENDING, FOREIGN, GONE = "live", "failed", "ending", "foreign", "gone"

Seat = tuple[int, int]
"""Slot and epoch: what a pod's name is made of."""

Epochs = tuple[int, ...]
"""One epoch for each slot; -1 is none."""

NO_EPOCHS: Epochs = (-1,) * REPLICAS

NOBODY = -1


class Wish(NamedTuple):
    """What the PodGroup asks for: how many pods, and of which template (0 is the old one, 1 the new one)."""

    replicas: int = REPLICAS
    revision: int = 0


class SmallPod(NamedTuple):
    """A pod, as it is or as it was when something happened to it."""

    slot: int
    epoch: int
    life: int
    stage: str
    revision: int = 0

    @property
    def seat(self) -> Seat:
        """What its name is made of."""
        return self.slot, self.epoch

    @property
    def identity(self) -> tuple[int, int, int]:
        """What its UID stands for."""
        return self.slot, self.epoch, self.life

    def __str__(self) -> str:
        """Name it for a person: `pod 0.1` is slot 0's second; a pod that bears the name again gets a prime."""
        return f"pod {self.slot}.{self.epoch}" + "'" * self.life


class Request(NamedTuple):
    """What an operator has sent and the API server has yet to do.

    Attributes:
        kind: "create", "delete" or "record" (a write of epochs into the PodGroup's status).
        sender: which operator.
        awaited: the operator waits for the answer; it has not crashed or lost its patience.
        pods: the pods to create (with "record": once it is recorded), or the one to delete as it was seen.
        epochs: what is to be recorded.
        current: nobody has written to the status since the sender read it.
        replicas: how many pods the sender believed to be wanted.
    """

    kind: str
    sender: int
    awaited: bool
    pods: tuple[SmallPod, ...]
    epochs: Epochs = NO_EPOCHS
    current: bool = True
    replicas: int = REPLICAS


class Operator(NamedTuple):
    """What an operator knows.

    Attributes:
        cache: the group's pods as far as it has heard.
        news: what has happened and it has not heard of yet, in order: a prefix of history and this are the truth.
        behind: how many of the news it must hear until it has seen all its own writes.
        epochs: the highest that it has seen.
        strangers: the names that it was told are taken by others' pods.
        condemned: the pods that it has asked to delete.
        unanswered: of these, those of which it does not know what came of it.
        wish: what it believes to be asked for.
    unsure: it had no answer to a write, and has not asked yet how far its cache must be.
    down: it has crashed and has not started again.
    """

    cache: tuple[SmallPod, ...] = ()
    news: tuple[SmallPod, ...] = ()
    behind: int = 0
    epochs: Epochs = NO_EPOCHS
    strangers: tuple[Seat, ...] = ()
    condemned: tuple[tuple[int, int, int], ...] = ()
    unanswered: tuple[tuple[int, int, int], ...] = ()
    wish: Wish = Wish()
    unsure: bool = False
    down: bool = False


class State(NamedTuple):
    """The whole world at one moment.

    Attributes:
        pods: the truth.
        wish: what is asked for.
        recorded: the epochs in the PodGroup's status.
        requests: what is on its way.
        leader: who holds the Lease.
        faults: how much may still go wrong.
        wrong: what must never happen and just did; "" is nothing.
    """

    pods: tuple[SmallPod, ...]
    operators: tuple[Operator, ...]
    wish: Wish = Wish()
    recorded: Epochs = NO_EPOCHS
    requests: tuple[Request, ...] = ()
    leader: int = NOBODY
    faults: int = 0
    wrong: str = ""


def live(pods: tuple[SmallPod, ...]) -> int:
    """Count the pods that count."""
    return sum(pod.stage == LIVE for pod in pods)


def canonical(state: State) -> State:
    """Give one state for all those that differ only in which operator is called the first."""
    if len(state.operators) < 2:
        return state
    first, second = state.operators
    mirrored = state._replace(
        operators=(second, first),
        requests=tuple(sorted(request._replace(sender=1 - request.sender) for request in state.requests)),
        leader=state.leader if state.leader == NOBODY else 1 - state.leader,
    )
    return min(state, mirrored)

"""What the steps of the story have at hand: stage, outside watch, stopwatches, and words for the audience."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from demo.api import Api
from demo.manifests import Manifests
from demo.pods import Pod
from demo.screen import Screen
from demo.stage import Stage
from demo.stopwatch import Stopwatches
from demo.tape import Tape
from demo.trouble import Trouble
from demo.watch import Watch

Pods = tuple[Pod, ...]


def full(replicas: int) -> Callable[[Pods], bool]:
    """Make the question whether a group has exactly so many live pods, all of them Ready."""

    def holds(pods: Pods) -> bool:
        live = [pod for pod in pods if pod.owned and pod.live]
        return len(live) == replicas and all(pod.ready for pod in live)

    return holds


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a step may use.

    Attributes:
        pace: seconds that a person gets to read a step before it happens.
        patience: seconds that whatever a step expects may take.
        numbers: the numbers of the steps still to come.
    """

    stage: Stage
    watch: Watch
    stopwatches: Stopwatches
    tape: Tape
    screen: Screen
    pace: float
    patience: float
    numbers: Iterator[int] = field(default_factory=partial(count, 1))

    @property
    def api(self) -> Api:
        """The API server."""
        return self.stage.api

    @property
    def namespace(self) -> str:
        """Where it all happens."""
        return self.stage.namespace

    @property
    def manifests(self) -> Manifests:
        """What the group and the newcomer are made of."""
        return self.stage.cluster.manifests

    def step(self, title: str, words: str, *commands: str) -> None:
        """Announce a step, with what follows `kubectl` to do the same, and give time to read it."""
        title = f"{next(self.numbers)}. {title}"
        self.screen.step(title, words, [f"kubectl -n {self.namespace} {command}" for command in commands])
        time.sleep(self.pace)

    def act(self, request: Callable[[], None]) -> None:
        """Send a request; the tape counts from here."""
        self.tape.mark()
        request()

    def kill(self, victims: Sequence[Pod], request: Callable[[], None]) -> None:
        """Send a request that deletes these pods, with a stopwatch for each."""
        self.stopwatches.start(victims)
        self.act(request)

    def expect(self, holds: Callable[[Pods], bool], otherwise: str) -> float:
        """Wait until it holds; return the seconds that it took since the last request.

        Raises:
            Trouble: it did not hold in time; `otherwise` says what that means.
        """
        if not self.watch.until(holds, self.patience, self.stage.check):
            seated = sum(pod.ready for pod in self.watch.pods if pod.owned and pod.live)
            message = f"{otherwise} within {self.patience:.0f} s. Ready pods of the group: {seated}."
            raise Trouble(message)
        return self.tape.since(time.monotonic())

    def in_seat(self, number: int) -> Pod:
        """Find the live pod of a seat."""
        return next(pod for pod in self.watch.pods if pod.owned and pod.live and pod.seat == number)

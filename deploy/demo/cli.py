"""The frame around the play: what the environment asks for, signals, failures, and the last words."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from kubernetes.client.exceptions import ApiException
from rich.console import Console
from urllib3.exceptions import HTTPError

from controlplane.errors import ControlPlaneError
from demo import STARTED
from demo.failure import report, sentence
from demo.scene import Scene
from demo.screen import Screen
from demo.seats import draw_seats
from demo.stage import Stage, stage
from demo.stopwatch import Stopwatches, spoken, table
from demo.story import tell
from demo.tape import Tape
from demo.trouble import Trouble
from demo.watch import News, Watch

PACE_SECONDS = 0.8
LONGEST_PACE_SECONDS = 60

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FAILURES = (Trouble, ControlPlaneError, ApiException, HTTPError)

Story = Callable[[Scene], None]


def main(environment: Mapping[str, str] = os.environ, story: Story = tell, patience: float | None = None) -> int:
    """Play the demo and return the exit code: 0 only if everything came true and was cleaned up.

    Args:
        environment: CLUSTER or KUBECONFIG chooses a cluster, PODGROUP_DEMO_PACE the seconds that a person gets to
            read each step.
        story: the steps.
        patience: seconds that whatever a step expects may take; by default it depends on the cluster.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # an odd encoding costs a symbol, not the demo
    screen = Screen(Console())
    with orderly_end():
        try:
            return perform(environment, story, patience, screen)
        except FAILURES as failure:  # before the play or after it
            screen.verbatim(f"✗ {sentence(failure)}", style="bold red")
            return 1


@contextmanager
def orderly_end() -> Iterator[None]:
    """Let a signal end the demo as an error does, so that everything is taken down."""
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop(number: int, _: FrameType | None) -> None:
    """End the demo; a second signal does not disturb that."""
    be_deaf()
    raise SystemExit(128 + number)


def be_deaf() -> None:
    """Ignore signals while things are taken down: it takes seconds and has to be finished."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def pace_of(environment: Mapping[str, str]) -> float:
    """Read PODGROUP_DEMO_PACE.

    Raises:
        Trouble: it is not a number of seconds.
    """
    given = environment.get("PODGROUP_DEMO_PACE", "")
    try:
        pace = float(given or PACE_SECONDS)
    except ValueError:
        pace = -1.0
    if not 0 <= pace <= LONGEST_PACE_SECONDS:
        message = f"PODGROUP_DEMO_PACE={given} is not a number of seconds; 0 is no pause at all."
        raise Trouble(message)
    return pace


def perform(environment: Mapping[str, str], story: Story, patience: float | None, screen: Screen) -> int:
    """Put up the stage, play, take it down, say the last words."""
    pace, stopwatches = pace_of(environment), Stopwatches()
    screen.say("PodGroup demo: a group of pods is hurt in every way, and you watch it heal.", style="bold")

    def clean_up() -> None:
        be_deaf()
        screen.say("\nCleaning up ...")

    with stage(environment, screen.verbatim, clean_up) as here:
        try:
            here.await_operator()
            play(here, story, stopwatches, screen, (pace, patience or here.cluster.patience))
        except FAILURES as failure:
            screen.verbatim(f"\n✗ {sentence(failure)}", style="bold red")
            report(here, screen)
            return 1
    last_words(stopwatches, screen)
    return 0


def play(here: Stage, story: Story, stopwatches: Stopwatches, screen: Screen, tempo: tuple[float, float]) -> None:
    """Play the story in front of the outside watch, and print the times."""
    tape = Tape()

    def write_down(news: News) -> None:
        screen.happened(tape.add(news))

    with (
        Watch(here.api, here.namespace, stopwatches.see, write_down) as watch,
        screen.live(lambda: draw_seats(watch.pods, stopwatches, time.monotonic()), tape),
    ):
        story(Scene(here, watch, stopwatches, tape, screen, *tempo))
    screen.say()
    screen.show(table(stopwatches.recoveries))
    screen.say("noticed: the operator has the news (selfheal.dev/lost-at on the replacement).")
    screen.say("created, ready: seen by a watch from outside, which knows nothing of the operator.")
    for restart in stopwatches.restarts:
        screen.say(
            f"Not in the table, for nobody was replaced: {restart.victim}, whose process was killed and whose kubelet "
            f"had it ready again after {spoken(restart.ready or 0)}."
        )


def last_words(stopwatches: Stopwatches, screen: Screen) -> None:
    """Say what was seen and what to do next."""
    killed = len(stopwatches.recoveries)
    slowest = max((each.ready or 0 for each in stopwatches.recoveries), default=0)
    restarted = "a process killed, and its pod left to the kubelet; " if stopwatches.restarts else ""
    screen.say(f"Everything is cleaned up. {time.monotonic() - STARTED:.1f} s in all.")
    screen.say()
    screen.say(
        f"What you saw: {killed} pods killed, {killed} healed, the slowest {spoken(slowest)} after its delete "
        f"request; {restarted}a group that grew, shrank and took in a stranger; and nothing left behind.",
        style="bold",
    )
    screen.say("What to do next:")
    if not stopwatches.restarts:
        screen.verbatim("  make demo CLUSTER=kind                # the same in real containers", style="cyan")
    screen.verbatim("  KUBECONFIG=~/.kube/config make demo   # the same on a cluster of yours", style="cyan")
    screen.verbatim("  make cluster && make run              # a cluster to play in, and the operator", style="cyan")

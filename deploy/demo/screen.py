"""What a person sees: a transcript that scrolls, and below it, on a terminal, seats and tape that stay in place.

Where there is no terminal (CI, a pipe) or too small a one, the same comes as plain lines, each event when it happens.
rich leaves colours out when NO_COLOR is set; nothing here is told by colour alone.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.text import Text

from demo.tape import Tape

FRAMES_PER_SECOND = 12
LEAST_WIDTH, LEAST_HEIGHT = 80, 24
SWITCH_SECONDS = 0.0005
"""How long drawing may keep the watch's thread from stamping news; Python's default of 5 ms would blur the times."""


class Screen:
    """The transcript and the live part below it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = False

    @property
    def can_be_live(self) -> bool:
        """Whether there is a terminal with room for the seats."""
        terminal = sys.stdout.isatty() and not self._console.is_dumb_terminal
        return terminal and self._console.width >= LEAST_WIDTH and self._console.height >= LEAST_HEIGHT

    @contextmanager
    def live(self, seats: Callable[[], RenderableType], tape: Tape) -> Iterator[None]:
        """Keep seats and tape on display meanwhile."""
        if not self.can_be_live:
            yield
            return

        def frame() -> RenderableType:
            lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in tape.lines]
            return Group(Rule(style="bright_black"), seats(), *lines)

        sys.setswitchinterval(SWITCH_SECONDS)
        with Live(get_renderable=frame, console=self._console, refresh_per_second=FRAMES_PER_SECOND):
            self._live = True
            try:
                yield
            finally:
                self._live = False

    def say(self, words: str = "", style: str = "") -> None:
        """Print words."""
        self._console.print(words, style=style, markup=False, highlight=False)

    def show(self, renderable: RenderableType) -> None:
        """Print something of rich's, such as a table."""
        self._console.print(renderable)

    def step(self, title: str, words: str, commands: Sequence[str]) -> None:
        """Announce a step: what it is, in plain words, and what to type to do the same."""
        self.say()
        self.say(title, style="bold")
        self.say(words)
        for command in commands:
            self.verbatim(f"  $ {command}", style="cyan")

    def verbatim(self, text: str, style: str = "") -> None:
        """Print lines that somebody may want to copy: never wrapped by us."""
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def result(self, words: str) -> None:
        """Print what came of a step."""
        self.say(f"  ✓ {words}", style="green")

    def happened(self, line: str) -> None:
        """Print a line of the tape, if the tape is not on display."""
        if line and not self._live:
            self.verbatim(f"  {line}", style="bright_black")

"""The event tape: what happened, in plain words, each with the time since the last request.

It is told from what the outside watch saw; a change that means nothing to a person (a node chosen, a label more) is
passed over.
"""

import time
from collections import deque

from demo.pods import Pod
from demo.watch import News

LINES = 6


def sentence(news: News) -> str:
    """Tell a piece of news in a sentence; empty if there is nothing to tell."""
    pod, before = news.pod, news.before or Pod(news.pod.name, news.pod.uid)
    seat = "" if pod.seat is None else f", seat {pod.seat}"
    successor = f", in place of {pod.replaces}" if pod.replaces else ""
    changes = (
        (news.gone, "is gone"),
        (pod.leaving and not before.leaving, "is told to end"),
        (news.before is None and not pod.leaving, f"is created{seat}{successor}"),
        (pod.owned and not before.owned, f"is adopted{seat}"),
        (before.owned and not pod.owned, "is let go"),
        (pod.restarts > before.restarts, "is restarted in its place by the kubelet"),
        (pod.ready and not before.ready, "is ready"),
        (before.ready and not pod.ready and not pod.leaving, "is not ready any more"),
    )
    return next((f"{pod.name} {words}" for happened, words in changes if happened), "")


class Tape:
    """The last lines of what happened."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINES)
        self._mark = time.monotonic()

    def mark(self) -> None:
        """Note that a request is being sent: the time of what follows is counted from now."""
        self._mark = time.monotonic()

    def since(self, at: float) -> float:
        """Give the seconds from the last request to a moment of `time.monotonic`."""
        return at - self._mark

    def add(self, news: News) -> str:
        """Write the news down and return the line; empty if there is nothing to tell."""
        told = sentence(news)
        if not told:
            return ""
        line = f"{self.since(news.at) * 1000:+7.0f} ms  {told}"
        self._lines.append(line)
        return line

    @property
    def lines(self) -> list[str]:
        """The last lines, oldest first, always as many: what is below them must not move."""
        lines = list(self._lines)
        return lines + [""] * (LINES - len(lines))

"""A recording of everything that happens to a collection, taken by a watch with a connection of its own.

A list shows what is; a recording shows what has been meanwhile, in the order of resourceVersions, and when it was
heard of.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from urllib3.exceptions import HTTPError

from e2e.pod import Pod
from e2e.waiting import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.api import Api

Json = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One event of the watch."""

    kind: str
    """ADDED, MODIFIED or DELETED."""

    pod: Pod
    """The state after it, or, of a deletion, the last."""

    heard: float
    """When its line had been read, in seconds of the monotonic clock."""


class Recording:
    """Everything that happened to the pods of a collection since it was entered as a context."""

    def __init__(self, api: Api, path: str) -> None:
        self._api = api
        self._path = path
        self._changes: list[Change] = []
        self._news = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.before: list[Pod] = []
        """The pods that were there at the start."""

    def __enter__(self) -> Self:
        listed = self._api.request("GET", self._path)
        self.before = [Pod(item) for item in listed["items"]]
        version = listed["metadata"]["resourceVersion"]
        self._stream = self._api.open("GET", self._path, watch="true", resourceVersion=version)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._thread.is_alive(), "the watch has ended before its time; the recording is not complete"
        self._ending = True
        self._stream.shutdown()
        self._thread.join(SECONDS)
        self._stream.close()

    def _follow(self) -> None:
        rest = b""
        try:
            for chunk in self._stream.stream(None):
                heard = time.monotonic()
                *lines, rest = (rest + chunk).split(b"\n")
                events = [json.loads(line) for line in lines]
                with self._news:
                    self._changes += [Change(event["type"], Pod(event["object"]), heard) for event in events]
                    self._news.notify_all()
        except HTTPError:
            if not self._ending:
                raise

    @property
    def changes(self) -> list[Change]:
        """What has happened so far."""
        with self._news:
            return list(self._changes)

    @property
    def created(self) -> list[Pod]:
        """The pods that have been created so far."""
        return [change.pod for change in self.changes if change.kind == "ADDED"]

    def first(self, what: str, fits: Callable[[Change], bool], start: int = 0, seconds: float = SECONDS) -> Change:
        """Wait for the first change that fits.

        Args:
            what: what is waited for, for the failure's message.
            fits: tells it.
            start: how many changes to pass over, as `len(recording.changes)` told earlier.
            seconds: when to give up.
        """
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for change in self._changes[start:]:
                    if fits(change):
                        return change
                start = len(self._changes)
                if not self._news.wait(deadline - time.monotonic()):
                    message = f"Waited {seconds} s in vain for {what}."
                    raise AssertionError(message)

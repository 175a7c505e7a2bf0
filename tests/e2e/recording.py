"""A recording of everything that happens to a collection, taken by a watch with a connection of its own.

A list shows what is; a recording shows what has been meanwhile, in the order of resourceVersions, and when it was
heard of.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from urllib3.exceptions import HTTPError

from e2e.pod import Pod, pod_spec, uids
from e2e.waiting import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.api import Api

Json = dict[str, Any]

MARK = "mark-"


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
    """Everything that has happened to a namespace's pods since it was entered as a context.

    A server may end a watch at any time, if only because we read too slowly; it is taken up where it ended.
    """

    def __init__(self, api: Api, path: str) -> None:
        self._api = api
        self._path = path
        self._changes: list[Change] = []
        self._news = threading.Condition()
        self._connecting = threading.Lock()
        self._ending = False
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.before: list[Pod] = []
        """The pods that were there at the start."""

    def __enter__(self) -> Self:
        listed = self._api.request("GET", self._path)
        self.before = [Pod(item) for item in listed["items"]]
        self._version = int(listed["metadata"]["resourceVersion"])
        self._connect()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._connecting:
            self._ending = True
            with suppress(RuntimeError, OSError):  # it has just ended by itself
                self._stream.shutdown()
        self._thread.join(SECONDS)
        self._stream.close()

    def _connect(self) -> None:
        with self._connecting:
            if not self._ending:
                self._stream = self._api.open("GET", self._path, watch="true", resourceVersion=self._version)

    def _follow(self) -> None:
        try:
            while not self._ending:
                with suppress(HTTPError):
                    self._read()
                self._connect()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for the test's own thread to raise
            with self._news:
                self._broken = error
                self._news.notify_all()

    def _read(self) -> None:
        rest = b""
        for chunk in self._stream.stream(None):
            heard = time.monotonic()
            *lines, rest = (rest + chunk).split(b"\n")
            events = [json.loads(line) for line in lines]
            assert "ERROR" not in {event["type"] for event in events}, events
            changes = [Change(event["type"], Pod(event["object"]), heard) for event in events]
            with self._news:
                self._changes += changes
                self._version = max([self._version, *(change.pod.version for change in changes)])
                self._news.notify_all()

    @property
    def changes(self) -> list[Change]:
        """What has been heard so far."""
        with self._news:
            return list(self._changes)

    def history(self) -> list[Change]:
        """Everything that has happened until this moment, in the order in which it happened.

        To know that the watch has caught up with this moment a mark is made, a pod that comes and goes; it is left out.
        """
        mark = Pod(self._api.request("POST", self._path, {"metadata": {"generateName": MARK}, "spec": pod_spec()}))
        self.first("the mark", lambda change: change.pod.uid == mark.uid)
        self._api.request("DELETE", f"{self._path}/{mark.name}", {"gracePeriodSeconds": 0})
        changes = [change for change in self.changes if not change.pod.name.startswith(MARK)]
        return sorted(changes, key=lambda change: change.pod.version)

    def created(self) -> list[Pod]:
        """The pods that have been created until this moment."""
        return [change.pod for change in self.history() if change.kind == "ADDED"]

    def most_live(self) -> int:
        """How many pods were live at once, at most, from the start until this moment: at every resourceVersion."""
        return max(self._numbers(lambda pod: pod.live))

    def fewest_ready(self) -> int:
        """How many pods were Ready at once, at least, likewise."""
        return min(self._numbers(lambda pod: pod.ready))

    def _numbers(self, counts: Callable[[Pod], bool]) -> Iterator[int]:
        """Give how many pods there were that count, at the start and after each change."""
        found = uids(pod for pod in self.before if counts(pod))
        yield len(found)
        for change in self.history():
            if change.kind != "DELETED" and counts(change.pod):
                found.add(change.pod.uid)
            else:
                found.discard(change.pod.uid)
            yield len(found)

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
                if self._broken:
                    raise self._broken
                if not self._news.wait(deadline - time.monotonic()):
                    message = f"Waited {seconds} s in vain for {what}."
                    raise AssertionError(message)

    def heir(self, lost: Pod, start: int = 0, seconds: float = SECONDS) -> Change:
        """Wait for the pod that replaces another one; `start` and `seconds` as for `first`."""
        return self.first(
            f"the replacement of {lost.name}",
            lambda change: change.kind == "ADDED" and change.pod.replaces == lost.name,
            start,
            seconds,
        )

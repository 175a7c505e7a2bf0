"""One open watch: which changes it reports, and how the stream looks on the wire.

A watch with a selector is a view: an object that comes to match is ADDED, one that no longer does is DELETED
(with its last matching state), as apiserver's cacher does it. Everything is decided at the moment of the write,
so a stream is in order and complete however slowly it is read; the writer only copies lines to the socket.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson
from aiohttp import web

from fakeapi.errors import StatusError
from fakeapi.faults import CutLine, ErrorEvent, Silence, WatchFault
from fakeapi.filters import Filter
from fakeapi.resources import PODS, Obj, Resource
from fakeapi.store import Change, key_of, stamped

INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


@dataclass(frozen=True)
class Scope:
    """What a watch looks at.

    Attributes:
        namespace: "" is all.
        selects: None is everything.
    """

    resource: Resource
    namespace: str = ""
    selects: Filter | None = None

    def covers(self, obj: Obj) -> bool:
        """Whether the watch looks at this object."""
        if self.namespace and key_of(obj)[0] != self.namespace:
            return False
        return self.selects is None or self.selects(obj)


class Watch:
    """A stream to one client; subscribed to the store while it is open.

    Attributes:
        scope: what it looks at.
        bookmarks: whether the client allows them.
        silent: whether it holds its lines back.
    """

    def __init__(self, scope: Scope, *, bookmarks: bool) -> None:
        self.scope = scope
        self.bookmarks = bookmarks
        self._lines: list[bytes] = []
        self._held: list[bytes] = []
        self._faults: list[tuple[int, WatchFault]] = []  # at how many events which one strikes
        self._events = 0
        self._over = False
        self._cut = False
        self._changed = asyncio.Event()
        self.silent = False

    def begin(self, objects: Iterable[Obj]) -> None:
        """Report the present state as ADDED."""
        for obj in objects:
            if self.scope.covers(obj):
                self._report("ADDED", orjson.dumps(obj))

    def take(self, change: Change) -> None:
        """Report a change, if it is one from this watch's point of view."""
        if change.resource is not self.scope.resource:
            return
        is_in = change.type != "DELETED" and self.scope.covers(change.object)
        was_in = change.previous is not None and self.scope.covers(change.previous)
        if is_in:
            self._report("MODIFIED" if was_in else "ADDED", change.encoded)
        elif was_in and change.type == "DELETED":
            self._report("DELETED", change.encoded)
        elif was_in and change.previous is not None:
            self._report("DELETED", orjson.dumps(stamped(change.previous, change.version)))

    def bookmark(self, version: int, annotations: Obj | None = None) -> None:
        """Tell the client how far it has come; an object of the kind with nothing but a version."""
        if self.bookmarks and not self.silent:
            self._line("BOOKMARK", orjson.dumps(self._blank(version, annotations)))

    def fail(self, error: StatusError) -> None:
        """Report an error and end."""
        self._line("ERROR", orjson.dumps(error.status))
        self.end()

    def end(self) -> None:
        """End after what is still to be sent."""
        self._over = True
        self._changed.set()

    def strike(self, fault: WatchFault) -> None:
        """Let a fault happen: now, or after as many further events as it says."""
        if fault.events:
            self._faults.append((self._events + fault.events, fault))
        else:
            self._happen(fault)

    def release(self) -> None:
        """Send again, from where the silence began."""
        self.silent = False
        self._lines += self._held
        self._held = []
        self._changed.set()

    async def send(self, response: web.StreamResponse, cut: Callable[[], None]) -> None:
        """Write until the watch ends.

        Args:
            response: a prepared stream.
            cut: closes the connection, leaving the stream unfinished.
        """
        while True:
            await self._changed.wait()
            self._changed.clear()
            lines, self._lines = self._lines, []
            if lines:
                await response.write(b"".join(lines))
            if self._cut:
                cut()
            if self._over and not self.silent:
                return

    def _blank(self, version: int, annotations: Obj | None) -> Obj:
        metadata: Obj = {"resourceVersion": str(version)}
        if annotations:
            metadata["annotations"] = annotations
        resource = self.scope.resource
        blank = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return {**blank, "spec": {"containers": None}, "status": {}} if resource is PODS else blank

    def _report(self, kind: str, encoded: bytes) -> None:
        due = [fault for at, fault in self._faults if at <= self._events]
        self._faults = [(at, fault) for at, fault in self._faults if at > self._events]
        for fault in due:
            self._happen(fault)
        self._events += 1
        self._line(kind, encoded)

    def _line(self, kind: str, encoded: bytes) -> None:
        if not self._over:
            lines = self._held if self.silent else self._lines
            lines.append(b'{"type":"%b","object":%b}\n' % (kind.encode(), encoded))
            self._changed.set()

    def _happen(self, fault: WatchFault) -> None:
        match fault:
            case ErrorEvent():
                self.fail(fault.error())
            case Silence():
                self.silent = True
            case CutLine():
                line = b'{"type":"MODIFIED","object":' + orjson.dumps(self._blank(0, None))
                self._lines.append(line[: len(line) // 2])
                self._cut = True
                self.end()

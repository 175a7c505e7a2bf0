"""The oracle's eyes: everything that happens to a namespace's pods and PodGroups, straight from the API server.

Two watches of their own, not through the proxy, merged by resourceVersion into the one order in which the store
took the changes.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from e2e.api import Api
from e2e.namespace import PODGROUPS
from e2e.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.namespace import Namespace
    from e2e.pod import Pod
    from e2e.recording import Change


class History:
    """What happens to one namespace from the moment on that this is entered as a context."""

    def __init__(self, kubeconfig: Path, space: Namespace) -> None:
        self._kubeconfig = kubeconfig
        self._paths = {"Pod": space.path("pods"), "PodGroup": space.path("podgroups", root=PODGROUPS)}
        self._recordings: dict[str, Recording] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for kind, path in self._paths.items():
                api = stack.enter_context(Api(self._kubeconfig))
                self._recordings[kind] = stack.enter_context(Recording(api, path))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, kind: str) -> list[Change]:
        """Give the changes of pods, or of PodGroups, so far."""
        return self._recordings[kind].changes

    def changes(self) -> list[Change]:
        """Give all changes so far, in the order of the store."""
        changes = [change for kind in self._paths for change in self.of(kind)]
        return sorted(changes, key=lambda change: change.pod.version)

    def now(self, kind: str) -> dict[str, Pod]:
        """Give what exists now, by UID."""
        objects: dict[str, Pod] = {}
        for change in self.of(kind):
            objects[change.pod.uid] = change.pod
            if change.kind == "DELETED":
                del objects[change.pod.uid]
        return objects

    def since(self) -> float:
        """Give the seconds since anything was heard."""
        heard = [changes[-1].heard for changes in map(self.of, self._paths) if changes]
        return time.monotonic() - max(heard, default=0.0)

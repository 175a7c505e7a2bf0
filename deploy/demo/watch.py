"""Somebody who watches from outside: a connection of its own, no word exchanged with the operator.

What the demo shows and measures is what any client of the API could have seen at that moment. Each piece of news is
stamped on arrival by the monotonic clock. A broken stream is opened again from a fresh list, and what went meanwhile
is told as gone.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import kubernetes.watch
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from demo.api import Api
from demo.pods import Pod, read_pod

REOPEN_SECONDS = 0.2
LOOK_SECONDS = 0.1
CLOSE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class News:
    """A pod has come, changed or gone.

    Attributes:
        at: when the news arrived, by `time.monotonic`.
        before: the pod as it was known until then; None when it is new.
        gone: whether the API has it no more.
    """

    at: float
    pod: Pod
    before: Pod | None = None
    gone: bool = False


Listener = Callable[[News], None]


class Watch:
    """The pods of one namespace, kept up to date by a thread; a context manager.

    Args:
        api: the API server; the watch opens a connection of its own there.
        namespace: where the pods are.
        listeners: called with each piece of news, in order, in the watch's thread.
    """

    def __init__(self, api: Api, namespace: str, *listeners: Listener) -> None:
        self._api = api
        self._namespace = namespace
        self._listeners = listeners
        self._pods: Mapping[str, Pod] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._stream: Any = kubernetes.watch.Watch(return_type="object")  # type: ignore[no-untyped-call] # as above
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        deadline = time.monotonic() + CLOSE_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._stream.stop()  # again and again: it does nothing to a stream that is just being opened
            self._thread.join(LOOK_SECONDS)

    @property
    def pods(self) -> tuple[Pod, ...]:
        """All pods that are there now."""
        return tuple(self._pods.values())

    def until(self, holds: Callable[[tuple[Pod, ...]], bool], seconds: float, check: Callable[[], None]) -> bool:
        """Wait until something holds of the pods; False when it did not within the time.

        Args:
            holds: asked after each piece of news.
            seconds: how long to wait at most.
            check: called ten times a second; may raise to end the waiting.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while not holds(self.pods):
                check()
                if time.monotonic() > deadline:
                    return False
                self._changed.wait(LOOK_SECONDS)
        return True

    def _run(self) -> None:
        while not self._closed:
            with suppress(ApiException, HTTPError, OSError):
                self._follow()
            time.sleep(REOPEN_SECONDS)

    def _follow(self) -> None:
        """List, then follow the stream from there until it breaks."""
        listed = self._api.list_pods(self._namespace)
        present = {pod.uid: pod for pod in map(read_pod, listed["items"])}
        for uid, pod in self._pods.items():
            if uid not in present:
                self._tell(pod, gone=True)
        for pod in present.values():
            self._tell(pod)
        version = listed["metadata"]["resourceVersion"]
        function = self._api.core.list_namespaced_pod
        for event in self._stream.stream(function, self._namespace, resource_version=version):
            if event is None:  # the client's word for a line that it could not read, as at the end of a closed stream
                return
            self._tell(read_pod(event["object"]), gone=event["type"] == "DELETED")

    def _tell(self, pod: Pod, *, gone: bool = False) -> None:
        news = News(time.monotonic(), pod, self._pods.get(pod.uid), gone)
        with self._changed:
            others = {uid: known for uid, known in self._pods.items() if uid != pod.uid}
            self._pods = others if gone else {**others, pod.uid: pod}  # a new one, so that readers need no lock
            for listener in self._listeners:
                listener(news)
            self._changed.notify_all()

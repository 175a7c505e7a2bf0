"""A bare HTTP client for tests that ask the API themselves; the operator's own client is not used to test the fake.

Answers are given as they are, refusals too. A watch is read event by event, so a test waits for what must come
next and never for a guessed time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
import orjson

from fakeapi.registry import JSON
from fakeapi.resources import Obj

PODS_PATH = "/api/v1/namespaces/default/pods"
PODGROUPS_PATH = "/apis/selfheal.dev/v1/namespaces/default/podgroups"
DEADLINE = 5.0  # seconds


@dataclass(frozen=True)
class Answered:
    """What came back: the status code, the body, the headers."""

    code: int
    body: Obj
    retry_after: str | None


class Stream:
    """An open watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def take(self, count: int = 1) -> list[Obj]:
        """Give the next events; fewer if the stream ends cleanly before."""
        events: list[Obj] = []
        async with asyncio.timeout(DEADLINE):
            while len(events) < count and (line := await self._response.content.readline()):
                events.append(orjson.loads(line))
        return events

    def pending(self) -> bytes:
        """Give what has come and has not been taken."""
        return self._response.content.read_nowait()

    async def says(self, count: int) -> list[tuple[str, str]]:
        """Give the next events in short: type and name, of an ERROR its code."""
        return [short(event) for event in await self.take(count)]


class Client:
    """Talks to one API server; an async context manager."""

    def __init__(self, url: str, user_agent: str = "test") -> None:
        self._url = url
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(self._url, headers={"User-Agent": self._user_agent})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(
        self, method: str, path: str, body: Obj | None = None, /, *, form: str = JSON, **query: str
    ) -> Answered:
        """Send a request."""
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": form}
        async with self._session.request(method, path, data=data, headers=headers, params=query) as response:
            text = await response.read()
            readable = response.content_type == JSON
            answer = orjson.loads(text) if readable else {"text": text.decode()}
            return Answered(response.status, answer, response.headers.get("Retry-After"))

    @asynccontextmanager
    async def watch(self, path: str, **query: str) -> AsyncIterator[Stream]:
        """Open a watch."""
        async with self._session.get(path, params={"watch": "true", **query}) as response:
            yield Stream(response)


def short(event: Obj) -> tuple[str, str]:
    """Give an event's type with its object's name, or with an ERROR's code."""
    obj = event["object"]
    return event["type"], str(obj["code"]) if event["type"] == "ERROR" else obj["metadata"].get("name", "")


def a_pod(name: str, **metadata: object) -> Obj:
    """Give a pod as a client would create it."""
    return {"metadata": {"name": name, **metadata}, "spec": {"containers": [{"name": "app", "image": "app"}]}}


def a_group(name: str, replicas: int = 1) -> Obj:
    """Give a PodGroup as a client would create it."""
    template = {"spec": {"containers": [{"name": "app", "image": "app"}]}}
    return {
        "apiVersion": "selfheal.dev/v1",
        "kind": "PodGroup",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "template": template},
    }

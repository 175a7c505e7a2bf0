"""Faults as plain data: what goes wrong, for which requests, and how often.

A rule strikes the requests that it matches. The effects are the ones that a client of a real API server meets
(Rainmaker, NSDI'23; Sieve, OSDI'22): refused before anything happened; done, but the answer lost; late; a watch
that is cut, that reports an error, or that stays open and says nothing. `after` places an effect behind the work
of the request: with it, what was asked has happened, whatever the client is told.

    api.faults.add(Answer(429, retry_after=1), verb="create", resource="pods", nth=3)
    api.faults.add(Cut(after=True), verb="create", resource="pods")          # created, and nobody is told
    api.faults.add(Silence(), verb="watch", resource="pods", times=None)
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from fakeapi.errors import StatusError


@dataclass(frozen=True)
class Answer:
    """The request is answered with an error.

    Attributes:
        code: the HTTP status, 410 on a watch included.
        reason: of the Status; by default the usual one of the code.
        retry_after: seconds, sent as the header too.
        text: sent as plain text in place of a Status, as the request limiter and proxies do it.
        after: the request has been carried out all the same.
    """

    code: int
    reason: str | None = None
    message: str = "a fault was injected"
    retry_after: int | None = None
    text: str | None = None
    after: bool = False

    def error(self) -> StatusError:
        """Give it as the refusal that it is."""
        return StatusError(self.code, self.message, reason=self.reason, retry_after=self.retry_after)


@dataclass(frozen=True)
class Cut:
    """The connection ends without an answer."""

    after: bool = False


@dataclass(frozen=True)
class Delay:
    """The request, or with `after` its answer, is late by so many seconds."""

    seconds: float
    after: bool = False


@dataclass(frozen=True)
class Hold:
    """The request, or with `after` its answer, waits until the test sets the gate."""

    gate: asyncio.Event
    after: bool = False


@dataclass(frozen=True)
class CutLine:
    """A watch ends in the middle of a line, after so many whole events."""

    events: int = 0


@dataclass(frozen=True)
class ErrorEvent:
    """A watch sends an ERROR event, after so many others, and ends, as the server does it."""

    code: int
    reason: str | None = None
    message: str = "a fault was injected"
    events: int = 0

    def error(self) -> StatusError:
        """Give the Status that the event carries."""
        return StatusError(self.code, self.message, reason=self.reason)


@dataclass(frozen=True)
class Silence:
    """A watch stays open but sends nothing, no bookmark either, after so many events, until it is released."""

    events: int = 0


RequestFault = Answer | Cut | Delay | Hold
WatchFault = CutLine | ErrorEvent | Silence
Fault = RequestFault | WatchFault


class Asked(Protocol):
    """What a rule looks at in a request."""

    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str


@dataclass(eq=False)
class Rule:
    """Which requests a fault strikes. What is None matches everything.

    Attributes:
        fault: what happens.
        verb: get, list, watch, create, update, patch or delete.
        resource: the plural, with its group where it has one: "pods", "podgroups.selfheal.dev".
        subresource: "" is the main door.
        name: a name, or a question about one; a create is asked with the name in its body.
        nth: the first matching request that is struck, counted from 1.
        times: how many are struck from there on; None is all.
        hits: how many were.
    """

    fault: Fault
    verb: str | None = None
    resource: str | None = None
    subresource: str | None = None
    namespace: str | None = None
    name: str | Callable[[str], bool] | None = None
    nth: int = 1
    times: int | None = 1
    hits: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False)

    def strikes(self, asked: Asked) -> bool:
        """Count a request and tell whether it is struck."""
        if not self._matches(asked):
            return False
        self._seen += 1
        if self._seen < self.nth or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def _matches(self, asked: Asked) -> bool:
        if callable(self.name) and not self.name(asked.name):
            return False
        wanted = (self.verb, self.resource, self.subresource, self.namespace)
        given = (asked.verb, asked.resource, asked.subresource, asked.namespace)
        named = self.name is None or callable(self.name) or self.name == asked.name
        return named and all(want is None or want == has for want, has in zip(wanted, given, strict=True))


class Faults:
    """The rules in force.

    Attributes:
        rules: in the order in which they are asked; a request may be struck by several.
        unavailable: every request is answered with 503.
    """

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.unavailable = False

    def add(  # noqa: PLR0913 - the fields of a rule
        self,
        fault: Fault,
        *,
        verb: str | None = None,
        resource: str | None = None,
        subresource: str | None = None,
        namespace: str | None = None,
        name: str | Callable[[str], bool] | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Rule:
        """Put a rule in force; see `Rule`."""
        rule = Rule(fault, verb, resource, subresource, namespace, name, nth, times)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Let everything work again; watches that are silent stay so until they are released."""
        self.rules.clear()
        self.unavailable = False

    def striking(self, asked: Asked) -> Iterator[Fault]:
        """Give the faults that strike a request; asking counts it."""
        if self.unavailable:
            yield Answer(503, message="the server is currently unable to handle the request")
        yield from [rule.fault for rule in self.rules if rule.strikes(asked)]

"""All scopes of one operator, and what follows PodGroups in those that can be followed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Protocol

from podgroup_operator.lead.election import Election
from podgroup_operator.observe.pulse import Pulse
from podgroup_operator.scope import Begin, Scope

TOGETHER = 0.5  # seconds that a namespace has to show that nothing is missing there before the others are followed

Json = dict[str, Any]


class Follower(Protocol):
    """What follows PodGroups: kopf, supervised."""

    namespaces: Sequence[str]
    following: asyncio.Event
    pulse: Pulse

    def again(self) -> None:
        """Begin again: there are other namespaces to follow."""

    async def run(self) -> None:
        """Follow for ever."""


Follow = Callable[
    [
        Callable[[str], None],
        Callable[[Json, bool], None],
        Callable[[str], None],
        Callable[[], Awaitable[Sequence[str]]],
    ],
    Follower,
]
"""Makes a follower; its arguments are those of `Supervisor` after the connection."""


class Scopes:
    """The scopes.

    Args:
        election: tells of which scope a namespace is, and which namespaces are left out.
        spawn: has something done in the background.

    Attributes:
        follower: follows PodGroups in them.
    """

    def __init__(self, election: Election, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        self.follower: Follower
        self._election = election
        self._spawn = spawn
        self._scopes: dict[str, Scope] = {}
        self._again = False  # PodGroups are to be followed in another namespace too

    def __iter__(self) -> Iterator[Scope]:
        """Give each scope."""
        return iter(self._scopes.values())

    def of(self, namespace: str) -> Scope:
        """Give the scope of this name."""
        return self._scopes[namespace]

    def add(self, scope: Scope) -> None:
        """Take a scope in."""
        self._scopes[scope.namespace] = scope

    def is_open(self, namespace: str) -> bool:
        """Tell whether groups of a namespace may be looked at."""
        scope = self._scopes.get(self._election.scope(namespace))
        return scope is not None and scope.is_open and not self._election.left_out(namespace)

    async def refresh(self, namespace: str) -> None:
        """List all pods of a namespace's scope anew."""
        await self._scopes[self._election.scope(namespace)].informer.refresh()

    async def ready(self) -> Sequence[str]:
        """Wait until some scope can be followed; give the namespaces that can, none for all."""
        anew, self._again = not self._again, False  # who comes back must not have the others asked, and wait for them
        while True:
            ready = await asyncio.gather(*(scope.is_ready(TOGETHER, anew=anew) for scope in self))
            if any(ready):
                return [name for name, yes in zip(self._scopes, ready, strict=True) if yes and name]

    def returned(self, namespace: str) -> None:
        """Have a namespace followed in which nothing is missing any more."""
        if namespace:
            self._spawn(self._follow_too(namespace))

    async def _follow_too(self, namespace: str) -> None:
        await self.follower.following.wait()
        if namespace not in self.follower.namespaces:
            self._again = True
            self.follower.again()

    async def welcome_back(self, begin: Begin) -> None:
        """Serve, for ever, each namespace that an operator of its own has left to us.

        Args:
            begin: called when we may begin to write in a namespace.
        """
        while True:
            namespace = await self._election.neighbours.returned()
            await self._catch_up(namespace)
            self._election.neighbours.welcome(namespace)
            if self.is_open(namespace):
                begin(namespace, others=True)

    async def _catch_up(self, namespace: str) -> None:
        """List all pods, anew if others may have led in a namespace meanwhile: the list need not show their writes."""
        tenure = None
        while tenure != (tenure := self._election.tenure(namespace)):
            await self._scopes[""].catch_up()

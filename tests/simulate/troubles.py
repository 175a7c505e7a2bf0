"""Everything that can go wrong for a while, each by its name; what it does ends with it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fakeapi.errors import StatusError
from fakeapi.resources import PODS
from simulate.asked import now
from simulate.oracle import Violation, controller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from fakeapi.resources import Obj
    from simulate.apiserver import Policy
    from simulate.asked import Asked
    from simulate.processes import Process
    from simulate.simulation import Simulation

NEEDS_PEACE = frozenset({"crowd"})
"""Troubles that come alone."""

LONGEST = 40.0
"""Seconds that a trouble lasts at most."""

CROWD, CROWD_SECONDS = 80, 8.0
"""Pods of a large group, and how long it may take to make them."""

STEPS = (-7200.0, -3600.0, -60.0, -3.0, 3.0, 60.0, 3600.0)
"""Seconds by which a wall clock may jump."""

OURS = "selfheal.dev/"
"""How the labels and annotations begin that are the operator's own."""

KINDS = ("create pods", "delete pods", "patch pods", "patch podgroups/status", "create events", "try pods")


class Troubles:
    """All that may go wrong in one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._world = simulation
        self._chance: Random = simulation.chance
        self.kinds: dict[str, Callable[[float], object]] = {
            kind.__name__: kind
            for kind in (
                self.late,
                self.lost,
                self.failing,
                self.refusing,
                self.denied,
                self.outage,
                self.cut_off,
                self.slow_webhook,
                self.torn_watches,
                self.silent_watches,
                self.expired_watches,
                self.lagging_watches,
                self.compactions,
                self.stopped_operator,
                self.killed_operator,
                self.rolled_operator,
                self.handed_back,
                self.second_operator,
                self.jumping_clock,
                self.quota,
                self.slow_nodes,
                self.failing_pods,
                self.stuck_pods,
                self.slow_collector,
                self.busy_pods,
                self.locked_pods,
                self.forgetful_policy,
                self.crowd,
            )
        }

    async def strike(self, kind: str) -> None:
        """Let one trouble come, last and go."""
        seconds = self._chance.choice((2.0, 6.0, 9.0, 15.0, LONGEST)) * self._chance.uniform(0.5, 1.0)
        await asyncio.sleep(self._chance.uniform(0.0, 20.0))
        self._world.tell(f"trouble: {kind.replace('_', ' ')} for {seconds:.1f} s")
        what = self.kinds[kind](seconds)
        if asyncio.iscoroutine(what):
            await what

    @contextmanager
    def _weather(self, **brings: object) -> Iterator[None]:
        """Let the weather be otherwise; whatever it was before comes again."""
        weather = self._world.network.weather
        before = {name: getattr(weather, name) for name in brings}
        weather.__dict__.update(brings)
        try:
            yield
        finally:
            weather.__dict__.update(before)

    @contextmanager
    def _policy(self, policy: Policy) -> Iterator[None]:
        """Let a policy judge each request."""
        self._world.server.policies.append(policy)
        try:
            yield
        finally:
            self._world.server.policies.remove(policy)

    async def late(self, seconds: float) -> None:
        """Some requests and answers take seconds."""
        with self._weather(late=self._chance.choice((0.02, 0.1, 0.3))):
            await asyncio.sleep(seconds)

    async def lost(self, seconds: float) -> None:
        """Some requests or answers are lost."""
        with self._weather(lost=self._chance.choice((0.02, 0.1, 0.3))):
            await asyncio.sleep(seconds)

    async def failing(self, seconds: float) -> None:
        """The API server fails now and then."""
        with self._weather(failing=self._chance.choice((0.05, 0.2, 0.5))):
            await asyncio.sleep(seconds)

    async def refusing(self, seconds: float) -> None:
        """Some kinds of write are refused by chance."""
        kinds = self._chance.sample(KINDS, self._chance.randint(1, 3))
        with self._weather(refusing={kind: self._chance.choice((0.05, 0.2, 0.5)) for kind in kinds}):
            await asyncio.sleep(seconds)

    async def denied(self, seconds: float) -> None:
        """A kind of write is refused always, while pods are busy."""
        with self._weather(refusing={self._chance.choice(KINDS): 1.0}):
            await self.busy_pods(seconds)

    async def outage(self, seconds: float) -> None:
        """The API server is away, or answers everything with an error."""
        with self._weather(out=self._chance.choice((0, 429, 500, 503))):
            await asyncio.sleep(seconds)

    async def cut_off(self, seconds: float) -> None:
        """No packet of one operator arrives, nor any at it."""
        process = self._operator()
        if process:
            self._world.tell(f"  {process} is cut off")
            with self._weather(cut_off={process}):
                await asyncio.sleep(seconds)

    async def slow_webhook(self, seconds: float) -> None:
        """A webhook takes its time for each pod of a namespace."""
        hook = {self._chance.choice(self._world.namespaces): self._chance.choice((0.5, 3.0, 12.0, 30.0))}
        with self._weather(hooks=hook):
            await asyncio.sleep(seconds)

    async def torn_watches(self, seconds: float) -> None:
        """Watches are cut."""
        with self._weather(torn=self._chance.choice((0.05, 0.3))):
            await asyncio.sleep(seconds)

    async def silent_watches(self, seconds: float) -> None:
        """Watches say nothing more."""
        with self._weather(silent=True):
            await asyncio.sleep(seconds)

    async def expired_watches(self, seconds: float) -> None:
        """Each watch is answered with 410."""
        with self._weather(expired=True, torn=0.3):
            await self.busy_pods(seconds)

    async def lagging_watches(self, seconds: float) -> None:
        """Watches are behind."""
        with self._weather(lag=self._chance.choice((0.3, 2.0, 8.0))):
            await asyncio.sleep(seconds)

    async def compactions(self, seconds: float) -> None:
        """The store forgets, and watches are cut: they cannot go on where they were."""
        with self._weather(torn=0.2):
            for _ in range(4):
                await asyncio.sleep(seconds / 4)
                self._world.server.store.compact()

    async def stopped_operator(self, seconds: float) -> None:
        """Nothing of one operator runs."""
        processes = [one for one in self._world.operators.running if not one.stopped]
        if processes:
            await self._world.operators.hold_up(self._chance.choice(processes), seconds)

    async def killed_operator(self, seconds: float) -> None:
        """An operator is killed, and started again some time later."""
        if self._world.operators.running:
            self._world.operators.kill(self._chance.choice(self._world.operators.running))
            await asyncio.sleep(min(seconds, 10.0))
            self._world.operators.start()

    async def rolled_operator(self, seconds: float) -> None:
        """An operator is replaced by another one, at times while what it writes is late."""
        running = [one for one in self._world.operators.running if not one.stopped]
        if running:
            self._world.operators.start()
            await asyncio.sleep(min(seconds, 3.0))
            process = self._leader() or self._chance.choice(running)
            if process in self._world.operators.running:
                with self._weather(late=self._chance.choice((0.0, 0.5))):
                    self._world.people.delete_pods()
                    await asyncio.sleep(self._chance.uniform(0.0, 0.02))  # so that something is under way
                    self._world.operators.terminate(process)
                    await asyncio.sleep(3.0)  # so long others need to notice

    async def handed_back(self, _: float) -> None:
        """The leader hangs in a read, another one leads meanwhile, and then the first one again."""
        world, leader = self._world, self._leader()
        others = [one for one in world.operators.running if one is not leader and not one.stopped]
        if leader is None or not others or leader.stopped:
            return
        with self._weather(hanging={leader.name: 33.0}):
            world.people.delete_pods()
            await asyncio.sleep(0.1)
        await world.operators.hold_up(leader, 14.5)
        for _ in range(4):
            world.people.delete_pods()
            await asyncio.sleep(0.3)
        await asyncio.gather(*(world.operators.hold_up(other, 14.0) for other in others))
        await asyncio.sleep(5.0)

    def _leader(self) -> Process | None:
        """Give the operator that has the Lease, if it runs."""
        holders = [lease["spec"].get("holderIdentity") or "" for lease in self._world.server.leases]
        running = self._world.operators.running
        return next((one for one in running for held in holders if held.startswith(f"{one.name}/")), None)

    def second_operator(self, _: float) -> None:
        """There is one operator more."""
        if len(self._world.operators.running) < 3:
            self._world.operators.start()

    async def jumping_clock(self, seconds: float) -> None:
        """An operator's wall clock jumps."""
        if self._world.operators.running:
            process = self._chance.choice(self._world.operators.running)
            step = self._chance.choice(STEPS)
            self._world.tell(f"  the wall clock of {process.name} jumps by {step:g} s")
            process.wall += step
            await asyncio.sleep(seconds)

    async def quota(self, seconds: float) -> None:
        """A namespace may have so many pods, and no more."""
        namespace, most = self._chance.choice(self._world.namespaces), self._chance.randint(0, 6)
        self._world.tell(f"  a quota of {most} pods in {namespace}")

        def full(pod: Obj) -> StatusError | None:
            number = sum(one["metadata"]["namespace"] == namespace for one in self._world.server.pods)
            if pod["metadata"]["namespace"] != namespace or number < most:
                return None
            return StatusError(403, f"exceeded quota: pods={most}", reason="Forbidden")

        self._world.server.registry.admit = full
        await asyncio.sleep(seconds)
        self._world.server.registry.admit = lambda _: None

    async def slow_nodes(self, seconds: float) -> None:
        """Pods start and end slowly."""
        self._world.nodes.slowness = self._chance.choice((0.1, 4.0))
        await asyncio.sleep(seconds)
        self._world.nodes.slowness = 1.0

    async def failing_pods(self, seconds: float) -> None:
        """Pods fail when they have started."""
        self._world.nodes.failing = self._chance.choice((0.3, 1.0))
        await asyncio.sleep(seconds)
        self._world.nodes.failing = 0.0

    async def stuck_pods(self, seconds: float) -> None:
        """Pods that are to end do not."""
        self._world.nodes.stuck = True
        await asyncio.sleep(seconds)
        self._world.nodes.stuck = False

    async def slow_collector(self, seconds: float) -> None:
        """The garbage collector does nothing."""
        self._world.server.collector.stop()
        await asyncio.sleep(seconds)
        self._world.server.collector.start()

    async def busy_pods(self, seconds: float) -> None:
        """Something changes about pods all the time."""
        end = now() + seconds
        while now() < end:
            await asyncio.sleep(self._chance.uniform(0.02, 0.1))
            self._world.people.annotate()

    async def locked_pods(self, seconds: float) -> None:
        """A policy forbids to change or delete some pods."""
        verb, mark = self._chance.choice(("patch", "delete")), self._chance.choice("0123456789")

        def locked(asked: Asked) -> StatusError | None:
            if asked.resource != "pods" or asked.verb != verb or not asked.name:
                return None
            key = asked.namespace, asked.name
            pod = self._world.server.store.get(PODS, key)
            if pod is None or not controller(pod) or pod["metadata"]["uid"][-1] != mark:
                return None
            return StatusError(422, "this pod may not be touched", reason="Invalid")

        with self._policy(locked):
            await asyncio.sleep(seconds)

    async def forgetful_policy(self, seconds: float) -> None:
        """A policy takes all annotations off new pods, or the labels that their group does not select by."""

        def forget(pod: Obj) -> Obj:
            metadata = pod["metadata"]
            selected = {name: value for name, value in metadata["labels"].items() if not name.startswith(OURS)}
            return {**pod, "metadata": {**metadata, "annotations": {}} | ({"labels": selected} if labels else {})}

        labels = self._chance.random() < 0.5
        self._world.server.mutations.append(forget)
        await self.busy_pods(seconds)
        self._world.server.mutations.remove(forget)

    async def crowd(self, _: float) -> None:
        """A large group is made while one create in twenty is refused; nothing else may go wrong meanwhile.

        Raises:
            Violation: it takes long. A ReplicaSet of 300 pods takes 15 s.
        """
        world, began = self._world, now()
        group = world.people.make_group(CROWD)

        def sometimes(asked: Asked) -> StatusError | None:
            if asked.key != "create pods" or self._chance.random() > 0.05:
                return None
            return StatusError(403, "the simulation's policy says no, this time", reason="Forbidden")

        with self._policy(sometimes):
            while world.oracle.living(group) < CROWD:
                await asyncio.sleep(0.1)
                if now() > began + CROWD_SECONDS:
                    raise Violation(
                        f"pace: {world.oracle.living(group)} pods of {CROWD} after {CROWD_SECONDS:g} s of which 5 % "
                        "of the creates were refused"
                    )
        self._world.tell(f"  the crowd is complete after {now() - began:.1f} s")
        world.people.scale_to(group, 3)

    def _operator(self) -> str:
        running = self._world.operators.running
        return self._chance.choice(running).name if running else ""

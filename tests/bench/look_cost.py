"""`make look-cost`: what one look at a group costs, as a Markdown table.

It is the processor time of one look by the operator's own reconciler and caches, without a network and without the
reading of events: when nothing is to be done, when one lost pod is to be replaced, when victims are to be chosen, and
in the middle of a rollout whose new pods have yet to start.
The least of several looks counts, for what else the machine does only ever adds to it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.yes_server import GROUP, NAMESPACE, SPEC, YesServer
from podgroup_operator.api.wire.pod import read_pod
from podgroup_operator.api.writer import Unlimited, Writes
from podgroup_operator.observe.groups import GroupStore
from podgroup_operator.observe.pods import PodStore
from podgroup_operator.observe.revisions import RevisionStore
from podgroup_operator.reconcile import Reconciler
from podgroup_operator.tell.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from podgroup_operator.core.model.pod import Pod

SIZES = (10, 1000, 10_000)
BARE = (1000, 20_000)
MOST_VICTIMS = 500
LOOKS = 7  # of each kind
LONGEST_PAUSE = 0.3
"""Seconds; a status is held back for a quarter, a deadline is minutes away."""

SETTLED = 100  # looks after which a group that still changes something never stops

HEAD = """\
| | nothing to do | one heal | a scale-in, by half or 500 | in mid-rollout |
|---|--:|--:|--:|--:|
"""


class Scene:
    """One group, and bare pods beside it that match nothing; after each look the caches hear of what has happened.

    Attributes:
        server: which has them.
    """

    def __init__(self) -> None:
        self.server = YesServer()
        self._groups = GroupStore()
        self._pods = PodStore(self._concerns_us, time.time)
        writes = Writes(self.server, Unlimited())
        recorder = Recorder(writes, self._pods.memories, "look-cost")
        revisions = RevisionStore()
        revisions.replace("", [], 0)
        self._reconciler = Reconciler(self.server, writes, self._groups, self._pods, recorder, revisions=revisions)
        self._heard: dict[str, Any] = {}

    def _concerns_us(self, pod: Pod, _urgent: bool) -> bool:  # noqa: FBT001 - as the cache calls it
        return bool(list(self._groups.concerned(pod)))

    def add_bare_pods(self, number: int) -> None:
        """Make pods that nobody controls."""
        for each in range(number):
            self.server.make({"metadata": {"name": f"job-{each}", "labels": {"run": str(each)}}, "spec": SPEC})

    async def scale(self, replicas: int) -> float:
        """Ask for so many pods; when there are, return what the first look at that has cost."""
        self.server.scale(replicas)
        self._groups.see(self.server.group)
        return await self._look_and_settle()

    async def heal(self) -> float:
        """Lose a pod; when it is replaced, return what the look has cost that did it."""
        name = next(name for name in self.server.pods if name.startswith(f"{GROUP}-"))
        dying = read_pod(self.server.dying(name))
        assert dying
        self._pods.upsert(dying)
        return await self._look_and_settle()

    async def idle(self) -> float:
        """Return what a look costs that finds nothing to do."""
        return await self._look_and_settle()

    async def roll(self) -> float:
        """Change the template; when all has been done that can be while no new pod starts, return what a look costs."""
        self.server.slow = True
        self.server.change("example.com/web:2")
        for _ in range(SETTLED):
            self._hear()
            before = self.server.version
            await self._reconciler.reconcile((NAMESPACE, GROUP))
            if before == self.server.version:
                return min([await self._cost() for _ in range(LOOKS)])
        message = f"The rollout still goes on after {SETTLED} looks."
        raise AssertionError(message)

    async def _cost(self) -> float:
        """Look; return the milliseconds of processor time that this has cost."""
        gc.collect()
        began = time.process_time()
        await self._reconciler.reconcile((NAMESPACE, GROUP))
        return (time.process_time() - began) * 1000

    async def _look_and_settle(self) -> float:
        """Look; when nothing is left to do, return the milliseconds of processor time that this look has cost."""
        cost = await self._cost()
        await self._settle()
        return cost

    async def _settle(self) -> None:
        """Hear and look until nothing changes any more."""
        for _ in range(SETTLED):
            self._hear()
            before = self.server.version, len(self.server.pods)
            pause = await self._reconciler.reconcile((NAMESPACE, GROUP))
            if pause is None and before == (self.server.version, len(self.server.pods)):
                return
            await asyncio.sleep(min(pause or 0, LONGEST_PAUSE))  # what is waited for longer is news, and heard here
        message = f"The group still changes something after {SETTLED} looks."
        raise AssertionError(message)

    def _hear(self) -> None:
        """Bring the caches up to date, as the watches do."""
        self._groups.see(self.server.group)
        now = {pod["metadata"]["uid"]: pod for pod in self.server.pods.values()}
        for uid in self._heard.keys() - now.keys():
            self._pods.remove(uid)
        for uid in now.keys() - self._heard.keys():
            pod = read_pod(now[uid])
            assert pod
            self._pods.upsert(pod)
        self._pods.reached("", self.server.version)
        self._heard = now


async def costs(replicas: int, bare: int) -> tuple[float, ...]:
    """Measure looks at a group of so many pods beside so many bare ones; see `HEAD` for which."""
    scene = Scene()
    scene.add_bare_pods(bare)
    await scene.scale(replicas)
    idle = min([await scene.idle() for _ in range(LOOKS)])
    heal = min([await scene.heal() for _ in range(LOOKS)])
    scale_ins = []
    for _ in range(LOOKS):
        scale_ins.append(await scene.scale(replicas - min((replicas + 1) // 2, MOST_VICTIMS)))
        await scene.scale(replicas)
    return idle, heal, min(scale_ins), await scene.roll()


def rows() -> Iterator[tuple[str, Iterable[float]]]:
    """Measure all that is in the table, row by row."""
    for replicas in SIZES:
        yield f"{replicas:,} pods", asyncio.run(costs(replicas, 0))
    for bare in BARE:
        yield f"3 pods beside {bare:,} bare ones", asyncio.run(costs(3, bare))


def main() -> None:
    """Print the table."""
    sys.stdout.write(HEAD)
    for what, numbers in rows():
        sys.stdout.write(f"| {what} | " + " | ".join(f"{number:.2f} ms" for number in numbers) + " |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""When the world is quiet again: soon all is as it should be, and then nothing happens any more."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from simulate.kubelet import over
from simulate.oracle import Group, Violation, controller, is_ready, name_of

if TYPE_CHECKING:
    from fakeapi.resources import Obj
    from simulate.simulation import Simulation

STEADY_SECONDS = 75.0
"""Within which all must be well: a dead watch is noticed after 28 s, a pause lasts 20 at most, a Lease 12."""

IDLE_SECONDS = 50.0
"""For which nothing may happen then."""

READS_PER_MINUTE = 45
"""That one idle operator may make; each of its watches begins anew every 20 s."""

SETTLE_SECONDS = 2.0
"""For which all must have been well: what a status tells last it tells within a second."""

POLL = 0.5

TOLD = "observedGeneration", "replicas", "readyReplicas", "availableReplicas", "terminatingReplicas"
"""What of a status is compared with the truth."""


async def become_steady(world: Simulation) -> float:
    """Wait until all is well; give how long that took.

    Raises:
        Violation: it does not become well.
    """
    began = well_since = asyncio.get_running_loop().time()
    while True:
        wrong, now = unsteady(world), asyncio.get_running_loop().time()
        took = now - began
        if wrong:
            well_since = now
        elif now - well_since >= SETTLE_SECONDS:
            return well_since - began
        if took > STEADY_SECONDS:
            raise Violation(f"convergence: {took:.0f} s after the last trouble {'; '.join(wrong)}")
        await asyncio.sleep(POLL)


async def stay_idle(world: Simulation) -> None:
    """See that all stays well without any write, and with few reads.

    Raises:
        Violation: it does not.
    """
    first = len(world.network.requests)
    for _ in range(int(IDLE_SECONDS / POLL)):
        await asyncio.sleep(POLL)
        if wrong := unsteady(world):
            raise Violation(f"stability: after it had been well: {'; '.join(wrong)}")
    asked = world.network.requests[first:]
    # Events that were held back are told one at a time, every ten seconds.
    # That a PodGroup is gone kopf may tell late or not at all; a status that is written to it then is answered 404.
    written = [one for one in asked if one.changes and one.key != "create events" and one.code != 404]
    writes = [f"{one.process.name} {one.key} {one.about}" for one in written]
    if writes:
        raise Violation(f"idleness: {len(writes)} writes while nothing was to do: {', '.join(writes[:5])}")
    most = READS_PER_MINUTE * IDLE_SECONDS / 60 * max(len(world.operators.running), 1)
    reads = Counter(one.key for one in asked if one.verb in {"get", "list", "watch"} and "leases" not in one.key)
    if reads.total() > most:
        raise Violation(f"idleness: {reads} reads while nothing was to do")


def unsteady(world: Simulation) -> list[str]:
    """Tell what is not well."""
    wrong = list(world.operators.failures)
    existing = {group["metadata"]["uid"]: group for group in world.server.groups}
    for group in world.oracle.groups.values():
        body = existing.get(group.uid)
        if body and not body["metadata"].get("deletionTimestamp"):
            wrong += unfinished(world, group, body)
    wrong += [f"{name_of(pod)} is ending" for pod in world.server.pods if pod["metadata"].get("deletionTimestamp")]
    wrong += [
        f"{name_of(pod)} is still there, and its PodGroup is not"
        for pod in world.server.pods
        if controller(pod) in world.oracle.groups and controller(pod) not in existing
    ]
    return wrong


def unfinished(world: Simulation, group: Group, body: Obj) -> list[str]:
    """Tell what is not well with one group."""
    name, living, status = name_of(body), world.oracle.living(group), body.get("status") or {}
    claimable = [pod for pod in world.server.pods if group.could_take(pod) or group.should_free(pod)]
    if claimable:
        return [f"{name}: not taken in, or not set free: {', '.join(map(name_of, claimable))}"]
    if living != group.replicas:
        return [f"{name} has {living} pods of {group.replicas}"]
    pods = [pod for pod in world.server.pods if group.counts(pod)]
    ready = sum(is_ready(pod) for pod in pods)
    image = group.template["spec"]["containers"][0]["image"]
    new = sum(pod["spec"]["containers"][0]["image"] == image for pod in pods)
    if min(ready, new) < living:
        return [f"{name}: of {living} pods {ready} are ready and {new} of its template"]
    told = tuple(status.get(field, 0) for field in TOLD)
    true = body["metadata"]["generation"], living, ready, ready, 0
    if told != true:
        return [f"{name}: the status tells {told}, and {true} is true"]
    ended = [pod for pod in world.server.pods if controller(pod) == group.uid and over(pod) and group.matches(pod)]
    limit = body["spec"]["healing"]["failedPodsHistoryLimit"]
    if len(ended) > limit:
        return [f"{name} keeps {len(ended)} finished pods, not {limit}"]
    stalled = [
        each for each in status.get("conditions") or () if each["type"] == "Stalled" and each["status"] == "True"
    ]
    return [f"{name} is Stalled: {each['message']}" for each in stalled]

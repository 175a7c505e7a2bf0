"""Moments: when something was seen to happen to a pod, by our own clock, and what is kept of the times that are said.

Only the stream shows when something happens: that a list has a pod, or has it finished, was so at some time before.
"""

from dataclasses import replace
from typing import Any

from podgroup_operator.core.model.pod import Pod

SAID = ("created", "deleted", "scheduled", "ready_since", "finished", "lost_at")
SEEN = ("created_seen", "deleted_seen", "scheduled_seen", "ready_seen", "finished_seen")
TIMES = SAID + SEEN
NOT_YET = (None, "")


def not_after(pod: Pod, now: float) -> Pod:
    """Give a pod of which no time lies in the future."""
    late: dict[str, Any] = {name: now for name in TIMES if (getattr(pod, name) or 0.0) > now}
    return replace(pod, **late) if late else pod


def bounded(record: Pod, before: Pod | None, now: float) -> dict[str, Any]:
    """Give the times of a pod that are said to lie in the future as they may be at most."""
    changes: dict[str, Any] = {}
    for name in SAID:
        value, known = getattr(record, name), getattr(before, name) if before else None
        if value is not None and value > now:
            changes[name] = now if known is None else min(known, now)
    return changes


def once(record: Pod, before: Pod) -> dict[str, Any]:
    """Keep when something happened that happens once, whatever is said of it later."""
    times = ((name, getattr(record, name), getattr(before, name)) for name in ("deleted", "finished"))
    return {name: min(said, known) for name, said, known in times if said is not None and known is not None}


def sightings(record: Pod, before: Pod | None, now: float | None, *, born: bool) -> dict[str, Any]:
    """Give when a pod was seen to come into being, to get its node, to be asked to go, and to come to its end.

    Args:
        record: the pod.
        before: as it was known; None if it was not.
        now: the time by our own clock; None if a list tells of the pod.
        born: whether it comes into being just now.
    """
    fresh = now if before or born else None  # of a pod that we come to know in the middle of its life nothing is news
    seen = {"created_seen": before.created_seen if before else fresh}
    for name, moment in (("node", "scheduled_seen"), ("deleted", "deleted_seen"), ("finished", "finished_seen")):
        if getattr(record, name) not in NOT_YET:
            known = before is not None and getattr(before, name) not in NOT_YET
            seen[moment] = getattr(before, moment) if known else fresh
    return {name: time for name, time in seen.items() if time is not None}


def readiness(record: Pod, before: Pod, now: float) -> dict[str, Any]:
    """Give when a pod was seen to become Ready, and keep that where its node says a later time: its clock is ahead."""
    if record.ready_since is None:
        return {}
    if before.ready_since is None:
        return {"ready_seen": now}
    ahead = before.ready_since == before.ready_seen and record.ready_since > before.ready_since
    return {"ready_seen": before.ready_seen} | ({"ready_since": before.ready_since} if ahead else {})

"""Signs of sickness: since when each is seen, by our own clock, and what one state of a pod leaves to the next."""

from dataclasses import replace

from podgroup_operator.core.crash_loop import LONG_RUN, STEADY
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.signs import Loop, Signs


def dated(record: Pod, before: Pod | None, now: float) -> Signs | None:
    """Give the signs of a pod with the moments from which on they have been seen.

    Args:
        record: the pod; of its signs each that is there has some moment.
        before: as it was known; None if it was not.
        now: by our own clock.
    """
    new, old = record.signs or Signs(), (before.signs if before else None) or Signs()
    was_ready = 0.0
    if before and before.ready_since is not None and record.ready_since is None:
        was_ready = now - (before.ready_since if before.ready_seen is None else before.ready_seen)
    ceased = new.unready is not None or (before is not None and before.ready_since is not None)
    signs = Signs(
        unstarted=None if new.unstarted is None else first(old.unstarted, now),
        unready=first(old.unready, now) if record.ready_since is None and (ceased or old.unready is not None) else None,
        well=old.well or was_ready >= STEADY,
        waits_for=new.waits_for,
        loop=followed(new.loop, before, was_ready, now) if new.loop else None,
    )
    return None if signs == Signs() else signs


def first(known: float | None, now: float) -> float:
    """Give since when something has been seen."""
    return now if known is None else known


def followed(loop: Loop, before: Pod | None, was_ready: float, now: float) -> Loop:
    """Go on with what is known of a container that was restarted.

    Of one that we come to know in the middle of its life one crash is proved, its last.
    """
    known = before.signs.loop if before and before.signs else None
    if known is None or known.container != loop.container:
        watched = before is not None and known is None
        known = replace(loop, waits=False, ended=0.0, before=0 if watched else max(loop.restarts - 1, 0))
    if loop.ended != known.ended and loop.ran >= LONG_RUN:
        known = replace(known, before=loop.restarts, since=None, well=0.0)
    elif was_ready >= max(known.well, STEADY):
        known = replace(known, well=was_ready, well_before=loop.restarts, well_since=now)
    since = first(known.since, now) if loop.waits else known.since
    up = None if loop.waits or since is None else first(known.up, now)
    return replace(
        known,
        restarts=loop.restarts,
        ran=loop.ran,
        ended=loop.ended,
        seen=loop.seen,
        waits=loop.waits,
        since=since,
        up=up,
    )


def moved(pod: Pod, seconds: float) -> Pod:
    """Give a pod whose signs were all seen so many seconds later: our clock was set."""
    if pod.signs is None:
        return pod
    loop = pod.signs.loop
    if loop:
        since, up = later(loop.since, seconds), later(loop.up, seconds)
        loop = replace(loop, since=since, up=up, well_since=loop.well_since + seconds)
    unstarted, unready = later(pod.signs.unstarted, seconds), later(pod.signs.unready, seconds)
    return replace(pod, signs=replace(pod.signs, unstarted=unstarted, unready=unready, loop=loop))


def later(moment: float | None, seconds: float) -> float | None:
    """Move a moment, if there is one."""
    return None if moment is None else moment + seconds

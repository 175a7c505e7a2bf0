"""Signs of sickness: since when each is seen, by our own clock, and what one state of a pod leaves to the next."""

import math
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
    new, old = record.signs or Signs(), remembered(record, before)
    was_ready = 0.0
    if before and before.ready_since is not None and record.ready_since is None:
        was_ready = now - (before.ready_since if before.ready_seen is None else before.ready_seen)
    ceased = new.unready is not None or (before is not None and before.ready_since is not None)
    loops = [followed(each, known_of(each, old, before), was_ready, now) for each in new.loops]
    signs = Signs(
        unstarted=None if new.unstarted is None else first(old.unstarted, now),
        unready=first(old.unready, now) if record.ready_since is None and (ceased or old.unready is not None) else None,
        well=max(old.well, was_ready if was_ready >= STEADY else 0.0),
        waits_for=new.waits_for,
        loop=loops[0] if loops else None,
        others=tuple(loops[1:]),
    )
    return None if signs == Signs() else signs


def first(known: float | None, now: float) -> float:
    """Give since when something has been seen."""
    return now if known is None else known


def remembered(record: Pod, before: Pod | None) -> Signs:
    """Give what was seen of a pod before; what ailed it as one of another revision is no matter any more."""
    if before is None:
        return Signs()
    if before.revision == record.revision:
        return before.signs or Signs()
    loops = [begun(each, each.restarts) for each in (record.signs.loops if record.signs else ())]
    return Signs(well=math.inf, loop=loops[0] if loops else None, others=tuple(loops[1:]))


def known_of(loop: Loop, old: Signs, before: Pod | None) -> Loop:
    """Give what is known of a container.

    Of one of which nothing is, one crash is proved, its last, and as many as the pod had none of when it was seen last.
    """
    known = next((each for each in old.loops if each.container == loop.container), None)
    proved = max(loop.restarts - 1, 0)
    return known or begun(loop, min(proved, max(before.restarts)) if before else proved)


def begun(loop: Loop, before: int) -> Loop:
    """Begin to follow a container; so many of its restarts were before."""
    return replace(loop, waits=False, ended=0.0, before=before)


def followed(loop: Loop, known: Loop, was_ready: float, now: float) -> Loop:
    """Go on with what is known of a container that was restarted."""
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
    signs = pod.signs
    return replace(
        pod,
        signs=replace(
            signs,
            unstarted=later(signs.unstarted, seconds),
            unready=later(signs.unready, seconds),
            loop=loop_later(signs.loop, seconds) if signs.loop else None,
            others=tuple(loop_later(each, seconds) for each in signs.others),
        ),
    )


def loop_later(loop: Loop, seconds: float) -> Loop:
    """Give a loop that was seen so many seconds later."""
    since, up = later(loop.since, seconds), later(loop.up, seconds)
    return replace(loop, since=since, up=up, well_since=loop.well_since + seconds)


def later(moment: float | None, seconds: float) -> float | None:
    """Move a moment, if there is one."""
    return None if moment is None else moment + seconds

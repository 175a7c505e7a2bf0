"""Times: when a pod came, was asked to go and ended, by our own clock where that was seen, else as it is said.

What is said is by the clocks of API servers and of nodes. Where ours is ahead of them, a pause that is counted from
what they say is over before it has begun, and pods that fail at birth are made as fast as they fail (kubernetes#29229).
After a restart nothing has been seen, and what is said counts: that costs a few tries.
"""

from podgroup_operator.core.model.pod import Pod


def birth_of(pod: Pod) -> float:
    """Give when a pod came into being."""
    return pod.created if pod.created_seen is None else pod.created_seen


def deletion_of(pod: Pod) -> float | None:
    """Give when a pod was asked to go; None while nobody did."""
    return pod.deleted if pod.deleted_seen is None else pod.deleted_seen


def finish_of(pod: Pod) -> float:
    """Give when a finished pod came to its end."""
    if pod.finished_seen is not None:
        return pod.finished_seen
    return birth_of(pod) if pod.finished is None else pod.finished


def life_until_finish(pod: Pod) -> float:
    """Give for how many seconds a finished pod lived, by what is said or by what was seen: whichever is shorter."""
    said = 0.0 if pod.finished is None else pod.finished - pod.created
    return shorter(said, pod.created_seen, pod.finished_seen)


def life_until_deletion(pod: Pod) -> float | None:
    """Give for how many seconds a pod had lived when it was asked to go, likewise; None while nobody did."""
    return None if pod.deleted is None else shorter(pod.deleted - pod.created, pod.created_seen, pod.deleted_seen)


def shorter(said: float, born: float | None, ended: float | None) -> float:
    """Give the shorter of a time that is said and one that was seen, if it was."""
    return said if born is None or ended is None else min(said, ended - born)

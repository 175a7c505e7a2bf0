"""Losses as they happen: what became of a pod is noted when it is heard of, and by which clock."""

from dataclasses import replace

from podgroup_operator.core.backoff import failed_early
from podgroup_operator.core.classify import cause_of_loss
from podgroup_operator.core.losses import asked_loss, seen_of
from podgroup_operator.core.model.actions import Why
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.observe.memory import Memory


def shifted(loss: Loss, seconds: float) -> Loss:
    """Let nothing that is told of a loss have lasted any longer since our clock was set by so many seconds."""
    ailed = (loss.ailed[0] + seconds, loss.ailed[1] + seconds) if loss.ailed else None
    wait = replace(loss.wait, since=loss.wait.since + seconds) if loss.wait else None
    return replace(loss, ailed=ailed, wait=wait, skew=loss.skew + seconds)


def not_later(loss: Loss, now: float) -> Loss:
    """Give a loss that does not lie in the future."""
    at = min(loss.at, now)
    return replace(loss, at=at, skew=loss.skew + loss.at - at)


def note_loss(memory: Memory, before: Pod, after: Pod | None, now: float) -> bool:
    """Note a loss, if it is one; tell whether there is anything for the group to do."""
    cause, early = cause_of_loss(before, after), after is not None and failed_early(after)
    removed = memory.written.leaving.get(before.uid)
    if after is None:
        memory.written.leaving.pop(before.uid, None)
    if cause and removed and removed.why is Why.ASKED and not memory.seen.is_replaced(before):
        memory.seen.lose(asked_loss(before, now))
    if not cause or (removed and not removed.loss):
        return False
    if removed and removed.loss:  # what we took away because it ailed
        memory.seen.lose(replace(removed.loss, at=now))
        return True
    seen = seen_of(after) if after else ""
    memory.seen.lose(replace(Loss.of(before, cause, now), early=early, seen=seen))
    return True

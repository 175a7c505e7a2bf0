"""The record of replacements: what is kept in the status of each, and what of the last ones.

The status is written anyway when a pod is replaced, so that the record costs no request; it is small, and outlives the
operator. More of a heal stands in the annotations of the pod that was made.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.status import Heal, Healing
from podgroup_operator.core.view import View

KEPT = 10
"""So many of the last heals are kept."""


def healing(previous: Healing, view: View, created: Sequence[Create], now: float) -> Healing:
    """Carry the record of replacements on: those made now, and how long the last ones took to be Ready."""
    heals = [(create, create.heals) for create in created if create.heals]
    if heals:
        create, loss = heals[-1]
        counts = Counter(dict(previous.by_cause)) + Counter(lost.cause.value for _, lost in heals)
        previous = replace(
            previous,
            total=previous.total + len(heals),
            last_time=now,
            last_cause=loss.cause.value,
            last_pod=loss.pod,
            last_replacement=create.name,
            last_recovery_seconds=None,
            by_cause=tuple(sorted(counts.items())),
            recent=(*reversed(list(in_short(created, now))), *previous.recent)[:KEPT],
        )
    if any(heal.ready is None for heal in previous.recent):
        recent = tuple(measured(heal, view.active) for heal in previous.recent)
        previous = replace(previous, recent=recent) if recent != previous.recent else previous
    if previous.last_recovery_seconds is None and previous.last_replacement:
        return replace(previous, last_recovery_seconds=recovery(previous.last_replacement, view.active))
    return previous  # measured once: when the pod becomes Ready again some day, that is no recovery


def in_short(created: Iterable[Create], now: float) -> Iterable[Heal]:
    """Give what is kept of the replacements among some creates."""
    for create in created:
        if loss := create.heals:
            took = round(max(now - loss.at, 0.0), 3)
            yield Heal(create.number, loss.cause.value, loss.pod, loss.node, loss.seen, create.name, loss.at, took)


def measured(heal: Heal, active: tuple[Pod, ...]) -> Heal:
    """Note when the replacement was Ready, if it is and that is not known yet."""
    return heal if heal.ready is not None else replace(heal, ready=recovery(heal.replacement, active))


def next_number(view: View) -> int:
    """Give the number of the next heal: one more than any that is known, in the status or on a pod.

    What a person writes on a pod may be any number, and only makes a gap.
    """
    told = view.observed.status.healing
    known = [told.total, *(heal.number for heal in told.recent), *(pod.heal for pod in view.members)]
    return max(known) + 1


def recovery(replacement: str, active: tuple[Pod, ...]) -> float | None:
    """Measure the seconds from a loss until its replacement was Ready; None while it is not.

    The moment at which it was seen to become Ready is exact; the API's own time has whole seconds.
    """
    for pod in active:
        if pod.name == replacement and pod.lost_at is not None and pod.ready_since is not None:
            ready = pod.ready_since if pod.ready_seen is None else pod.ready_seen
            return round(max(ready - pod.lost_at, 0.0), 3)
    return None

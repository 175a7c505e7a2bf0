"""The record of replacements: what is known of each when it is decided, and what the status keeps of the last ones.

What was seen, and how long anything waited, is in the body of the create; when the replacement got its node and was
Ready goes into the status, which is written anyway. So the record costs no request, an idle group none at all, and all
of it outlives the operator.

A heal has five stages that add up to the whole, from the first sign of what ailed the pod until its replacement was
Ready: noticed, decided, created, scheduled, ready. They are told apart by when we heard of each; where nobody was
listening the API's own times are taken, which have whole seconds (`approximate`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from statistics import median

from podgroup_operator.core.model.actions import Create, Evidence
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.status import Heal, Healing
from podgroup_operator.core.view import View

KEPT = 10
"""So many of the last heals are kept."""

FEWEST = 3
"""So many earlier heals of the same cause must be known to call one unusual."""

LAST_NUMBER = 10**12
"""No group heals so often; who writes a greater number on a pod would have us count beyond what the API holds."""

UNUSUAL = 4.0
"""Times their median; and one that took less than a second is never unusual."""


def evidence(view: View, loss: Loss, number: int) -> Evidence:
    """Say what is known of a heal that is decided now."""
    began, due = loss.known
    decided = max(view.now - due, 0.0)
    waited = min(max(view.now - loss.wait.since, 0.0), decided) if loss.wait else 0.0
    return Evidence(
        number=number,
        noticed=round(max(due - began, 0.0), 3),
        decided=round(decided, 3),
        waited=round(waited, 3),
        waited_for=loss.wait.what if loss.wait and waited else "",
    )


def told(view: View, create: Create, numbers: Iterator[int]) -> Create:
    """Say of a create that is a heal what is known of that, by the next number."""
    loss = create.heals
    return replace(create, evidence=evidence(view, loss, next(numbers))) if loss else create


def next_number(view: View) -> int:
    """Give the number of the next heal: one more than any that is known, in the status or on a pod.

    What a person writes on a pod may be any number, and only makes a gap.
    """
    before = view.observed.status.healing
    known = [before.total, *(heal.number for heal in before.recent), *(pod.heal for pod in view.members)]
    return max((number for number in known if number < LAST_NUMBER), default=0) + 1


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
            recent=(*islice(in_short(reversed(created), now), KEPT), *previous.recent)[:KEPT],
        )
    if any(heal.ready is None for heal in previous.recent):
        previous = replace(previous, recent=measured_anew(previous.recent, view.active))
    if previous.last_recovery_seconds is None and previous.last_replacement:
        return replace(previous, last_recovery_seconds=recovery(previous.last_replacement, view.active))
    return previous  # measured once: when the pod becomes Ready again some day, that is no recovery


def in_short(created: Iterable[Create], now: float) -> Iterable[Heal]:
    """Give what is kept of the replacements among some creates, which were made just now."""
    for create in created:
        if loss := create.heals:
            found = create.evidence or Evidence(0)
            began, _ = loss.known
            rest = max(now - began - found.noticed - found.decided, 0.0)
            yield Heal(
                number=found.number,
                cause=loss.cause.value,
                pod=loss.pod,
                node=loss.node,
                seen=loss.seen,
                attempt=loss.attempt,
                replacement=create.name,
                lost=loss.at,
                began=began,
                noticed=found.noticed,
                decided=found.decided,
                waited=found.waited,
                waited_for=found.waited_for,
                created=round(rest if create.took is None else create.took, 3),
            )


def measured_anew(recent: Sequence[Heal], active: Iterable[Pod]) -> tuple[Heal, ...]:
    """Note of the last heals which replacements are Ready by now, and whether that took unusually long."""
    pods = heirs_of(recent, active)
    known = [measured(heal, pods) for heal in recent]
    return tuple(
        replace(heal, unusual=unusual(heal, known[rank + 1 :])) if heal is not recent[rank] else heal
        for rank, heal in enumerate(known)
    )


def heirs_of(heals: Iterable[Heal], active: Iterable[Pod]) -> dict[str, Pod]:
    """Give the replacements that are there, and of which it is not known yet when they were Ready, by name."""
    waiting = {heal.replacement for heal in heals if heal.ready is None}
    return {pod.name: pod for pod in active if pod.name in waiting}


def measured(heal: Heal, pods: Mapping[str, Pod]) -> Heal:
    """Note when the replacement got its node and when it was Ready, if it is and that is not known yet."""
    pod = pods.get(heal.replacement)
    if heal.ready is not None or pod is None or pod.ready_since is None:
        return heal
    made = heal.noticed + heal.decided + heal.created
    ready, seen = moment(pod.ready_seen, pod.ready_since)
    bound, heard = moment(pod.scheduled_seen, pod.scheduled)
    whole = round(max(ready - heal.began, made), 3)
    scheduled = round(min(max(bound - heal.began, made), whole) - made, 3)
    return replace(
        heal,
        replacement_node=pod.node,
        scheduled=scheduled,
        ready=round(max(whole - made - scheduled, 0.0), 3),
        approximate=not (seen and heard),
    )


def moment(seen: float | None, said: float | None) -> tuple[float, bool]:
    """Give when something happened, and whether it was seen; what nobody can tell was long ago."""
    return (said or 0.0, False) if seen is None else (seen, True)


def unusual(heal: Heal, earlier: Iterable[Heal]) -> float | None:
    """Tell how many times as long as those before it of the same cause a heal took, if that is worth a word."""
    if heal.recovery is None:
        return None
    others = [each.recovery for each in earlier if each.cause == heal.cause and each.recovery is not None]
    usual = median(others) if len(others) >= FEWEST else 0.0
    times = heal.recovery / usual if usual > 0 and heal.recovery >= 1.0 else 0.0
    return round(times, 1) if times >= UNUSUAL else None


def recovery(replacement: str, active: tuple[Pod, ...]) -> float | None:
    """Measure the seconds from a loss until its replacement was Ready; None while it is not.

    The moment at which it was seen to become Ready is exact; the API's own time has whole seconds.
    """
    for pod in active:
        if pod.name == replacement and pod.lost_at is not None and pod.ready_since is not None:
            return round(max(moment(pod.ready_seen, pod.ready_since)[0] - pod.lost_at, 0.0), 3)
    return None

"""Heals told: one Event each, or one for all of a look where they are many, and how long their stages took."""

import logging
from collections import Counter
from collections.abc import Sequence
from statistics import quantiles

from podgroup_operator import metrics
from podgroup_operator.core import names
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.status import Heal
from podgroup_operator.core.record import heirs_of, in_short, measured
from podgroup_operator.core.view import View
from podgroup_operator.observe.told import Told
from podgroup_operator.tell.recorder import Recorder

logger = logging.getLogger(__name__)

MOST = 20
"""So many heals of one look are told one by one."""


def announce_heals(desired: Desired, created: Sequence[Create], recorder: Recorder, now: float) -> None:
    """Tell which lost pods have been replaced, why each was lost and how long that took."""
    heals = [(create, create.heals, max(now - create.heals.at, 0.0)) for create in created if create.heals]
    for _, loss, seconds in heals:
        metrics.heals.labels(loss.cause.value).inc()
        if loss.pod:
            metrics.heal_seconds.labels(loss.cause.value).observe(seconds)
    if len(heals) > MOST:
        note = in_mass([(loss, seconds) for _, loss, seconds in heals])
        recorder.record(desired, "Normal", names.REASON_HEALED, note)
        logger.info("group=%s/%s %s", desired.namespace, desired.name, note)
        return
    for create, loss, seconds in heals:
        note, number = in_words(create, loss, seconds), create.evidence.number if create.evidence else 0
        recorder.record(desired, "Normal", names.REASON_HEALED, note)
        logger.info("group=%s/%s heal=%d %s", desired.namespace, desired.name, number, note)


def in_words(create: Create, loss: Loss, seconds: float) -> str:
    """Tell one heal."""
    where = f" on {loss.node}" if loss.node else ""
    seen = f": {loss.seen}" if loss.seen else ""
    return f"{create.name} replaced {loss.pod or '(unknown)'} ({loss.cause.value}{where}{seen}) in {seconds:.3f} s"


def in_mass(heals: Sequence[tuple[Loss, float]]) -> str:
    """Tell many heals in one sentence."""
    counts = Counter(loss.cause.value for loss, _ in heals)
    causes = ", ".join(f"{number} {cause}" for cause, number in counts.most_common())
    times = sorted(seconds for _, seconds in heals)
    half, most = (quantiles(times, n=100, method="inclusive")[which - 1] for which in (50, 95))
    return (
        f"Replaced {len(heals)} pods ({causes}); from loss to replacement p50 {half:.3f} s, p95 {most:.3f} s, "
        f"longest {times[-1]:.3f} s"
    )


def measure_recoveries(view: View, created: Sequence[Create], told: Told, now: float) -> None:
    """Note of each replacement that has become Ready how long each stage of its heal took."""
    made = {heal.replacement: heal for heal in in_short(created, now)}
    if not made and not told.recovering:
        return
    heals, left = told.recovering | made, dict[str, Heal]()
    pods = heirs_of(heals.values(), view.active)
    for name, heal in heals.items():
        done = measured(heal, pods)
        if done.ready is not None and not done.approximate:
            observe(done)
        elif done.ready is None and (name in pods or name in made):
            left[name] = heal
    told.recovering = left


def observe(heal: Heal) -> None:
    """Note how long each stage of a heal took."""
    for stage in ("noticed", "decided", "created", "scheduled", "ready"):
        metrics.recovery_seconds.labels(heal.cause, stage).observe(getattr(heal, stage))

"""The course of a rollout: how far it has come, whether it is complete, and whether it has missed its deadline.

Progress is Deployment's (DeploymentProgressing, k8s.io/kubernetes pkg/controller/deployment/util/deployment_util.go),
but counted within one rollout: more pods of the new revision than ever, more of them available than ever, or one of
the others taken away for it. That a lost pod is replaced is none. The deadline's clock stops while what is missing
waits for something else than the new pods: a quota or a permission, room on a node, an API server that fails. It does
not run while nothing is to be rolled, and begins anew when that ends: a rollout that is resumed, or whose `partition`
is lowered a day later, has all its time. A deadline that was missed stays so until something goes on.

All of it is kept in `status.rollout`, for a restart must not begin a deadline anew.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

from podgroup_operator.core.apart import corpses_of
from podgroup_operator.core.model.actions import Remove, Why
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.status import Rollout
from podgroup_operator.core.model.strategy import StrategyType
from podgroup_operator.core.times import birth_of
from podgroup_operator.core.view import Tally, View

CLOCK = 10.0
"""Seconds; a pod that has waited so long for a node waits for room: each new one is without a node for a moment.

Where the whole deadline is less than twice as long, half of it."""

TAKEOVER = 60.0
"""Seconds that are left to a rollout at least when an operator begins to look at it."""

GOES_ON = "ReplicaSetUpdated"
COMPLETE = "NewReplicaSetAvailable"
MISSED = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
HELD = "HeldSinceUpgrade"
AT_REST = (COMPLETE, PAUSED, HELD)
"""Reasons of the condition Progressing, in Deployment's words; with the last three there is nothing to wait for."""


def advance(view: View, tally: Tally, removed: Iterable[Remove], now: float) -> Rollout:
    """Carry the course of the rollout on.

    Args:
        view: what was there when the plan was made.
        tally: what is there after it.
        removed: what was taken away.
        now: seconds since the epoch.
    """
    desired, before = view.desired, not_after(view.observed.status.rollout, now)
    if desired.held:
        return before
    if before.rolled_back_from != desired.update_revision:  # the template has changed since, perhaps to the good one
        before = replace(before, rolled_back_from="")
    if before.revision != desired.revision:
        before = Rollout(desired.revision, now, now, rolled_back_from=before.rolled_back_from)
    first = before.first_available
    if first is None and tally.updated_available:
        first = now
    after = replace(
        before,
        updated_most=max(before.updated_most, tally.updated),
        available_most=max(before.available_most, tally.updated_available),
        first_available=first,
    )
    fewer = any(each.why is Why.OUTDATED for each in removed)
    if after != before or fewer or (not is_at_rest(view, tally) and begins_anew(view, before, now)):
        return replace(after, last_progress=now)
    return replace(after, rolled_back_from=desired.revision) if goes_back(view, tally, after, now) else after


def not_after(rollout: Rollout, now: float) -> Rollout:
    """Let no time of a rollout lie in the future: the clock was set back, or another operator's was ahead."""
    start, progress = min(rollout.start, now), min(rollout.last_progress, now)
    return replace(rollout, start=start, last_progress=progress)


def goes_back(view: View, tally: Tally, rollout: Rollout, now: float) -> bool:
    """Tell whether the pods return to the revision that was available last: the deadline is missed, and that is asked.

    The spec is not rewritten; the same revision is not tried again until the template changes.
    """
    desired, last = view.desired, view.observed.status.last_available_revision
    asked = desired.rollback_on_deadline and desired.revision == desired.update_revision
    possible = last in view.observed.templates and last != desired.revision
    return asked and possible and not is_at_rest(view, tally) and now >= deadline(view, rollout)


def begins_anew(view: View, before: Rollout, now: float) -> bool:
    """Tell whether the deadline's clock begins anew though nothing has gone on."""
    told = told_reason(view)
    return told in AT_REST or (told != MISSED and is_excused(view) and now - before.last_progress >= tick(view.desired))


def tick(desired: Desired) -> float:
    """Give the seconds after which it is written down again that a deadline's clock stands still.

    That is a tenth of the deadline, which is what may be lost of it when the clock goes on; to write it down at each
    look, or every few seconds, for hours, would cost the API server more than it is worth.
    """
    return max(clock(desired), (desired.progress_deadline_seconds or 0) / 10)


def clock(desired: Desired) -> float:
    """Give the seconds after which what holds a rollout up is taken into account: before its deadline in any case."""
    return min(CLOCK, (desired.progress_deadline_seconds or 0) / 2)


def is_excused(view: View) -> bool:
    """Tell whether a rollout that has a deadline waits for something else than its new pods."""
    if view.desired.progress_deadline_seconds is None:
        return False
    refused = any(view.observed.waits(lane) for lane in (Lane.CREATE, Lane.SURGE, Lane.REMOVE, Lane.CHANGE))
    return refused or bool(view.captive) or any(time <= view.now for time in roomless_from(view))


def roomless_from(view: View) -> list[float]:
    """Give from when on each new pod that has no node yet waits for room."""
    unplaced = (pod for pod in view.active if pod.revision == view.desired.revision and not pod.node)
    return [birth_of(pod) + clock(view.desired) for pod in unplaced]


def is_at_rest(view: View, tally: Tally) -> bool:
    """Tell whether nothing is to be rolled now."""
    desired = view.desired
    return desired.paused or desired.held or is_complete(view, tally) or was_complete(view, tally)


def was_complete(view: View, tally: Tally) -> bool:
    """Tell whether this rollout has been complete before, and no pod of another revision has come since."""
    return told_reason(view) == COMPLETE and tally.updated == tally.replicas


def told_reason(view: View) -> str:
    """Give what was told last of the progress of this rollout; "" if nothing was."""
    told = view.observed.status
    if told.rollout.revision != view.desired.revision:
        return ""
    return next((each.reason for each in told.conditions if each.type == "Progressing"), "")


def wanted(view: View) -> int:
    """Count the pods that the strategy lets go: so many are of the new revision when a rollout is complete."""
    desired = view.desired
    stay = [pod.uid for pod in view.active if pod.kept and pod.revision != desired.revision]
    kept = len({*stay} - {pod.uid for pod in corpses_of(view)}) if stay else 0
    if desired.held or desired.strategy.type is StrategyType.ON_DELETE:
        return 0
    if desired.strategy.type is StrategyType.RECREATE and kept:
        return min(view.tally.updated, desired.replicas)
    return desired.replicas - max(kept, desired.strategy.staying(desired.replicas))


def has_rolled(view: View, tally: Tally) -> bool:
    """Tell whether as many pods are available and of the new revision as the strategy lets go."""
    waits = view.desired.paused and tally.updated < tally.replicas
    return tally.updated_available >= wanted(view) and not waits


def is_complete(view: View, tally: Tally) -> bool:
    """Tell whether there is nothing left to roll: as many pods as wanted, all available, and of the new revision."""
    replicas = view.desired.replicas
    return tally.replicas - tally.apart == replicas <= tally.available and has_rolled(view, tally)


def deadline(view: View, rollout: Rollout) -> float:
    """Give when a rollout that stands still will have missed its deadline; infinite if it cannot."""
    desired = view.desired
    if desired.progress_deadline_seconds is None or desired.paused or desired.held:
        return math.inf
    at = rollout.last_progress + desired.progress_deadline_seconds
    if told_reason(view) == MISSED:
        return at
    return math.inf if is_excused(view) else max(at, view.observed.began + TAKEOVER)


def next_tick(view: View, rollout: Rollout) -> float:
    """Give when a rollout that goes on has to be looked at again for the sake of its deadline alone."""
    if is_excused(view):
        return rollout.last_progress + tick(view.desired)
    at = deadline(view, rollout)
    return min([at, *roomless_from(view)]) if at < math.inf else math.inf

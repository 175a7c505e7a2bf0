"""The course of a rollout: how far it has come, whether it is complete, and whether it has missed its deadline.

Progress is Deployment's (DeploymentProgressing, k8s.io/kubernetes pkg/controller/deployment/util/deployment_util.go),
but counted within one rollout: more pods of the new revision than ever, more of them available than ever, or fewer of
the others. That a lost pod is replaced is none. The deadline's clock stops while what is missing waits for something
else than the new pods: a quota or a permission, room on a node, a pod that must be kept, an API server that fails.

All of it is kept in `status.rollout`, for a restart must not begin a deadline anew.
"""

import math
from dataclasses import replace

from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.model.status import Rollout
from podgroup_operator.core.model.strategy import StrategyType
from podgroup_operator.core.view import Tally, View

CLOCK = 10.0
"""Seconds; while a deadline's clock stands still that is written down so often, not at each look."""


def advance(view: View, tally: Tally, now: float) -> Rollout:
    """Carry the course of the rollout on.

    Args:
        view: what was there when the plan was made.
        tally: what is there after it.
        now: seconds since the epoch.
    """
    desired, told = view.desired, view.observed.status
    before = told.rollout
    if desired.held:
        return before
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
    fewer = told.replicas - told.updated > tally.replicas - tally.updated
    if after != before or fewer or (excused(view) and now - before.last_progress >= CLOCK):
        return replace(after, last_progress=now)
    return after


def excused(view: View) -> bool:
    """Tell whether a rollout waits for something else than its new pods."""
    desired, observed = view.desired, view.observed
    if desired.paused or view.captive or any(observed.waits(lane) for lane in (Lane.CREATE, Lane.SURGE, Lane.REMOVE)):
        return True
    return any(pod.revision == desired.revision and not pod.node for pod in view.active)


def wanted(view: View) -> int:
    """Count the pods that the strategy lets go: so many are of the new revision when a rollout is complete."""
    desired = view.desired
    kept = sum(pod.kept and pod.revision != desired.revision for pod in view.active)
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
    return tally.replicas == tally.available == view.desired.replicas and has_rolled(view, tally)


def deadline(view: View, rollout: Rollout) -> float:
    """Give when a rollout that stands still will have missed its deadline; infinite if it has none."""
    seconds = view.desired.progress_deadline_seconds
    if seconds is None or view.desired.paused or view.desired.held or excused(view):
        return math.inf
    return rollout.last_progress + seconds

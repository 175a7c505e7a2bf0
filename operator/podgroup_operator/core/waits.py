"""Waits: what a replacement is held back by, and since when, for the record of its heal."""

from collections.abc import Mapping
from dataclasses import replace

from podgroup_operator.core.model.desired import PodReplacement
from podgroup_operator.core.model.loss import Loss, Wait
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.view import View

BACKOFF, REFUSAL, TERMINATION, PACE = "Backoff", "Refusal", "Termination", "Pace"
DISRUPTION, STORM, UNAVAILABLE = "PodDisruptionBudget", "NodeStorm", "MaxUnavailable"


def waiting(view: View, plan: Plan, losses: Mapping[int, Loss]) -> dict[int, Loss]:
    """Note of each loss that a plan does not make good from when on it waits; the first reason is kept."""
    made, what = {create.loss.pod for create in plan.creates if create.loss}, held_by(view, plan)
    wait = Wait(what, view.now)
    return {slot: loss if loss.wait or loss.pod in made else replace(loss, wait=wait) for slot, loss in losses.items()}


def held_by(view: View, plan: Plan) -> str:
    """Name what replacements are held back by."""
    if plan.held:
        return BACKOFF
    if view.observed.waits(Lane.CREATE) or view.observed.refuses(view.desired.revision) > 0:
        return REFUSAL
    complete = view.desired.pod_replacement is PodReplacement.TERMINATION_COMPLETE
    return TERMINATION if view.tally.leaving and (complete or not plan.creates) else PACE

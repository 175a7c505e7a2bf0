"""Retiring: pods that are to be replaced go, as many as the strategy lets go (`turnover.py`)."""

from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.model.actions import Remove, Why
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.view import View


def retire(view: View, budget: Budget) -> Step:
    """Remove what is to be replaced."""
    turnover = budget.turnover
    waits = view.observed.waits(Lane.REMOVE) or view.observed.refuses(view.desired.revision) > 0
    if not turnover.leaving or budget.adopted or waits:
        return Step()  # nor is a pod taken away of which there will be no other
    going = [pod for pod in turnover.leaving[:BURST] if budget.take(pod)]
    return Step(removes=tuple(Remove(pod, Why.ASKED if pod.asked else Why.OUTDATED) for pod in going))

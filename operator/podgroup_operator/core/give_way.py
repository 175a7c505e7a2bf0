"""Giving way: where a quota has no room for what replaces a loss, new pods that are not available make it.

They were made beyond `replicas`, and may never be available; what was lost had been.
"""

from podgroup_operator.core.budget import Budget
from podgroup_operator.core.classify import Bucket
from podgroup_operator.core.model.actions import Remove, Why
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.turnover import bucket_of
from podgroup_operator.core.view import View


def give_way(view: View, budget: Budget) -> Step:
    """Remove as many pods of the surge as are in the way of replacements."""
    refusal = view.observed.held.get(Lane.CREATE)
    beyond = len(budget.left) + budget.missing - view.desired.replicas
    if refusal is None or not refusal.forbidden or budget.adopted or view.observed.waits(Lane.REMOVE):
        return Step()
    new = [pod for pod in budget.left if pod.revision == view.desired.revision and not pod.kept]
    idle = [pod for pod in new if bucket_of(view, pod) is Bucket.STARTING and pod.uid not in view.observed.stuck]
    newest = sorted(idle, key=lambda pod: (-pod.created, pod.uid))[: max(min(budget.missing, beyond), 0)]
    return Step(removes=tuple(Remove(pod, Why.SURPLUS) for pod in newest if budget.take(pod)))

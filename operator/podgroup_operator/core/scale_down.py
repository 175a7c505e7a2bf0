"""Scale-down: of too many pods, the ones that are cheapest to lose go (`victims.py` says which these are).

Not even they go where too few would be left that are available: a pod that must be kept may not be, and one that is
dear may not be yet.
"""

from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.model.actions import Remove, Why
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.step import Step
from podgroup_operator.core.turnover import affordable, buckets_of
from podgroup_operator.core.victims import victims
from podgroup_operator.core.view import View


def scale_down(view: View, budget: Budget) -> Step:
    """Remove what is too much.

    An adoption may be refused, and what is not ours is not ours to delete: first adopt, then look again.
    """
    number = min(budget.surplus, BURST)
    if number <= 0 or budget.adopted or view.observed.waits(Lane.REMOVE):
        return Step()
    stands = buckets_of(view, budget.steady)
    chosen = victims((pod for pod in budget.steady if not pod.kept), number, view.now)
    free = [pod for pod in chosen if pod.uid not in view.observed.stuck]
    return Step(removes=tuple(Remove(pod, Why.SURPLUS) for pod in affordable(view, free, stands) if budget.take(pod)))

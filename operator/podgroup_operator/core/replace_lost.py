"""Replacing: what is missing is made, in the lowest empty slots, unless something says wait.

A new pod replaces the one that its slot lost, else one whose slot stays empty or is taken by another pod. What is
remembered of losses must not change a name: a create whose answer was lost has to be repeated as it was.
"""

from itertools import islice

from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.haste import PILE_UP, hold_hasty
from podgroup_operator.core.heirs import revisions
from podgroup_operator.core.losses import losses_of
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.patience import wait_for
from podgroup_operator.core.record import told
from podgroup_operator.core.slots import empty_slots, named
from podgroup_operator.core.step import Step
from podgroup_operator.core.view import View


def replace_lost(view: View, budget: Budget) -> Step:
    """Create what is missing, as far as may be."""
    number = min(budget.missing, budget.room + budget.turnover.surge)
    refusal = view.observed.held.get(Lane.CREATE)
    wait = max(view.observed.refuses(view.desired.revision), refusal.wait if refusal else 0.0)
    if number <= 0 or wait > 0:
        return Step(look_again=view.now + wait if number > 0 else None)
    # In a streak some of them are held back, and others must not have to wait behind those.
    wanted = fill(view, budget, number if view.streaks else min(number, BURST))
    budget.make(wanted)
    unhurried, later = hold_hasty(wanted, view)
    patience = wait_for(unhurried, view, budget.active, first_look=view.observed.first_look)
    why = [PILE_UP] if len(unhurried) < len(wanted) else []
    return Step(
        creates=patience.creates[:BURST],
        held=len(wanted) - len(patience.creates),
        why_held=" ".join([*why, patience.why]).rstrip(),
        look_again=min((time for time in (patience.look_again, later) if time is not None), default=None),
    )


def fill(view: View, budget: Budget, number: int) -> tuple[Create, ...]:
    """Name the pods that fill the first `number` empty slots."""
    taken = {pod.slot for pod in budget.active if pod.slot is not None}
    losses = losses_of(view, budget.active)
    slots = tuple(islice(empty_slots(taken), number))
    elsewhere = [loss for slot, loss in sorted(losses.items()) if slot not in slots]
    heirs = [losses.get(slot) or (elsewhere.pop(0) if elsewhere else None) for slot in slots]
    revised = zip(slots, heirs, revisions(view, budget.turnover, heirs), strict=True)
    known = ((slot, revision, loss if loss and is_told(loss) else None) for slot, loss, revision in revised)
    return tuple(told(view, named(view, budget.names, *each), budget.numbers) for each in known if each[1])


def is_told(loss: Loss) -> bool:
    """Tell whether a pod says which one it replaces; not where a rollout may have taken that away."""
    return loss.heals or loss.cause is Cause.ASKED

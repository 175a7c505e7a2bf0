"""Heirs: of which revision a pod is that is made in the place of a lost one.

Nothing shall get worse by a loss. Where a rollout may not go on (`paused`, `partition`) a lost pod comes again as it
was, but not one of a template that is neither the present nor the former one and never came up: this may be the way
back from it. In a rolling update a pod comes again as it was as long as none of the new revision has been available,
for that one may never be; but only if it had been available itself. Until then a group that is scaled out gets as many
of the old ones as it needs to have enough that are available (a Deployment scales its ReplicaSets in proportion).
Everything else is made from the new template: that is one step less.
"""

from collections.abc import Iterable

from podgroup_operator.core.losses import taken_by_others, traceless_loss
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.desired import Desired
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.strategy import StrategyType
from podgroup_operator.core.turnover import Turnover, is_proved
from podgroup_operator.core.view import View


def returns(view: View, loss: Loss) -> bool:
    """Tell whether a lost pod comes again as it was."""
    desired = view.desired
    if loss.cause is Cause.ASKED or loss.revision not in view.observed.templates:
        return False
    if desired.paused or (is_rolling_update(desired) and desired.strategy.staying(desired.replicas) > 0):
        return loss.revision in (desired.revision, desired.former) or was_available(view, loss)
    if not is_rolling_update(desired):
        return False
    return was_available(view, loss) and not is_proved(view)


def is_rolling_update(desired: Desired) -> bool:
    """Tell whether pods are replaced a few at a time."""
    return desired.strategy.type is StrategyType.ROLLING_UPDATE and not desired.held


def was_available(view: View, loss: Loss) -> bool:
    """Tell whether a pod was available when it was lost."""
    return loss.ready_since is not None and loss.at >= loss.ready_since + view.desired.min_ready_seconds


def unproved(view: View, turnover: Turnover) -> int:
    """Count the lost pods that are missed though there may be pods enough: the new ones may never be available.

    Nor will they be waited for while the group is paused.
    """
    desired = view.desired
    if not turnover.surge or (is_proved(view) and not desired.paused):
        return 0
    lost = [loss for loss in view.observed.losses.values() if loss.revision != desired.revision]
    known = sum(was_available(view, loss) and returns(view, loss) for loss in lost)
    unseen = view.observed.first_look and returns(view, traceless_loss(view, 0, old=True))
    return max(known, taken_by_others(view)) if unseen else known


def revisions(view: View, turnover: Turnover, losses: Iterable[Loss | None]) -> list[str]:
    """Give the revision of each pod that is made; "" for one that may not be made at all.

    That is one of a group that was created paused: there is nothing yet that could go on.
    """
    losses = tuple(losses)
    back = sum(loss is not None and returns(view, loss) for loss in losses)
    new, tried, given = turnover.new, max(wanted_as_they_were(view) - back, 0), list[str]()
    for loss in losses:
        if loss and returns(view, loss):
            given.append(loss.revision)
        elif loss is None and tried > 0:
            tried -= 1
            given.append(former(view))
        elif new > 0:
            new -= 1
            given.append(view.desired.revision)
        else:
            given.append(former(view))
    return given


def wanted_as_they_were(view: View) -> int:
    """Count the pods that are missed of the old template while the new one is tried and has yet to prove good.

    Only of one that has proved good itself, and only where a new pod is there: what is made as it was before one is
    would be the first to go.
    """
    desired, tally = view.desired, view.tally
    tried = tally.updated > 0 and not is_proved(view)
    rolls = is_rolling_update(desired) and not desired.paused and not desired.strategy.staying(desired.replicas)
    if not (tried and rolls and tally.available > 0):
        return 0
    return max(desired.least_available - (tally.replicas - tally.updated), 0)


def former(view: View) -> str:
    """Give the revision of pods that are made as they were."""
    desired = view.desired
    if desired.former in view.observed.templates:
        return desired.former
    return "" if desired.paused and not desired.former else desired.revision


def count_new(creates: Iterable[Create], revision: str) -> int:
    """Count the pods of a revision among those that are made."""
    return sum(create.revision == revision for create in creates)

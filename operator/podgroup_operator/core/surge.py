"""Surge: the pods of a rollout that are made before those that they replace have gone.

Each takes a seat below `replicas` that is empty, else that of a pod that is to go: for a moment the two share it. They
have a lane apart, so that a quota that has no room for them holds up no replacement. What a rollout replaces is not a
heal; only of a pod whose replacement was asked for does the one in its seat say that it replaces it. But where a pod of
the surge itself was taken away for what ailed it, the next one takes its place.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.heirs import count_new, former
from podgroup_operator.core.losses import asked_loss, outlives
from podgroup_operator.core.model.loss import Loss
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.patience import wait_for
from podgroup_operator.core.record import told
from podgroup_operator.core.slots import empty_slots, named
from podgroup_operator.core.step import Step
from podgroup_operator.core.turnover import is_asked
from podgroup_operator.core.view import View


def surge(view: View, budget: Budget) -> Step:
    """Create pods beyond `replicas`, as many as the strategy lets be there."""
    turnover = budget.turnover
    new = turnover.new - count_new(budget.made, view.desired.revision)
    old = turnover.old - (len(budget.made) - count_new(budget.made, view.desired.revision))
    number = min(max(new, 0) + max(old, 0), budget.room + turnover.surge - max(budget.missing, 0), BURST)
    refusal = view.observed.held.get(Lane.SURGE)
    wait = max(view.observed.refuses(view.desired.revision), refusal.wait if refusal else 0.0)
    if number <= 0 or not turnover.going or budget.adopted or wait > 0:
        return Step(look_again=view.now + wait if number > 0 and turnover.going else None)
    revisions = chain([view.desired.revision] * max(new, 0), [former(view)] * max(old, 0))
    slots = islice(seats(view, budget), number)
    named_slots = zip(slots, revisions, strict=False)  # the seats are as many as may be made
    known = [(slot, revision) for slot, revision in named_slots if revision]  # else it may not be made at all
    asked = {pod.slot: asked_loss(pod, view.now) for pod in turnover.going if is_asked(pod) and pod.slot is not None}
    sick, latest = ailed(view, budget), view.desired.revision
    heirs = [(slot, each, asked.get(slot) or (next(sick, None) if each == latest else None)) for slot, each in known]
    wanted = [replace(named(view, budget.names, *heir), lane=Lane.SURGE) for heir in heirs]
    wanted = [told(view, each, budget.numbers) for each in wanted]
    patience = wait_for(wanted, view, budget.active, first_look=True)
    budget.make(patience.creates)
    return Step(creates=patience.creates, held=patience.held, why_held=patience.why, look_again=patience.look_again)


def ailed(view: View, budget: Budget) -> Iterator[Loss]:
    """Give the new pods that were taken away for what ailed them, and in whose place none is made yet."""
    made = {create.loss.pod for create in budget.made if create.loss}
    losses = (loss for _, loss in sorted(view.observed.losses.items()) if outlives(view, loss))
    return (loss for loss in losses if loss.pod not in made)


def seats(view: View, budget: Budget) -> Iterator[int]:
    """Give the seats that new pods take: empty ones below `replicas`, those of pods that go, and then any."""
    replicas = view.desired.replicas
    taken = Counter(pod.slot for pod in budget.active if pod.slot is not None)
    taken.update(create.slot for create in budget.made)
    below = [slot for slot in range(replicas) if slot not in taken]
    doubled = [pod.slot for pod in budget.turnover.going if pod.slot is not None and taken[pod.slot] == 1]
    doubled = [slot for slot in doubled if slot < replicas]
    return chain(below, doubled, empty_slots([*taken, *below]))

"""Maintenance: a pod whose node is drained, or about to be, gets its replacement before it goes.

Kubernetes evicts first and makes the next one then, so that every drain costs each group a pod for a while
(kubernetes#66811, open since 2018). With `healing.surgeOnDrain` the replacement comes first, beyond `replicas`, as far
as `maxSurge` allows and a rollout leaves of it. When it is available the old pod is evicted, by the API that asks its
PodDisruptionBudget; one of `maxUnavailable: 0` holds whoever drains until then. Should somebody else take the old pod
sooner, its replacement is there, and no second one is made.

If the node is not to be drained after all the replacement is one too many, and goes; never the old pod. So it does
where it is in the way: of a rollout that has to replace it anyway, or of a loss for which a quota has no room. A pod
that a rollout takes away soon is left to that.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from podgroup_operator.core.avoidance import AVOIDED, MOST_NODES, avoided
from podgroup_operator.core.budget import BURST, Budget
from podgroup_operator.core.classify import Bucket
from podgroup_operator.core.heirs import returns
from podgroup_operator.core.model.actions import Create, How, Remove, Why
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.model.pod import Pod
from podgroup_operator.core.model.refusal import Lane
from podgroup_operator.core.patience import Patience, wait_for
from podgroup_operator.core.record import told
from podgroup_operator.core.slots import empty_slots, named
from podgroup_operator.core.step import Step
from podgroup_operator.core.takeover import begun
from podgroup_operator.core.turnover import bucket_of
from podgroup_operator.core.view import View

UNSEEN = "healing.surgeOnDrain does nothing: this operator may not see nodes, which takes a ClusterRole."


@dataclass(frozen=True, slots=True)
class Pair:
    """A pod, and the spare that stands beside it."""

    old: Pod
    spare: Pod
    available: bool  # the spare


def maintain(view: View, budget: Budget) -> Step:
    """Make replacements of pods whose nodes are under maintenance, and let the old ones go when these are available."""
    asked = view.desired.healing.surge_on_drain
    if not (asked or budget.spares) or budget.adopted:
        return Step()
    if view.now < begun(view):
        return Step(look_again=begun(view))
    pairs = pairs_of(view, budget)
    useful = list(used(view, budget, pairs))
    goes = [Remove(pair.spare, Why.SURPLUS) for pair in pairs if pair not in useful and not pair.spare.kept]
    goes += [Remove(pair.old, Why.MAINTAINED, How.EVICT) for pair in useful if may_go(view, pair)]
    storm = view.observed.storm.over
    if view.desired.healing.paused or view.now < storm:
        goes, patience = [each for each in goes if each.how is How.DELETE], Patience(())
    else:
        patience = wait_for(wanted(view, budget, pairs), view, budget.active, first_look=True)
    blind = asked and not view.observed.nodes and any(pod.node for pod in view.active)
    return Step(
        creates=patience.creates,
        removes=tuple(affordable(view, budget, goes)),
        held=patience.held,
        why_held=patience.why,
        look_again=storm if view.now < storm < math.inf else patience.look_again,
        suppressed=UNSEEN if blind else "",
    )


def leaves(view: View, pod: Pod) -> bool:
    """Tell whether a pod is to go since its node is under maintenance."""
    return view.desired.healing.surge_on_drain and pod.node in view.observed.maintained and not pod.kept


def pairs_of(view: View, budget: Budget) -> list[Pair]:
    """Give the pods that have spares, those first whose spares are available."""
    spares = {pod.uid: pod for pod in view.active if pod.uid in budget.spares}
    stands = ((old, spares[uid]) for uid, old in budget.spares.items())
    pairs = [Pair(old, spare, bucket_of(view, spare) is Bucket.AVAILABLE) for old, spare in stands]
    return sorted(pairs, key=lambda pair: (not pair.available, pair.spare.created, pair.spare.uid))


def used(view: View, budget: Budget, pairs: list[Pair]) -> Iterator[Pair]:
    """Give the pairs whose spare is of use: one for each pod that is to go, and no more than may be."""
    left, seen = view.desired.strategy.surge(view.desired.replicas), set[str]()
    going = {pod.uid for pod in budget.turnover.going}
    refusal = view.observed.held.get(Lane.CREATE)
    quota = refusal is not None and refusal.forbidden and budget.missing > 0
    for pair in pairs:
        outdated = pair.old.uid in going and pair.spare.revision != view.desired.revision
        in_the_way = not pair.available and (quota or outdated)
        if left > 0 and leaves(view, pair.old) and pair.old.uid not in seen and not in_the_way:
            left -= 1
            seen.add(pair.old.uid)
            yield pair


def may_go(view: View, pair: Pair) -> bool:
    """Tell whether a pod may be evicted: its spare is available, and not itself where it would have to move on."""
    waits = view.observed.waits(Lane.EVICT) or pair.old.uid in view.observed.protected
    return pair.available and not waits and pair.spare.node not in view.observed.maintained


def affordable(view: View, budget: Budget, removes: list[Remove]) -> Iterator[Remove]:
    """Give as many of the removals as leave enough pods that are available; those that are not cost nobody anything.

    No old pod goes that leaves fewer than `replicas`: a spare may stand in for another that was lost a moment ago. A
    spare that is one too many goes as in a scale-down.
    """
    desired = view.desired
    least = {How.EVICT: desired.replicas, How.DELETE: desired.least_available}
    spares = [pod for pod in view.active if pod.uid in budget.spares]
    here = sum(bucket_of(view, pod) is Bucket.AVAILABLE for pod in (*budget.steady, *spares))
    for each in sorted(removes, key=lambda remove: view.observed.tries.get(remove.pod.uid, 0)):
        waits = each.pod.uid in view.observed.stuck or (each.how is How.DELETE and view.observed.waits(Lane.REMOVE))
        costs = bucket_of(view, each.pod) is Bucket.AVAILABLE
        if not waits and (here > least[each.how] or not costs) and budget.take(each.pod):
            here -= costs
            yield each


def wanted(view: View, budget: Budget, pairs: list[Pair]) -> list[Create]:
    """Name the spares that are to be made: of pods that serve, what replaces a loss and rollouts going first."""
    desired, observed = view.desired, view.observed
    refused = observed.refuses(desired.revision) > 0 or any(map(observed.waits, (Lane.CREATE, Lane.SURGE)))
    if refused or budget.missing > 0 or not (desired.healing.surge_on_drain and observed.maintained):
        return []
    most = desired.strategy.surge(desired.replicas)
    number = min(most - budget.turnover.surge, most + budget.room, BURST) - len(pairs)
    others = {pair.old.uid for pair in pairs} | {pod.uid for pod in budget.turnover.going}
    ready = (pod for pod in budget.steady if pod.ready_since is not None and leaves(view, pod))
    due = sorted((pod for pod in ready if pod.uid not in others), key=lambda pod: (pod.node, pod.created, pod.uid))
    made = {create.slot for create in budget.made}
    free = empty_slots([*made, *(pod.slot for pod in view.active if pod.slot is not None)])
    seats = {(next(free) if pod.slot is None else pod.slot): pod for pod in reversed(due)}
    chosen = [(slot, pod) for slot, pod in reversed(seats.items()) if slot not in made][: max(number, 0)]
    return [spare(view, budget, slot, loss_of(view, pod)) for slot, pod in chosen]


def spare(view: View, budget: Budget, slot: int, loss: Loss) -> Create:
    """Name a spare; it has the revision that it would have if its pod were lost now."""
    revision = loss.revision if returns(view, loss) else view.desired.revision
    create = told(view, named(view, budget.names, slot, revision, loss), budget.numbers)
    return replace(create, lane=Lane.SURGE)


def loss_of(view: View, pod: Pod) -> Loss:
    """Tell what the end of a pod will be to its group; where others fail its spare waits as they do.

    Its spare avoids all nodes under maintenance: not each of them is closed to new pods.
    """
    others = sorted(node for node in view.observed.maintained if node != pod.node)[: MOST_NODES - 1]
    avoids = dict(avoided(pod, view.now)) | dict.fromkeys(others, view.now + AVOIDED)
    return replace(
        Loss.of(pod, Cause.MAINTENANCE, view.now),
        early=True,
        seen=f"node {pod.node} is under maintenance",
        avoids=tuple(avoids.items())[-MOST_NODES:],
    )

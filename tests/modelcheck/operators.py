"""The operators of the small world: the real plan, and around it as much of the shell as matters for safety.

What is remembered of losses is left out, for no name depends on it (`properties/test_plan.py` proves that). To hear the
news changes nothing but what the next look sees, so an operator hears them only then: as many as it likes.
"""

from collections.abc import Iterator
from functools import cache

from builders import NOW, desired, planned, pod
from modelcheck.apiserver import raises, send
from modelcheck.scope import MEMORYLESS, RECORDING, Naming, Scope
from modelcheck.state import (
    FAILED,
    FOREIGN,
    GONE,
    LIVE,
    NO_EPOCHS,
    Epochs,
    Operator,
    Request,
    Seat,
    SmallPod,
    State,
    Wish,
)
from podgroup_operator.core.model.observed import Observed
from podgroup_operator.core.model.pod import Phase, Pod
from podgroup_operator.core.model.strategy import DEFAULT, Share, Strategy
from podgroup_operator.core.names import pod_name

REVISIONS = ("r1", "r2")
"""Of the old template and of the new one."""

# Two times at which victims are chosen differently: at the first one the ages of slot 0's and slot 1's pods have the
# same power of two, and the UIDs decide; at the second one they have not, and the newer pod goes.
SOON, LATER = NOW + 5.5, NOW + 8.9

CLAIMING = {Naming.LOCKED, Naming.CLAIMED, Naming.CLAIMED_BLINDLY}
READING = MEMORYLESS | {Naming.FRESH_REMEMBERED}


def name(seat: Seat) -> str:
    """Give the real name of a pod."""
    group = desired()
    return pod_name(group.name, group.uid, *seat)


def real(small: SmallPod, *, ready: bool = False) -> Pod:
    """Make the core's record of a small pod."""
    return pod(
        name(small.seat),
        uid=f"{small.slot}-{small.epoch}-{small.life}",
        slot=small.slot,
        epoch=small.epoch,
        created=NOW + small.slot,
        ready_since=NOW if ready else None,
        revision=REVISIONS[small.revision],
        phase=Phase.FAILED if small.stage == FAILED else Phase.RUNNING,
        deleted=None if small.stage in {LIVE, FAILED} else NOW,
    )


@cache
def decide(
    wish: Wish,
    pods: tuple[SmallPod, ...],
    epochs: Epochs,
    taken: tuple[Seat, ...],
    now: float,
    surge: int | None,
) -> tuple[tuple[SmallPod, ...], tuple[SmallPod, ...]]:
    """Ask the real plan; give the pods to create and those to delete."""
    seen = Observed(
        pods=tuple(real(one, ready=surge is not None) for one in pods),
        templates=frozenset(REVISIONS),
        names=frozenset(name(seat) for seat in taken),
        epochs={slot: epoch for slot, epoch in enumerate(epochs) if epoch >= 0},
    )
    strategy = DEFAULT if surge is None else Strategy(max_surge=Share(surge), max_unavailable=Share(1 - surge))
    group = desired(wish.replicas, revision=REVISIONS[wish.revision], former=REVISIONS[0], strategy=strategy)
    decision = planned(group, seen, now)
    creates = tuple(SmallPod(one.slot, one.epoch, 0, LIVE, REVISIONS.index(one.revision)) for one in decision.creates)
    by_uid = {real(one).uid: one for one in pods}
    return creates, tuple(by_uid[one.pod.uid] for one in decision.removes)


def hear(operator: Operator, number: int) -> Operator:
    """Let an operator hear the next of the news."""
    pods, epochs, condemned = {pod.identity: pod for pod in operator.cache}, list(operator.epochs), operator.condemned
    for news in operator.news[:number]:
        if news.stage == GONE:
            pods.pop(news.identity, None)
            condemned = tuple(identity for identity in condemned if identity != news.identity)
        else:
            pods[news.identity] = news
            epochs[news.slot] = max(epochs[news.slot], news.epoch)
    return operator._replace(
        cache=tuple(sorted(pods.values())),
        news=operator.news[number:],
        behind=max(operator.behind - number, 0),
        epochs=tuple(epochs),
        condemned=condemned,
        unanswered=tuple(identity for identity in operator.unanswered if identity in condemned),
    )


def listed(pods: tuple[SmallPod, ...]) -> tuple[SmallPod, ...]:
    """Give the pods that an informer keeps."""
    return tuple(pod for pod in pods if pod.stage != FOREIGN)


def relist(operator: Operator, pods: tuple[SmallPod, ...]) -> Operator:
    """Let an operator take the whole truth at once; what happened in between goes unseen."""
    alive = {pod.identity for pod in listed(pods)}
    gone = tuple(pod._replace(stage=GONE) for pod in operator.cache if pod.identity not in alive)
    news = gone + listed(pods)
    return hear(operator._replace(news=news), len(news))._replace(behind=0)


def start(pods: tuple[SmallPod, ...], wish: Wish) -> Operator:
    """Start an operator with an empty memory."""
    return relist(Operator(wish=wish), pods)


def begin_tenure(operator: Operator, state: State, scope: Scope) -> set[Operator]:
    """Catch up when the Lease is gained, and forget what was written before: others have written since."""
    if not scope.lists:
        return {operator}
    listed_now = {relist(hear(operator, number), state.pods) for number in range(len(operator.news) + 1)}
    if not scope.forgets:
        return {one._replace(wish=state.wish) for one in listed_now}
    return {one._replace(strangers=(), condemned=(), unanswered=(), wish=state.wish) for one in listed_now}


def end_tenure(operator: Operator) -> Operator:
    """Keep of an operator that does not lead only what outlives the list at its next tenure's beginning."""
    follower = Operator(epochs=operator.epochs, down=operator.down)
    for news in operator.news:
        if raises(follower, news):
            follower = follower._replace(news=(*follower.news, news))
    return follower


@cache
def views(operator: Operator, pods: tuple[SmallPod, ...], wish: Wish) -> tuple[Operator, ...]:
    """List what an operator may know when it looks: any part of the news, or a new list after any part."""
    partly = [
        hear(heard, number)
        for heard in (operator, operator._replace(wish=wish))
        for number in range(len(operator.news) + 1)
    ]
    return tuple(dict.fromkeys([*partly, *(relist(view, pods) for view in partly)]))


def known(operator: Operator, state: State, scope: Scope) -> tuple[Operator, ...]:
    """List what an operator may know when it looks, under the rule and the assumptions of this scope."""
    if scope.naming in MEMORYLESS:
        return (Operator(cache=listed(state.pods), wish=state.wish),)
    if not scope.lagging:
        return (hear(operator, len(operator.news))._replace(wish=state.wish),)
    return views(operator, state.pods, state.wish)


def ask_about_deletes(operator: Operator, state: State) -> Operator:
    """Ask what became of deletes that were not answered; a pod that still lives may be spared."""
    alive = {pod.identity for pod in state.pods if pod.stage in {LIVE, FAILED}}
    spared = {identity for identity in operator.unanswered if identity in alive}
    return operator._replace(
        condemned=tuple(identity for identity in operator.condemned if identity not in spared), unanswered=()
    )


def caught_up(operator: Operator) -> bool:
    """Tell whether the cache shows all that this operator wrote."""
    return not operator.behind and not any(
        pod.stage == LIVE and pod.identity in operator.condemned for pod in operator.cache
    )


def looks(state: State, number: int, scope: Scope) -> Iterator[tuple[str, State]]:
    """List what comes of one operator's next look: for each view that it may have, what it sends."""
    before = state.operators[number]
    for view in known(before, state, scope):
        operator = ask_about_deletes(view, state) if view.unanswered else view
        if scope.reads_own_writes and not caught_up(operator):
            continue
        asked = operator.unanswered != view.unanswered
        for requests in dict.fromkeys(decisions(operator, number, state, scope, now) for now in (SOON, LATER)):
            if requests or asked:
                after = remember(operator, requests, scope)
                operators = (*state.operators[:number], after, *state.operators[number + 1 :])
                yield tell(number, operator, requests), send(state._replace(operators=operators), requests)


def remember(operator: Operator, requests: tuple[Request, ...], scope: Scope) -> Operator:
    """Note which pods are about to be deleted."""
    if scope.naming in MEMORYLESS:
        return Operator()
    doomed = {request.pods[0].identity for request in requests if request.kind == "delete"}
    return operator._replace(condemned=tuple(sorted({*operator.condemned, *doomed})))


def decisions(operator: Operator, number: int, state: State, scope: Scope, now: float) -> tuple[Request, ...]:
    """Give what an operator sends for what it sees, by the rule of this scope."""
    naming, epochs, taken, pods = scope.naming, operator.epochs, set(operator.strangers), operator.cache
    if naming is Naming.FRESH_REMEMBERED:
        pods = listed(state.pods)
    if naming in READING:
        taken |= {pod.seat for pod in state.pods if pod.stage == FOREIGN}
    if naming in {Naming.FRESH, Naming.LOCKED}:
        epochs = NO_EPOCHS
    if naming in {Naming.FRESH, Naming.LOCKED, Naming.FRESH_REMEMBERED}:
        epochs = highest(epochs, pods)
    if naming in RECORDING - {Naming.LOCKED}:
        epochs = tuple(epoch - 1 for epoch in state.recorded)  # the plan takes one more, or that after it
    creates, deletes = decide(operator.wish, pods, epochs, tuple(sorted(taken)), now, scope.surge)
    sent = [Request("delete", number, True, (one,), replicas=operator.wish.replicas) for one in deletes]  # noqa: FBT003
    if not creates or naming not in RECORDING:
        return (*sent, *(Request("create", number, True, (one,)) for one in creates))  # noqa: FBT003 (awaited)
    recorded = state.recorded if naming is Naming.LOCKED else highest(state.recorded, creates)
    if naming in CLAIMING or recorded != state.recorded:
        return (*sent, Request("record", number, True, creates, recorded))  # noqa: FBT003 (awaited)
    return (*sent, *(Request("create", number, True, (one,)) for one in creates))  # noqa: FBT003 (awaited)


def highest(epochs: Epochs, pods: tuple[SmallPod, ...]) -> Epochs:
    """Raise epochs to those of pods."""
    return tuple(max([epoch, *(pod.epoch for pod in pods if pod.slot == slot)]) for slot, epoch in enumerate(epochs))


def tell(number: int, operator: Operator, requests: tuple[Request, ...]) -> str:
    """Put a look into words."""
    seen = ", ".join(f"{pod} {pod.stage}" for pod in operator.cache) or "no pods"
    asked = ", ".join(f"{request.kind} {' and '.join(map(str, request.pods))}" for request in requests) or "nothing"
    return f"operator {'AB'[number]} sees {seen}; sends: {asked}"

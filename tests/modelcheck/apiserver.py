"""The API server of the small world: it does what is asked for, one request at a time, and everybody hears of it later.

Each function gives the state after something; the operators' caches learn of it when they look.
"""

from modelcheck.scope import MEMORYLESS, TAKING, Naming, Scope
from modelcheck.state import ENDING, FOREIGN, GONE, LIVE, Operator, Request, SmallPod, State, live


def happen(state: State, before: SmallPod | None, after: SmallPod | None, scope: Scope) -> State:
    """Let a pod come, change or go; to an informer a pod that is another's is gone."""
    rest = [pod for pod in state.pods if pod != before]
    news = after if after and after.stage != FOREIGN else before._replace(stage=GONE) if before else None
    if before and before.stage == FOREIGN:
        news = None
    operators = state.operators
    if news and scope.naming not in MEMORYLESS:
        operators = tuple(
            will_hear(one, news, follows=scope.elected and scope.forgets and number != state.leader)
            for number, one in enumerate(operators)
        )
    return state._replace(pods=tuple(sorted([*rest, after] if after else rest)), operators=operators)


def will_hear(operator: Operator, news: SmallPod, *, follows: bool) -> Operator:
    """Let an operator hear of something some day; one that does not lead lists the pods before it ever looks."""
    if operator.down or (follows and not raises(operator, news)):
        return operator
    return operator._replace(news=(*operator.news, news))


def raises(operator: Operator, news: SmallPod) -> bool:
    """Tell whether news are of an epoch that an operator has not heard of: of these a new list does not tell."""
    known = [operator.epochs[news.slot], *(pod.epoch for pod in operator.news if pod.slot == news.slot)]
    return news.stage != GONE and news.epoch > max(known)


def answered(state: State, request: Request, **changes: object) -> State:
    """Let the sender learn something from the answer, if it still waits for one."""
    if not request.awaited:
        return state
    operators = list(state.operators)
    operators[request.sender] = operators[request.sender]._replace(**changes)  # type: ignore[arg-type]  # fields by name
    return state._replace(operators=tuple(operators))


def without(state: State, request: Request) -> State:
    """Take a request off the way."""
    requests = list(state.requests)
    requests.remove(request)
    return state._replace(requests=tuple(requests))


def send(state: State, requests: tuple[Request, ...]) -> State:
    """Put requests on the way."""
    return state._replace(requests=tuple(sorted(state.requests + requests)))


def unspoken_life(state: State, slot: int, epoch: int) -> int:
    """Find the smallest number for a new pod that nothing in the world still means an older one by."""
    spoken = {pod.life for pod in state.pods if pod.seat == (slot, epoch)}
    for operator in state.operators:
        spoken |= {pod.life for pod in operator.cache + operator.news if pod.seat == (slot, epoch)}
        spoken |= {life for *seat, life in operator.condemned if (*seat,) == (slot, epoch)}
    for request in state.requests:
        if request.kind == "delete":
            spoken |= {pod.life for pod in request.pods if pod.seat == (slot, epoch)}
    return next(life for life in range(len(spoken) + 1) if life not in spoken)


def create(state: State, request: Request, scope: Scope) -> State:
    """Create a pod, or answer 409; the sender then reads whose the name is."""
    state = without(state, request)
    wanted = request.pods[0]
    taken = next((pod for pod in state.pods if pod.seat == wanted.seat), None)
    if taken and scope.naming is not Naming.RANDOM:
        return name_taken(state, request, taken) if scope.naming not in MEMORYLESS else state
    pod = wanted._replace(life=unspoken_life(state, *wanted.seat))
    state = happen(state, None, pod, scope)
    return answered(state, request, behind=len(state.operators[request.sender].news))


def name_taken(state: State, request: Request, pod: SmallPod) -> State:
    """Tell the sender that the name is taken: by a pod of ours, whose version counts as written, or a stranger's."""
    operator = state.operators[request.sender]
    if pod.stage == FOREIGN:
        return answered(state, request, strangers=tuple(sorted({*operator.strangers, pod.seat})))
    heard = [number for number, news in enumerate(operator.news, 1) if news.identity == pod.identity]
    return answered(state, request, behind=max([operator.behind, *heard[-1:]]))


def delete(state: State, request: Request, scope: Scope, *, at_once: bool) -> State:
    """Delete a pod if it is still as it was seen; one that has not started goes at once, any other begins to end."""
    state = without(state, request)
    meant = request.pods[0]
    found = meant if meant in state.pods else None
    if not scope.preconditions:
        found = next((pod for pod in state.pods if pod.seat == meant.seat), None)
    if found is None or found.stage == ENDING:
        return answered(state, request, condemned=spared(state.operators[request.sender], meant))
    after = happen(state, found, None if at_once else found._replace(stage=ENDING), scope)
    after = after._replace(wrong=misdeed(after, request, found, scope))
    return after if at_once else answered(after, request, behind=len(after.operators[request.sender].news))


def spared(operator: Operator, pod: SmallPod) -> tuple[tuple[int, int, int], ...]:
    """Forget that a pod was to be deleted."""
    return tuple(identity for identity in operator.condemned if identity != pod.identity)


def misdeed(after: State, request: Request, deleted: SmallPod, scope: Scope) -> str:
    """Say what must not be about a delete that was just done."""
    if deleted.stage == FOREIGN:
        return f"{deleted} was deleted, and is not the group's"
    if deleted.stage == LIVE and not scope.faults & TAKING and live(after.pods) < request.replicas - scope.unavailable:
        return f"{deleted} was deleted, and was not one too many"
    return ""


def record(state: State, request: Request) -> State:
    """Write epochs into the PodGroup's status, unless somebody else has; then the sender goes on to create."""
    state = without(state, request)
    if not request.current:
        return state
    stale = tuple(other._replace(current=False) for other in state.requests)
    state = state._replace(recorded=request.epochs, requests=stale)
    if not request.awaited:
        return state
    creates = [Request("create", request.sender, True, (pod,)) for pod in request.pods]  # noqa: FBT003 (awaited)
    return send(state, tuple(creates))


def outcomes(state: State, request: Request, scope: Scope) -> list[tuple[str, State]]:
    """List what can come of a request that arrives."""
    if request.kind == "create":
        return [("", create(state, request, scope))]
    if request.kind == "record":
        return [("", record(state, request))]
    return [
        ("", delete(state, request, scope, at_once=False)),
        (" at once", delete(state, request, scope, at_once=True)),
    ]

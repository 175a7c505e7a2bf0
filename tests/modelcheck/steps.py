"""What can happen next in the small world: a request arrives, a pod ends, an operator looks, something goes wrong."""

from collections.abc import Iterator

from modelcheck.apiserver import answered, happen, outcomes, spared, without
from modelcheck.operators import begin_tenure, end_tenure, looks, start
from modelcheck.scope import MEMORYLESS, Fault, Scope
from modelcheck.state import ENDING, FAILED, FOREIGN, LIVE, NOBODY, Operator, Request, SmallPod, State, Wish

Step = tuple[str, State]
"""What happens, in words, and the state after it."""


def beginning(scope: Scope) -> State:
    """Give the first state: a new PodGroup without pods, and operators that know it."""
    return State((), (start((), Wish()),) * scope.operators, faults=scope.most)


def steps(state: State, scope: Scope) -> Iterator[Step]:
    """List all that can happen next."""
    yield from arrivals(state, scope)
    yield from endings(state, scope)
    yield from starts(state, scope)
    yield from questions(state, scope)
    yield from tenures(state, scope)
    for number in range(scope.operators):
        if may_look(state, number, scope):
            yield from looks(state, number, scope)
    if state.faults:
        for words, after in faults(state, scope):
            yield words, after._replace(faults=state.faults - 1)


def faults(state: State, scope: Scope) -> Iterator[Step]:
    """List all that can go wrong next."""
    yield from taken_pods(state, scope)
    yield from lost_memories(state, scope)
    yield from fenced(state, scope)
    yield from scalings(state, scope)
    yield from rollings(state, scope)


def arrivals(state: State, scope: Scope) -> Iterator[Step]:
    """Let a request arrive, or one that nobody waits for be lost."""
    for request in dict.fromkeys(state.requests):
        for how, after in outcomes(state, request, scope):
            if not departs_too_early(state, after, scope):
                yield f"{in_words(request)} arrives{how}{consequence(state, after, request)}", after
        if not request.awaited:
            yield f"{in_words(request)} never arrives", without(state, request)


def endings(state: State, scope: Scope) -> Iterator[Step]:
    """Let a pod that is ending be gone."""
    for pod in state.pods:
        if pod.stage == ENDING:
            after = happen(state, pod, None, scope)
            if not departs_too_early(state, after, scope):
                yield f"{pod} has ended and is gone", after


def tenures(state: State, scope: Scope) -> Iterator[Step]:
    """Let the Lease change hands."""
    if scope.elected and not (scope.waits and state.requests):
        for number in range(scope.operators):
            if number != state.leader and not state.operators[number].down:
                for operator in begin_tenure(state.operators[number], state, scope):
                    operators = with_one(state, number, operator)
                    if scope.forgets:
                        operators = tuple(map(end_tenure, operators))
                    led = state._replace(
                        leader=number, operators=with_one(state._replace(operators=operators), number, operator)
                    )
                    yield f"operator {'AB'[number]} takes the Lease{' and lists the pods' * scope.lists}", led


def with_one(state: State, number: int, operator: Operator) -> tuple[Operator, ...]:
    """Put an operator in another's place."""
    return (*state.operators[:number], operator, *state.operators[number + 1 :])


def starts(state: State, scope: Scope) -> Iterator[Step]:
    """Let an operator that has crashed start again."""
    for number, operator in enumerate(state.operators):
        if operator.down and not (scope.settled and any(request.sender == number for request in state.requests)):
            operators = with_one(state, number, start(state.pods, state.wish))
            yield f"operator {'AB'[number]} starts again and lists the pods", state._replace(operators=operators)


def questions(state: State, scope: Scope) -> Iterator[Step]:
    """Let an operator that had no answer ask how far its cache must be."""
    for number, operator in enumerate(state.operators):
        if operator.unsure and not any(request.sender == number for request in state.requests):
            sure = operator._replace(behind=len(operator.news), unsure=False)
            words = f"operator {'AB'[number]} asks how far its cache must be"
            yield words, state._replace(operators=with_one(state, number, sure))


def may_look(state: State, number: int, scope: Scope) -> bool:
    """Tell whether an operator may look: its last look is over, and it leads if one has to."""
    if state.operators[number].unsure or state.operators[number].down or (scope.elected and state.leader != number):
        return False
    return not any(request.sender == number and (request.awaited or scope.settled) for request in state.requests)


def taken_pods(state: State, scope: Scope) -> Iterator[Step]:
    """Let something happen to a pod."""
    for pod in state.pods:
        for fault, words, after in fates(pod):
            if fault in scope.faults:
                then = happen(state, pod, after, scope)
                if not departs_too_early(state, then, scope):
                    yield f"{pod} {words}", then


def fates(pod: SmallPod) -> Iterator[tuple[Fault, str, SmallPod | None]]:
    """List what others can do to a pod."""
    if pod.stage in {LIVE, FAILED}:
        yield Fault.DELETE, "is deleted by somebody and begins to end", pod._replace(stage=ENDING)
    if pod.stage in {LIVE, FAILED, FOREIGN}:
        yield Fault.KILL, "is deleted by somebody, without grace, and is gone", None
    if pod.stage == LIVE:
        yield Fault.FAIL, "fails", pod._replace(stage=FAILED)
        yield Fault.STEAL, "is taken away by another controller", pod._replace(stage=FOREIGN)


def departs_too_early(before: State, after: State, scope: Scope) -> bool:
    """Tell whether a pod is gone before a create of its name, sent before it was there, has arrived."""
    if scope.outlived:
        return False
    gone = {pod.seat for pod in before.pods} - {pod.seat for pod in after.pods}
    return any(request.kind == "create" and request.pods[0].seat in gone for request in before.requests)


def lost_memories(state: State, scope: Scope) -> Iterator[Step]:
    """Let an operator crash and start again, or lose its patience with a request."""
    if Fault.CRASH in scope.faults:
        for number in [number for number, operator in enumerate(state.operators) if not operator.down]:
            requests = tuple(
                sorted(one._replace(awaited=one.awaited and one.sender != number) for one in state.requests)
            )
            operators = with_one(state, number, Operator(down=True))
            leader = NOBODY if state.leader == number else state.leader
            yield (
                f"operator {'AB'[number]} crashes",
                state._replace(operators=operators, requests=requests, leader=leader),
            )
    if Fault.UNANSWERED in scope.faults:
        for request in dict.fromkeys(state.requests):
            if request.awaited:
                yield f"{in_words(request)} is not answered in time", unanswered(state, request, scope)


def unanswered(state: State, request: Request, scope: Scope) -> State:
    """Let an operator go on without an answer; of a delete it remembers that it does not know."""
    if scope.asks and scope.naming not in MEMORYLESS:
        state = answered(state, request, unsure=True)
    if request.kind == "delete" and scope.naming not in MEMORYLESS:
        before = state.operators[request.sender].unanswered
        state = answered(state, request, unanswered=tuple(sorted({*before, request.pods[0].identity})))
    given_up = request._replace(awaited=False)
    return without(state, request)._replace(requests=tuple(sorted((*without(state, request).requests, given_up))))


def fenced(state: State, scope: Scope) -> Iterator[Step]:
    """Let the fence keep a request back before it is sent; the leader stays the leader, in the same tenure."""
    if Fault.FENCED not in scope.faults:
        return
    for request in dict.fromkeys(state.requests):
        if request.awaited and state.leader in {request.sender, NOBODY}:
            after = without(state, request)
            if request.kind == "delete" and scope.spares:
                after = answered(after, request, condemned=spared(state.operators[request.sender], request.pods[0]))
            yield f"{in_words(request)} is not sent: the Lease ran out, and is renewed", after


def scalings(state: State, scope: Scope) -> Iterator[Step]:
    """Let somebody want one pod less, or one more."""
    if Fault.SCALE in scope.faults:
        replicas = 3 - state.wish.replicas
        yield f"replicas is set to {replicas}", state._replace(wish=state.wish._replace(replicas=replicas))


def rollings(state: State, scope: Scope) -> Iterator[Step]:
    """Let somebody change the template; it does not change back."""
    if Fault.ROLL in scope.faults and not state.wish.revision:
        yield "the template changes", state._replace(wish=state.wish._replace(revision=1))


def in_words(request: Request) -> str:
    """Name a request for a person."""
    return f"operator {'AB'[request.sender]}'s request to {request.kind} {' and '.join(map(str, request.pods))}"


def consequence(before: State, after: State, request: Request) -> str:
    """Say whether a request did anything."""
    if request.kind == "record":
        return "" if request.current else " and is refused: somebody else has written since"
    return "" if before.pods != after.pods else " and is refused: its name is taken, or the pod has changed"

"""The checker: every state that a scope allows, the shortest first, and for each whether all is as it must be.

Two things are asked of each state: nothing has happened that must never happen, and if nothing went wrong any more
the group would come to rest with exactly as many pods as it wants.
"""

from collections import deque
from dataclasses import dataclass

from modelcheck.operators import hear, looks
from modelcheck.scope import Scope
from modelcheck.state import LIVE, NOBODY, REPLICAS, State, canonical, live
from modelcheck.steps import arrivals, beginning, endings, may_look, questions, starts, steps, tenures

PATIENCE = 40  # steps without a fault within which a group must be at rest


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        states: how many were looked at.
        verdict: what is wrong in the last one of the trace; "" if all is well.
        trace: what happened until then, in sentences.
    """

    states: int
    verdict: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Tell it as a story."""
        lines = (f"{number:3}. {words}" for number, words in enumerate(self.trace, 1))
        return "\n".join([*lines, f"     {self.verdict or 'nothing is ever wrong'} ({self.states} states)"])


def check(scope: Scope) -> Report:
    """Look at every state of a scope, until one is wrong."""
    first = beginning(scope)
    came_from: dict[State, tuple[State, str] | None] = {canonical(first): None}
    ahead, at_rest = deque([first]), set[State]()
    while ahead:
        state = ahead.popleft()
        if verdict := wrong(state, scope) or restless(state, scope, at_rest):
            return Report(len(came_from), verdict, story(canonical(state), came_from))
        for words, after in steps(state, scope):
            key = canonical(after)
            if key not in came_from:
                came_from[key] = (state, words)
                ahead.append(after)
    return Report(len(came_from))


def story(state: State, came_from: dict[State, tuple[State, str] | None]) -> tuple[str, ...]:
    """Tell how a state came about."""
    told = []
    while step := came_from[state]:
        before, words = step
        told.append(words)
        state = canonical(before)
    return tuple(reversed(told))


def wrong(state: State, scope: Scope) -> str:
    """Say what must never be and is."""
    number, most = live(state.pods), REPLICAS + (scope.surge or 0)
    return f"{number} pods live, and never more than {most} were wanted" if number > most else state.wrong


def restless(state: State, scope: Scope, at_rest: set[State]) -> str:
    """Say what is wrong with the end that this state would come to without faults; "" if nothing is."""
    passed = []
    for _ in range(PATIENCE):
        if state in at_rest:
            break
        passed.append(state)
        after = next_quietly(state, scope)
        if after is None:
            if live(state.pods) != state.wish.replicas:
                return f"at rest with {live(state.pods)} live pods, and {state.wish.replicas} are wanted"
            if any(pod.stage == LIVE and pod.revision != state.wish.revision for pod in state.pods):
                return "at rest with an old pod"
            break
        state = after
    else:
        return "it does not come to rest"
    at_rest.update(passed)
    return ""


def next_quietly(state: State, scope: Scope) -> State | None:
    """Give the next state when nothing goes wrong: what is on its way arrives, pods end, operators know everything."""
    for options in (arrivals(state, scope), endings(state, scope), starts(state, scope), questions(state, scope)):
        for _, after in options:
            return after
    if scope.elected and state.leader == NOBODY:
        return next(after for _, after in tenures(state, scope))
    for number in range(scope.operators):
        if may_look(state, number, scope):
            told = informed(state, number)
            for _, after in looks(told, number, scope):
                return after
    return None


def informed(state: State, number: int) -> State:
    """Let an operator hear everything."""
    operator = hear(state.operators[number], len(state.operators[number].news))._replace(wish=state.wish)
    return state._replace(operators=(*state.operators[:number], operator, *state.operators[number + 1 :]))

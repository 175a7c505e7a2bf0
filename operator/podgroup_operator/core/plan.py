"""The plan for one group: what to adopt, release, create and remove, and when to look again.

`POLICIES` is what there is, and its order is priority: each looks at the view, spends what the ones before it have left
of the budget, and says what it wants done. A new policy is a file and one line. Nothing is done here; `act/apply.py`
acts, and decides nothing.
"""

from collections.abc import Callable, Iterable

from podgroup_operator.core.budget import Budget
from podgroup_operator.core.change_in_place import change_in_place
from podgroup_operator.core.claims import claims
from podgroup_operator.core.give_way import give_way
from podgroup_operator.core.heal import heal
from podgroup_operator.core.history import history
from podgroup_operator.core.maintenance import maintain
from podgroup_operator.core.model.plan import Plan
from podgroup_operator.core.replace_lost import replace_lost
from podgroup_operator.core.retire import retire
from podgroup_operator.core.scale_down import scale_down
from podgroup_operator.core.step import Step
from podgroup_operator.core.surge import surge
from podgroup_operator.core.view import View

Policy = Callable[[View, Budget], Step]

POLICIES: tuple[Policy, ...] = (
    claims,
    change_in_place,
    retire,
    scale_down,
    give_way,
    heal,
    history,
    replace_lost,
    surge,
    maintain,
)


def plan(view: View) -> Plan:
    """Decide what a group needs."""
    if view.desired.deleting:
        return Plan()  # owner references do the rest; what we made now would only be collected again
    budget = Budget(view)
    steps = [policy(view, budget) for policy in POLICIES]
    return Plan(
        missing=budget.missing,
        held=sum(step.held for step in steps),
        why_held=" ".join(step.why_held for step in steps if step.why_held),
        suppressed=" ".join(step.suppressed for step in steps if step.suppressed),
        adopts=tuple(each for step in steps for each in step.adopts),
        releases=tuple(each for step in steps for each in step.releases),
        creates=tuple(each for step in steps for each in step.creates),
        removes=tuple(each for step in steps for each in step.removes),
        changes=tuple(each for step in steps for each in step.changes),
        look_again=first_of(
            view.now,
            [step.look_again for step in steps],
            [view.next_available, *(streak.over for streak in view.streaks.values())],
            [
                view.now + refusal.wait
                for refusal in (*view.observed.held.values(), view.observed.template_refusal)
                if refusal
            ],
        ),
    )


def first_of(now: float, *times: Iterable[float | None]) -> float | None:
    """Find when time alone will change something: the first of the times that are yet to come."""
    return min((time for each in times for time in each if time is not None and time > now), default=None)

"""The oracle can fail: an operator that is deliberately broken is caught, and by the invariant that it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakeapi.faults import Answer, Cut, Silence
from faults.plan import Plan
from faults.strike import Strike

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.performance import Verdict

SILENT = Strike(Silence(), "watch pods", times=None)
LOST = Strike(Cut(after=True), "create pods", times=2)
REFUSED = Strike(Answer(403), "create pods", times=50)


def broken(variant: str, scenario: str, *strikes: Strike) -> Plan:
    """A plan with an operator that is broken in this way; nobody waits long for what it will not do."""
    return Plan(variant, scenario, strikes, in_the_middle=True, pause=0.0, variant=variant, patience=5.0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("plan", "invariant"),
    [
        (broken("generate_names", "grow", LOST, SILENT), "no_surplus"),
        (broken("expect_nothing", "grow", SILENT), "no_surplus"),
        (broken("delete_by_name", "scale"), "no_foreign_delete"),
        (broken("never_rest", "grow", REFUSED), "no_hot_loop"),
        (broken("forget_failures", "reject"), "back_off"),
        (broken("surge_at_will", "roll"), "no_surplus"),
        (broken("take_at_will", "roll"), "never_too_few"),
        (broken("stand_beside", "recreate"), "recreate_keeps_apart"),
        (broken("heal_by_rollout", "roll"), "no_heal_for_a_rollout"),
    ],
    ids=lambda value: value.name if isinstance(value, Plan) else value,
)
def test_broken_operator(plan: Plan, invariant: str, verdicts: Callable[[Plan], Verdict]) -> None:
    """What it breaks is named."""
    verdict = verdicts(plan)

    assert invariant in {violation.partition(":")[0] for violation in verdict.violations}, verdict.log

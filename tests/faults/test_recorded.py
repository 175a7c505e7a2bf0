"""The plans are made from what the operator writes today."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from faults.plan import Plan
from faults.plans import RECORDED, SURE_AT_LEAST, own_writes, recorded
from faults.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.performance import Verdict


def to_pods(keys: list[str]) -> Counter[str]:
    """Count the writes to pods."""
    return Counter(key for key in keys if key.endswith(" pods"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plan", [Plan(scenario, scenario) for scenario in SCENARIOS], ids=lambda plan: plan.name)
def test_writes(plan: Plan, verdicts: Callable[[Plan], Verdict], pytestconfig: pytest.Config) -> None:
    """Without faults the operator keeps every invariant, and writes to pods exactly what is recorded."""
    verdict = verdicts(plan)
    assert verdict.violations == [], verdict.log
    writes = [asked.key for asked in verdict.requests if asked.writes or asked.verb == "try"]
    if pytestconfig.getoption("--record", default=False):
        RECORDED.write_text(json.dumps(recorded() | {plan.name: writes}, indent=1) + "\n")

    if plan.name in SURE_AT_LEAST:  # what is in its middle is a matter of chance
        assert to_pods(writes) >= to_pods([key for key, _ in own_writes(plan.name)])
    else:
        assert to_pods(recorded()[plan.name]) == to_pods(writes)

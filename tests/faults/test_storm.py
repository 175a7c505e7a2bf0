"""Pods are killed by the hundred, and the operator with them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from faults.storm import CRASHES, STORM

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.performance import Verdict
    from faults.plan import Plan


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plan", [STORM], ids=lambda plan: plan.name)
def test_storm(plan: Plan, verdicts: Callable[[Plan], Verdict]) -> None:
    """Of 50 pods 200 are killed in 20 s, the operator thrice: never 51 live, 50 in the end, exactly 200 made anew."""
    verdict = verdicts(plan)

    sys.stdout.write(f"{verdict.seconds:.1f} s\n{verdict.account}")
    assert verdict.violations == []
    assert verdict.hits == len(CRASHES)

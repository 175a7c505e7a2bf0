"""The operator keeps its word whatever goes wrong between it and the API server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.performance import Verdict
    from faults.plan import Plan


@pytest.mark.timeout(600)
def test_plan(plan: Plan, verdicts: Callable[[Plan], Verdict], say: Callable[[str], None]) -> None:
    """No invariant is broken."""
    verdict = verdicts(plan)
    word = "BROKEN" if verdict.violations else "kept"
    say(f"{word:<6} {verdict.seconds:5.1f} s  seed {plan.seed}  {plan.name}")
    for violation in verdict.violations:
        say(f"       {violation}")
    sys.stdout.write(verdict.account)
    assert verdict.violations == []

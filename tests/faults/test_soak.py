"""Random kills, faults and restarts: for half an hour with `make soak`, else for seconds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from faults.soak import MINUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.performance import Verdict
    from faults.plan import Plan


@pytest.mark.timeout(60 * MINUTES + 600)
def test_soak(plan: Plan, verdicts: Callable[[Plan], Verdict]) -> None:
    """No invariant is broken in all that time."""
    verdict = verdicts(plan)

    sys.stdout.write(verdict.account)
    assert verdict.violations == []

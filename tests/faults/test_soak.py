"""Half an hour of random kills, faults and restarts: `make soak`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from faults.plan import Plan
from faults.soak import Soak

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from faults.performance import Site

MINUTES = float(os.environ.get("SOAK_MINUTES") or 0)


@pytest.mark.skipif(not MINUTES, reason="takes SOAK_MINUTES; `make soak` sets them")
@pytest.mark.timeout(60 * MINUTES + 600)
def test_soak(site: Site, tmp_path: Path, say: Callable[[str], None], pytestconfig: pytest.Config) -> None:
    """No invariant is broken in all that time."""
    seed = pytestconfig.getoption("--seed", 1)
    say(f"seed {seed}, {MINUTES:g} minutes")

    verdict = Soak(Plan("soak", "soak", seed=seed, pause=25.0, blind=5.0), site, tmp_path, MINUTES, say).play()

    sys.stdout.write(f"The operator's log:\n{verdict.log}\n")
    assert verdict.violations == []

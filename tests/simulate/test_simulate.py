"""The operator in a simulated world: a minute of many seeds, and proof that a seed is a story and the oracle can fail.

Each simulation runs as a program, as a person would run it (`make simulate`): strings must hash the same each time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
FIRST, SEEDS = 1, 24
"""Which simulations `make test` runs: about a minute of one processor; `make simulate` draws others."""


def simulate(*options: str) -> tuple[int, str]:
    """Run simulations; give the exit code and what is told."""
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    ran = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "simulate", *options], env=environment, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.timeout(900)
def test_all_is_well_in_the_end_and_nothing_is_wrong_before() -> None:
    """Whatever happens to one to three operators, no invariant breaks, and a quiet world is soon as it should be."""
    code, told = simulate(f"--seed={FIRST}", f"--seeds={SEEDS}", "--at-once=2")

    sys.stdout.write(told)
    assert code == 0, told


@pytest.mark.timeout(300)
def test_a_seed_tells_the_same_story_each_time() -> None:
    """What happens depends on nothing but the seed: two runs agree in each event, alone or among others."""
    _, among_others = simulate("--seed=1", "--seeds=2", "--digests", "--all", "--story=0")
    _, alone = simulate("--seed=2", "--digests", "--all", "--story=0")

    digest = next(line for line in among_others.splitlines() if line.startswith("seed 2: "))
    assert digest in alone.splitlines()

"""The operator in a simulated world: a minute of many seeds, and proof that a seed is a story and the oracle can fail.

Each simulation runs as a program, as a person would run it (`make simulate`): strings must hash the same each time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
FIRST, SEEDS = 1, 24
"""Which simulations `make test` runs: about a minute of one processor; `make simulate` draws others."""


def simulate(*options: str) -> tuple[int, str]:
    """Run simulations; give the exit code and what is told."""
    return run("simulate", *options)


def run(module: str, *options: str) -> tuple[int, str]:
    """Run a program; give the exit code and what is told."""
    environment = os.environ | {"PYTHONPATH": str(TESTS), "PYTHONHASHSEED": "0"}
    ran = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", module, *options], env=environment, capture_output=True, text=True, check=False
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


@pytest.mark.timeout(300)
@pytest.mark.parametrize("others", [("--operators=15",), ("--operators=3", "--beside-one-of-all")], ids=" ".join)
def test_operators_of_single_namespaces_keep_their_leads_where_answers_are_slow(others: tuple[str, ...]) -> None:
    """Each answer takes a second, and they hold one Lease together: none of them ever has to stop, nor does another."""
    code, told = run("simulate.guards", "--minutes=4", "--latency=1", *others)

    sys.stdout.write(told)
    assert code == 0, told


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("variant", "troubles", "first", "words"),
    [
        ("condemn_what_the_fence_spares", ("lost", "cut_off", "late", "stopped_operator"), 6, "convergence"),
        ("write_on_after_sigterm", ("rolled_operator",), 9, "one writer"),
        ("go_on_in_a_later_tenure", ("handed_back", "second_operator"), 2, "no surplus"),
        ("never_rest", ("denied", "busy_pods"), 1, "pace: again"),
        ("list_at_once", ("expired_watches",), 1, "pace: lists"),
        ("double_every_pause", ("crowd",), 1, "pace: "),
        ("count_twice", (), 1, "one count"),
        ("expect_nothing", (), 6, "pace: conflict|no harm|no surplus"),
    ],
    ids=lambda part: part if isinstance(part, str) and "_" in part else "",
)
def test_a_broken_operator_is_caught(variant: str, troubles: tuple[str, ...], first: int, words: str) -> None:
    """Each fault that the operator once had is found within some seeds, and called by its name.

    The first seed is one that found it when this was written, to save time; others do too, see `make simulate`.
    """
    chosen = [f"--trouble={trouble}" for trouble in troubles]
    code, told = simulate(f"--broken={variant}", f"--seed={first}", "--seeds=40", "--at-once=2", "--story=20", *chosen)

    assert code == 1, told
    violation = next(line for line in told.splitlines() if line.startswith("seed "))
    assert re.search(words, violation), told

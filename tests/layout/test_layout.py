"""The house stands as it was drawn: nothing shadows the standard library, and imports point one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "operator" / "podgroup_operator" / "core"
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime"}


def test_operator_is_a_folder_and_not_a_package() -> None:
    """With an `__init__.py` the folder `operator` would take the place of the standard library's module."""
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_the_standard_library_s_operator_wins() -> None:
    """A Python that starts in the repository, with the repository first on its path, gets its own `operator`."""
    # -S leaves out the site packages, which would have imported `operator` before the path is looked at.
    script = "import json, operator, sysconfig; print(operator.__file__.startswith(sysconfig.get_path('stdlib')))"
    started = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-S", "-c", script],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (started.stdout, started.stderr) == ("True\n", "")


def test_imports_keep_to_their_contracts() -> None:
    """The core imports nothing that acts, waits or rolls dice, and layers point one way (pyproject.toml)."""
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (our own)

    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("source", sorted(CORE.glob("*.py")), ids=lambda source: source.name)
def test_the_core_asks_no_clock(source: Path) -> None:
    """`datetime` may format a time but not tell it: no call in the core has the name of one that does."""
    calls = [node.func for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}

    assert not names & CLOCKS

"""docs/differences.md: behind each row stand the tests that run it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def test_each_row_names_tests_that_there_are() -> None:
    """What the page claims is run: each row names tests, and each of them exists."""
    lines = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| difference |")]
    known = {name for path in (ROOT / "tests").rglob("test_*.py") for name in TEST.findall(path.read_text("utf-8"))}
    named = {row: set(re.findall(r"`(test_\w+)`", row.rsplit(" | ", 1)[1])) for row in rows}
    assert len(rows) > 10
    assert {row: tests - known or "none" for row, tests in named.items() if not tests or tests - known} == {}

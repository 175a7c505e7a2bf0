"""docs/tools.md points to what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted(set(re.findall(r"`((?:tests|deploy)/[\w./-]+)`", (ROOT / "docs/tools.md").read_text())))


@pytest.mark.parametrize("path", PATHS)
def test_what_it_names_is_there(path: str) -> None:
    """Each test, file and folder."""
    assert (ROOT / path).exists()

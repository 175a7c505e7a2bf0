"""The README's table: for each verb that kubectl refuses for a PodGroup, the command that does the same."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
ROW = re.compile(r"^\| `(?P<verb>[a-z -]+)`[^|]* \| `(?P<command>[^`]+)`.*\|$", re.MULTILINE)
HEAD = "| `kubectl ...` |"


def table() -> dict[str, str]:
    """The commands by the verbs; a row that is not understood stands under its own text."""
    lines = README.read_text().partition(HEAD)[2].splitlines()[2:]
    found: dict[str, str] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        row = ROW.match(line)
        found[row["verb"] if row else line] = row["command"].replace(r"\|", "|") if row else ""
    return found

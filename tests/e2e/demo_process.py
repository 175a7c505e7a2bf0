"""The demo as a process of its own, as `make demo` starts it, and what there is to read of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = re.compile(r"podgroup-demo-[0-9a-f]{4}")
ROW = re.compile(r"│ (\d) +│ (web-\S+) +│ (web-\S+) +│ +([\d.]+) │ +([\d.]+) │ +([\d.]+) │")
"""One line of the table: seat, killed, replaced by, and the three times."""


CHOICE = ("CLUSTER", "KUBECONFIG")
"""What chooses the demo's cluster; what the tests were started with is not meant for it."""


def start(settings: dict[str, str]) -> subprocess.Popen[str]:
    """Start the demo as `make demo` does."""
    inherited = {name: value for name, value in os.environ.items() if name not in CHOICE}
    paths = os.pathsep.join(str(ROOT / path) for path in ("deploy", "deploy/local", "deploy/kind"))
    return subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**inherited, **settings, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(demo: subprocess.Popen[str], words: str) -> str:
    """Read what the demo prints until these words have come."""
    assert demo.stdout
    output = ""
    for line in demo.stdout:
        output += line
        if words in line:
            return output
    pytest.fail(f"The demo ended before it said {words!r}:\n{output}")


def operators(namespace: str) -> list[int]:
    """The processes of operators that serve this namespace."""
    option = f"--namespace={namespace}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        if option in words:
            found.append(int(process.name))
    return found

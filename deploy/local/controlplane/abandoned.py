"""Clusters that are named after the process that made them, so that others can tell when nobody wants them any more."""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path


def own_name(what: str, more: str = "") -> str:
    """Name a cluster of this process.

    Args:
        what: the kind of run, one word.
        more: tells it from others of this process.
    """
    return f"{what}-{os.getpid()}" + (f"-{more}" if more else "")


def abandoned(names: Iterable[str], *kinds: str) -> list[str]:
    """Choose from these clusters those that a run left which was killed before it could clean up.

    Args:
        names: of all clusters that there are.
        kinds: of run.
    """
    runs = (re.fullmatch(r"([a-z0-9]+)-(\d+)(-.+)?", name) for name in names)
    return [run[0] for run in runs if run and run[1] in kinds and not Path("/proc", run[2]).exists()]


def delete_abandoned(program: Path, *kinds: str) -> None:
    """Delete those clusters of a program that understands kind's command line."""
    answer = subprocess.run([program, "get", "clusters"], capture_output=True, text=True, check=True)  # noqa: S603 -- ours, or kind
    for name in abandoned(answer.stdout.split(), *kinds):
        subprocess.run([program, "delete", "cluster", f"--name={name}"], check=True)  # noqa: S603 -- ours, or kind

"""Run simulations: `python -m simulate --seed=17`, `--seeds=100`, or `--hours=8`; see `--help`.

Each runs in a process of its own, forked from one that has done nothing yet, and with strings that hash the same each
time: so a seed tells one story, whatever ran before it. A failing one is told, and how to run it again.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from simulate import clocks

if TYPE_CHECKING:
    from collections.abc import Sequence

STORY_LINES = 60


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; give the exit code: 1 if something happened that must not."""
    options = read(arguments)
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "simulate", *arguments])  # noqa: S606 - ourselves again
    clocks.install()
    from simulate.running import run_all  # noqa: PLC0415 - what it imports must find our clocks

    return run_all(options)


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="simulate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument("--hours", type=float, default=0.0, help="go on with further seeds for so long")
    parser.add_argument("--at-once", type=int, default=1, help="how many at once")
    parser.add_argument("--trouble", action="append", default=[], help="only this kind of trouble; may be repeated")
    parser.add_argument("--broken", default="", help="break the operator in this way first, see broken.py")
    parser.add_argument("--all", action="store_true", help="go on after a failure")
    parser.add_argument("--story", type=int, default=STORY_LINES, help="lines of a failure's story that are printed")
    parser.add_argument("--digests", action="store_true", help="print a line for each seed")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

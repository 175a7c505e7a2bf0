"""A terminal for tests: what a user types, typed by bash, with kubectl and helm for the tests' cluster."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]

BLOCK = re.compile(r"<!-- tested: (?P<name>[a-z-]+) -->\n```sh\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)


def readme() -> dict[str, str]:
    """The README's commands by their names."""
    return commands_of("README.md")


def commands_of(page: str) -> dict[str, str]:
    """A page's commands by their names: a comment `<!-- tested: name -->` stands before each such block."""
    return {block["name"]: block["commands"] for block in BLOCK.finditer((ROOT / page).read_text())}


class Shell:
    """Runs commands in the project's folder, as a user who has cloned it would.

    Args:
        kubeconfig: the cluster's.
        programs: what is on PATH before all else, by name.
        home: a folder for what the programs remember and for their links.
    """

    def __init__(self, kubeconfig: Path, programs: Mapping[str, Path], home: Path) -> None:
        for name, program in programs.items():
            (home / name).symlink_to(program.resolve())
        self._environment = {
            **os.environ,
            "PATH": f"{home}:{os.environ['PATH']}",
            "KUBECONFIG": str(kubeconfig.resolve()),
            **{f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")},
        }

    def run(self, commands: str) -> str:
        """Run the commands, all of which must succeed; give everything that they print."""
        done = subprocess.run(  # noqa: S603 - the tests' own commands, and the README's
            ["bash", "-euo", "pipefail", "-c", commands],  # noqa: S607 - whichever bash there is
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode} of:\n{commands}\n{done.stdout}"
        return done.stdout

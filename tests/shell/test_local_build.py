"""Building the local control plane tells what is missing, in a sentence, and builds what the go.mod files pin.

No Go is needed here: where one is asked for, a script plays it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from controlplane.programs import MODULES, PROGRAMS, Program

if TYPE_CHECKING:
    from pathlib import Path

BUILD = [sys.executable, "-m", "controlplane", "build"]


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment with changes, in which the control plane's package is found."""
    return {**os.environ, "PYTHONPATH": str(MODULES), **changes}


def failed_build(**changes: str) -> str:
    """Return what a build that cannot succeed says."""
    answer = subprocess.run(BUILD, env=environment(**changes), capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    assert answer.returncode == 1
    return answer.stderr


def play_go(folder: Path, version: str, compile_with: str) -> str:
    """Put a `go` of that version into the folder, which compiles with these lines of shell; return a PATH with it."""
    go = folder / "go"
    go.write_text(f'#!/bin/sh\n[ "$1" = env ] && echo {version} && exit\n{compile_with}\n')
    go.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def built(cache: Path) -> list[str]:
    """Return the names of all that lies where compiled programs are kept."""
    return sorted(path.name for path in (cache / "programs").rglob("*") if path.is_file())


def test_without_go_the_build_says_what_to_install(tmp_path: Path) -> None:
    """With nothing in the cache and no Go on PATH, one sentence tells what is needed and where it is."""
    said = failed_build(PATH=str(tmp_path), PODGROUP_CACHE=str(tmp_path / "cache"))
    assert said == (
        "Go is needed to build etcd and was not found: "
        "install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH.\n"
    )


@pytest.mark.parametrize(
    ("version", "message"),
    [
        pytest.param("go1.19.8", "is too old to build etcd (go1.19.8): install Go 1.26 or newer", id="too old"),
        pytest.param("go1.99", "Building etcd failed; `go build` ended with:\nno space left on device", id="fails"),
    ],
)
def test_a_go_that_cannot_build_is_reported(tmp_path: Path, version: str, message: str) -> None:
    """A Go that is too old, or a compiler that fails, ends the build with the reason."""
    path = play_go(tmp_path, version, "echo no space left on device >&2; exit 1")
    said = failed_build(PATH=path, PODGROUP_CACHE=str(tmp_path / "cache"))
    assert message in said
    assert built(tmp_path / "cache") == []


def test_two_builds_at_once_compile_each_program_once(tmp_path: Path) -> None:
    """Of two builds that start together one compiles and the other waits; afterwards every program is there."""
    calls = tmp_path / "calls"
    compile_slowly = f'while [ "$1" != -o ]; do shift; done; echo "$3" >> {calls}; sleep 0.1; echo program > "$2"'
    path = play_go(tmp_path, "go1.99", compile_slowly)
    env = environment(PATH=path, PODGROUP_CACHE=str(tmp_path / "cache"))
    builds = [subprocess.Popen(BUILD, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]  # noqa: S603 -- ours
    assert [build.wait() for build in builds] == [0, 0]
    assert sorted(calls.read_text().splitlines()) == sorted(program.package for program in PROGRAMS)
    assert built(tmp_path / "cache") == sorted(program.name for program in PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_program_is_a_tool_of_its_module(program: Program) -> None:
    """What is compiled is what the module's go.mod names as a tool, and so what its go.sum has checked."""
    go_mod = (program.source / "go.mod").read_text()
    assert f"\t{program.package}\n" in go_mod or f"tool {program.package}\n" in go_mod

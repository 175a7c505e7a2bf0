"""Building the local control plane tells what is missing, in a sentence, and builds what the go.mod files pin.

No Go is needed here: where one is asked for, a script plays it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from controlplane.compiler import NO_DEBUG_DATA, batches
from controlplane.programs import MODULES, PROGRAMS, Program
from kindnode.programs import KIND, KUBEADM, KUBELET

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


COMPILE = """
while [ "$1" != -o ]; do shift; done
folder=$2; shift 2; sleep 0.1
for package; do
  case $package in -*) continue;; esac
  printf '%s ' "$package" >> {calls}; package=${{package%/v3}}; echo program > "$folder${{package##*/}}"
done
echo >> {calls}
"""
"""Shell for what `go build -o folder/ package...` does, which writes down the packages of each call."""


def play_go(folder: Path, version: str, compile_with: str, sources: str = "") -> str:
    """Put a `go` of that version into the folder, with lines of shell for what it does; return a PATH with it.

    Args:
        folder: where.
        version: what it says of itself.
        compile_with: what `go build` does.
        sources: what `go list` does.
    """
    go = folder / "go"
    cases = f"env) echo {version};;\nlist) :\n{sources}\n;;\nbuild)\n{compile_with}\n;;"
    go.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}\nesac\n')
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


NO_SPACE = "echo no space left on device >&2; exit 1"
ALL = "etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok and kubectl"


@pytest.mark.parametrize(
    ("go", "message"),
    [
        pytest.param(
            ("go1.19.8", ""), "is too old to build etcd (go1.19.8): install Go 1.26 or newer", id="it is too old"
        ),
        pytest.param(
            ("go1.99", "", NO_SPACE),
            f"Building {ALL} failed; `go list` ended with:\nno space left on device\n",
            id="sources cannot be had",
        ),
        pytest.param(
            ("go1.99", NO_SPACE),
            f"Building {ALL} failed; `go build` ended with:\nno space left on device\n",
            id="the compiler fails",
        ),
    ],
)
def test_a_go_that_cannot_build_is_reported(tmp_path: Path, go: tuple[str, ...], message: str) -> None:
    """A Go that is too old, has no sources, or whose compiler fails, ends the build with the reason."""
    said = failed_build(PATH=play_go(tmp_path, *go), PODGROUP_CACHE=str(tmp_path / "cache"))
    assert message in said
    assert built(tmp_path / "cache") == []


def test_two_builds_at_once_compile_each_program_once(tmp_path: Path) -> None:
    """Of two builds that start together one compiles, all in one go, and the other waits for every program."""
    calls = tmp_path / "calls"
    path = play_go(tmp_path, "go1.99", COMPILE.format(calls=calls))
    env = environment(PATH=path, PODGROUP_CACHE=str(tmp_path / "cache"))
    builds = [subprocess.Popen(BUILD, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]  # noqa: S603 -- ours
    assert [build.wait() for build in builds] == [0, 0]
    assert calls.read_text().split() == [program.package for program in PROGRAMS]
    assert len(calls.read_text().splitlines()) == 1
    assert built(tmp_path / "cache") == sorted(program.name for program in PROGRAMS)
    assert list((tmp_path / "cache/programs").glob(".*")) == []


def test_a_pipe_gets_plain_lines_with_an_estimate(tmp_path: Path) -> None:
    """What is fetched, how long compiling will take, and how long it took: a line each, without escape codes."""
    source = tmp_path / "large.go"
    source.touch()
    os.truncate(source, 200_000_000)
    path = play_go(tmp_path, "go1.99", COMPILE.format(calls="/dev/null"), f'printf "large\\t1000\\t{source}\\n"')
    env = environment(PATH=path, PODGROUP_CACHE=str(tmp_path / "cache"))
    answer = subprocess.run(BUILD, env=env, stderr=subprocess.PIPE, text=True, check=True)  # noqa: S603 -- ours
    fetching, building, end = answer.stderr.splitlines()
    assert fetching == f"Fetching the sources of {ALL} ..."
    assert re.fullmatch(rf"Building {ALL}: about \d+ min \.\.\.", building)
    assert re.fullmatch(rf"Built {ALL} in \d s", end)


def test_programs_that_are_made_alike_are_compiled_together() -> None:
    """The control plane is one `go build`; kind, and what only its node runs, are modules of their own."""
    together = [[program.name for program in batch] for batch in batches((*PROGRAMS, KIND, KUBELET, KUBEADM))]
    assert together == [[program.name for program in PROGRAMS], ["kind"], ["kubelet", "kubeadm"]]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_debug_data_does_not_make_another_program(program: Program) -> None:
    """It is left out by the compiler because the linker drops it anyway: a flag that is no part of the cache's key."""
    assert "-s -w" in " ".join(program.flags)
    assert NO_DEBUG_DATA not in program.flags


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_program_is_a_tool_of_its_module(program: Program) -> None:
    """What is compiled is what the module's go.mod names as a tool, and so what its go.sum has checked."""
    go_mod = (program.source / "go.mod").read_text()
    assert f"\t{program.package}\n" in go_mod or f"tool {program.package}\n" in go_mod

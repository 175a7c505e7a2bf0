"""The workflow of the public forge does what is promised of it, with as few rights as it can."""

from __future__ import annotations

import re
from typing import Any

import yaml

from checks.manifests import ROOT
from controlplane.programs import MODULES, go_version

PATH = ROOT / ".github/workflows/ci.yaml"
TEXT = PATH.read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, Any] = WORKFLOW["jobs"]
ON = True
"""The key `on`, as YAML 1.1 reads it."""


def commands(job: str) -> list[str]:
    """What a job calls of make."""
    return [step["run"] for step in JOBS[job]["steps"] if step.get("run", "").startswith("make")]


def test_it_runs_at_each_push_and_pull_request() -> None:
    """Pull requests run without the secrets that `pull_request_target` would lend them."""
    assert set(WORKFLOW[ON]) == {"push", "pull_request"}


def test_each_job_runs_its_targets() -> None:
    """All of them are targets of the Makefile."""
    called = {job: commands(job) for job in JOBS}
    assert called == {
        "checks": ["make lint", "make audit AUDIT=--required", "make sbom"],
        "test": ["make test"],
        "e2e-kind": ["make e2e"],
        "image": [],
    }
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {command.split()[1] for each in called.values() for command in each} <= targets


def test_nobody_may_write_but_the_image_job() -> None:
    """That one may write packages; the token is left in no checkout."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {job: JOBS[job]["permissions"] for job in JOBS if "permissions" in JOBS[job]} == {
        "image": {"contents": "read", "packages": "write"}
    }
    checkouts = [step for job in JOBS.values() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_action_is_pinned() -> None:
    """By commit, for a tag can be moved; its version stands beside it."""
    uses = re.findall(r"uses: (.*)", TEXT)
    assert uses
    assert [each for each in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_the_image_is_built_only_of_a_tag_that_passed() -> None:
    """With provenance and an SBOM, after every other job, and from nothing that an earlier run left."""
    image = JOBS["image"]
    assert image["if"] == "startsWith(github.ref, 'refs/tags/v')"
    assert set(image["needs"]) == set(JOBS) - {"image"}
    (build,) = (step["with"] for step in image["steps"] if "build-push-action" in step.get("uses", ""))
    assert (build["provenance"], build["sbom"], build["no-cache"]) == ("mode=max", True, True)
    assert not [step for step in image["steps"] if "actions/cache" in step.get("uses", "")]


def test_every_job_ends() -> None:
    """A job that hangs is not left to run for six hours."""
    assert all("timeout-minutes" in job for job in JOBS.values())


def test_its_go_can_compile_everything() -> None:
    """It is as new as each Go module asks."""
    (given,) = {
        step["with"]["go-version"]
        for job in JOBS.values()
        for step in job["steps"]
        if "setup-go" in step.get("uses", "")
    }
    modules = [path.parent for path in ROOT.glob("deploy/*/**/go.mod")]
    assert MODULES / "lint" in modules
    assert max(go_version(str(module)) for module in modules) <= tuple(map(int, given.split(".")))

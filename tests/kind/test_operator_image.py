"""The operator's image: what is in it, what is not, and that it works in a pod."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.waiting import wait_for
from kindnode.debian import python
from kindnode.operator_image import build_operator_image, version

if TYPE_CHECKING:
    from pytest_kind import KindCluster

    from kindnode.engine import Engine

HERE = Path(__file__).parent

SLIM_BASE = 130_000_000
"""The size of python:3.11-slim, which can not be had where these tests run without Docker."""


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    """The operator's image, built from the tree as it is."""
    return build_operator_image(engine)


def inspect(engine: Engine, image: str) -> dict[str, Any]:
    """What podman knows about an image."""
    found: dict[str, Any] = json.loads(engine.ask("image", "inspect", image) or "[]")[0]
    return found


def test_the_image_is_small(engine: Engine, image: str) -> None:
    """On Python's slim image it would have less than 180 MB: what we add to a base is the same on any."""
    added = inspect(engine, image)["Size"] - inspect(engine, python(engine))["Size"]
    assert SLIM_BASE + added < 180_000_000


def test_the_image_says_what_it_is(engine: Engine, image: str) -> None:
    """It has the OCI labels, runs as a user with a number, and starts the operator."""
    config = inspect(engine, image)["Config"]
    assert version() == config["Labels"]["org.opencontainers.image.version"]
    assert config["Labels"]["org.opencontainers.image.title"] == "podgroup-operator"
    assert config["User"] == "65532:65532"
    assert (config["Entrypoint"], config["Cmd"]) == (["podgroup-operator"], ["run"])


def test_the_image_holds_nothing_that_builds(engine: Engine, image: str) -> None:
    """Neither uv nor pip nor a compiler nor our sources are in it, and the operator is installed as a wheel."""
    look = (
        "import importlib.util as util, pathlib, shutil, podgroup_operator as operator;"
        "print([shutil.which(tool) for tool in ('uv', 'pip', 'pip3', 'gcc', 'make')],"
        " util.find_spec('pip'), pathlib.Path('/src').exists(), operator.__file__.startswith('/app/lib/'))"
    )
    answer = engine.ask(
        "run", "--rm", "--network=none", "--read-only", "--entrypoint=/app/bin/python", image, "-c", look
    )
    assert answer == "[None, None, None, None, None] None False True"


def test_the_operator_heals_from_within_a_pod(engine: Engine, image: str, cluster: KindCluster) -> None:
    """In a restricted namespace, read-only, with in-cluster login, it replaces a pod that is deleted."""
    cluster.load_docker_image(image)
    cluster.kubectl("apply", "--server-side", f"--filename={HERE.parents[1] / 'crds/podgroups.yaml'}")
    applied = cluster.kubectl("apply", f"--filename={HERE / 'operator.yaml'}")
    assert "Warning" not in applied
    cluster.kubectl(
        "wait", "deployment", "--all", "--namespace=podgroup-system", "--for=condition=Available", "--timeout=90s"
    )
    cluster.kubectl("apply", f"--filename={HERE / 'group.yaml'}")
    cluster.kubectl("wait", "podgroups.selfheal.dev/alive", "--for=condition=Ready", "--timeout=90s")
    gone = json.loads(cluster.kubectl("get", "pods", "--selector=selfheal.dev/podgroup=alive", "--output=json"))[
        "items"
    ][0]
    cluster.kubectl("delete", "pod", gone["metadata"]["name"])

    def healed() -> dict[str, Any] | None:
        status: dict[str, Any] = json.loads(cluster.kubectl("get", "podgroups.selfheal.dev", "alive", "--output=json"))[
            "status"
        ]
        return status if status["readyReplicas"] == 3 and status["healing"]["total"] else None

    status = wait_for("the healing", healed, 60.0)
    assert (1, "Deleted", gone["metadata"]["name"]) == tuple(
        status["healing"][key] for key in ("total", "lastCause", "lastPod")
    )
    cluster.kubectl("delete", f"--filename={HERE / 'group.yaml'}")

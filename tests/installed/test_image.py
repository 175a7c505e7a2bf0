"""The operator's image: what is in it, what is not, and that the cluster runs this very one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kindnode.debian import python
from kindnode.operator_image import build_operator_image, version

if TYPE_CHECKING:
    from backend import Backend
    from installed.installation import Installation
    from kindnode.engine import Engine

SLIM_BASE = 130_000_000
"""The size of python:3.11-slim, which can not be had where these tests run without Docker."""

UNPRIVILEGED = ("run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL")


@pytest.fixture(scope="module")
def engine(kind_cluster: object, backend: Backend) -> Engine:
    """The engine that has the image."""
    if backend.engine is None:
        pytest.skip("needs an engine to look into the image; a cluster of the user's own has none")
    return backend.engine


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    """The operator's image, built from the tree as it is."""
    return build_operator_image(engine)


def inspect(engine: Engine, image: str) -> dict[str, Any]:
    """What the engine knows about an image."""
    found: dict[str, Any] = json.loads(engine.ask("image", "inspect", image) or "[]")[0]
    return found


def test_the_image_is_small(engine: Engine, image: str) -> None:
    """On Python's slim image it has less than 180 MB; where that cannot be had, what we add to another base counts."""
    size = inspect(engine, image)["Size"]
    base = engine.ask("image", "inspect", "--format={{.Size}}", python(engine)) if engine.program == "podman" else None
    assert (SLIM_BASE + size - int(base) if base else size) < 180_000_000


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
        "print([shutil.which(tool) for tool in ('uv', 'gcc', 'make')],"
        " util.find_spec('pip'), pathlib.Path('/src').exists(), operator.__file__.startswith('/app/lib/'))"
    )
    assert engine.ask(*UNPRIVILEGED, "--entrypoint=/app/bin/python", image, "-c", look) == (
        "[None, None, None] None False True"
    )


def test_the_image_needs_no_shell(engine: Engine, image: str) -> None:
    """The program is started as it is; without a cluster it ends with a sentence, and needs no writable file."""
    assert "podgroup-operator" in (engine.ask(*UNPRIVILEGED, image, "--help") or "")


def test_the_cluster_runs_this_image(image: str, installed: Installation) -> None:
    """The operator in the cluster is the image that was built from this tree."""
    containers = [container for pod in installed.ready() for container in pod["spec"]["containers"]]
    assert {f"docker.io/library/{container['image']}" for container in containers} == {image}

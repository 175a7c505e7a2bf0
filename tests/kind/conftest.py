"""Tests of kind without Docker: they start real clusters, so they need root and podman.

On a machine that has neither they are skipped with the sentence that says what is missing. In CI that would hide that
nothing was tested, so there the run fails, unless Docker runs and the end-to-end tests have a real cluster anyway.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_kind import KindCluster

from controlplane.abandoned import delete_abandoned, own_name
from controlplane.build import build
from controlplane.programs import KUBECTL
from kindnode import podman
from kindnode.busybox import build_busybox_image
from kindnode.engine import docker_runs
from kindnode.node import build_node
from kindnode.programs import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindnode.engine import Engine

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, or in CI refuse, what cannot run here."""
    real = [item for item in items if item.path.parent == HERE and "engine" in getattr(item, "fixturenames", ())]
    why = podman.unusable()
    if real and why and os.environ.get("CI") and not docker_runs():
        raise pytest.UsageError(why)
    for item in real:
        # The first of them builds a node: minutes once, and then a cluster's start.
        item.add_marker(pytest.mark.timeout(1800))
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The podman that the clusters run on, with all images and programs built."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        build_node()
        build([KUBECTL])
    engine = podman.engine()
    build_busybox_image(engine)
    delete_abandoned(COMMAND, "kind", "e2e", "demo")
    with pytest.MonkeyPatch.context() as patch:
        # Else kubectl leaves what it learns about each cluster in the user's home.
        patch.setenv("KUBECACHEDIR", str(tmp_path_factory.mktemp("kubectl")))
        yield engine


@pytest.fixture(scope="session")
def cluster(engine: Engine) -> Iterator[KindCluster]:
    """A cluster of its own for these tests, with the small image loaded."""
    cluster = KindCluster(own_name("kind"), kind_path=COMMAND, kubectl_path=KUBECTL.path)
    try:
        cluster.create()
        cluster.load_docker_image(build_busybox_image(engine))
        cluster.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=120s")
        yield cluster
    finally:
        cluster.delete()
        cluster.kubeconfig_path.unlink(missing_ok=True)
        cluster.path.rmdir()

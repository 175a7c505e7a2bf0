"""What these tests stand on: a cluster with real containers, the images, and the operator installed by its chart.

They are a run of their own (`make e2e`), for another operator beside the installed one would be one too many.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controlplane.build import build
from controlplane.programs import HELM
from e2e import chosen_cluster
from e2e.chosen_cluster import (
    backend,  # noqa: F401 - fixture
    pytest_collection_finish,  # noqa: F401 - hook
    pytest_configure,  # noqa: F401 - hook
    pytest_report_collectionfinish,  # noqa: F401 - hook
    pytest_unconfigure,  # noqa: F401 - hook
)
from e2e.operator_fixtures import api, namespace, shop  # noqa: F401 - fixtures
from installed.installation import Installation
from installed.shell import Shell
from kindnode.busybox import examples_image
from kindnode.operator_image import build_operator_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

    from backend import Backend

HERE = Path(__file__).parent
SECONDS = 600
"""What a test may take; the first one waits for the cluster and for the images to be built."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark our tests, and leave them to a run of their own."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    alone = len(ours) == sum("kind_cluster" in getattr(item, "fixturenames", ()) for item in items)
    for item in ours:
        item.add_marker(pytest.mark.containers)
        item.add_marker(pytest.mark.timeout(SECONDS))
        if not alone:
            item.add_marker(pytest.mark.skip(reason="needs a cluster without a second operator: make e2e"))
    chosen_cluster.pytest_collection_modifyitems(config, ours)


@pytest.fixture(scope="session")
def images(kind_cluster: KindCluster, backend: Backend) -> None:  # noqa: F811 - the fixture
    """The operator's image, of the tree as it is, and the examples' image: built and loaded.

    A cluster of the user's own has to pull them.
    """
    if backend.engine:
        for image in (build_operator_image(backend.engine), examples_image(backend.engine)):
            kind_cluster.load_docker_image(image)


@pytest.fixture(scope="session")
def shell(kind_cluster: KindCluster, backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Shell:  # noqa: F811 - the fixture
    """A terminal."""
    build([HELM])
    programs = {"kubectl": backend.kubectl, "helm": HELM.path}
    return Shell(Path(kind_cluster.kubeconfig_path), programs, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def installation(shell: Shell, images: None) -> Iterator[Installation]:
    """The operator, perhaps installed."""
    made = Installation(shell)
    yield made
    made.uninstall()


@pytest.fixture
def installed(installation: Installation) -> Installation:
    """The operator, installed by the README's commands, and ready."""
    installation.install()
    installation.ready()
    return installation

"""What these tests stand on: kubectl, which is built before the first test, where the progress is seen."""

from __future__ import annotations

import pytest

from controlplane.build import build
from controlplane.programs import KUBECTL


@pytest.fixture(scope="session")
def kubectl(pytestconfig: pytest.Config) -> None:
    """Have kubectl."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        build([KUBECTL])

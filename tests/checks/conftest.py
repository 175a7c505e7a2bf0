"""The programs that check the manifests are built before the first test, where the progress is seen."""

from __future__ import annotations

import pytest

from checks.conformity import KUBECONFORM
from checks.score import KUBE_SCORE
from controlplane.build import build
from controlplane.programs import HELM


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config) -> None:
    """Have helm, kubeconform and kube-score."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        build([HELM, KUBECONFORM, KUBE_SCORE])

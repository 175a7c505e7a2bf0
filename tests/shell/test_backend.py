"""Which cluster the end-to-end tests get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controlplane.backend import choose
from controlplane.errors import ControlPlaneError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def docker_and_kind(tmp_path: Path) -> str:
    """Return a PATH with a Docker client whose engine answers, and kind."""
    for name in ("docker", "kind"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        pytest.param({"KUBECONFIG": "/x"}, "existing", id="KUBECONFIG wins over Docker"),
        pytest.param({}, "kind", id="Docker and kind are there"),
        pytest.param({"PATH": "/nowhere"}, "local", id="nothing is there"),
        pytest.param({"PODGROUP_CLUSTER": "local", "KUBECONFIG": "/x"}, "local", id="a wish wins over all"),
        pytest.param({"PODGROUP_CLUSTER": "kind", "KUBECONFIG": "/x"}, "kind", id="a wish wins over KUBECONFIG"),
        pytest.param({"PODGROUP_CLUSTER": "", "KUBECONFIG": ""}, "kind", id="empty is like unset"),
    ],
)
def test_it_is_chosen_by_what_is_there(environment: dict[str, str], chosen: str, docker_and_kind: str) -> None:
    """PODGROUP_CLUSTER wins over KUBECONFIG, which wins over Docker, which wins over the local control plane."""
    assert choose({"PATH": docker_and_kind, **environment}).name == chosen


def test_a_docker_whose_engine_is_down_does_not_count(docker_and_kind: str, tmp_path: Path) -> None:
    """A Docker client alone is no reason to take kind."""
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    assert choose({"PATH": docker_and_kind}).name == "local"


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        pytest.param(
            "minikube",
            "PODGROUP_CLUSTER=minikube is unknown; it can be one of existing, kind, local, or unset.",
            id="unknown",
        ),
        pytest.param(
            "kind",
            "PODGROUP_CLUSTER=kind needs `kind` on PATH: see https://kind.sigs.k8s.io/docs/user/quick-start/",
            id="not installed",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(wish: str, sentence: str) -> None:
    """A wish that is unknown or cannot be met ends with a sentence, not with another cluster than was meant."""
    with pytest.raises(ControlPlaneError) as refused:
        choose({"PODGROUP_CLUSTER": wish, "PATH": "/nowhere"})
    assert str(refused.value) == sentence

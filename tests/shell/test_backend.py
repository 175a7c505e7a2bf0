"""Which cluster the end-to-end tests and the demo get, and how it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend import CHOICES, STOCK_KIND, choose
from controlplane.errors import ControlPlaneError
from kindnode.programs import COMMAND, KIND

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
        pytest.param({}, "kind", id="Docker runs"),
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


def test_docker_is_enough(docker_and_kind: str, tmp_path: Path) -> None:
    """Where Docker runs and kind is not installed, kind is compiled: sooner done than a control plane."""
    (tmp_path / "kind").unlink()
    backend = choose({"PATH": docker_and_kind})
    assert (backend.name, backend.kind) == ("kind", KIND.path)
    assert backend.engine
    assert backend.engine.program == "docker"


def test_kind_does_without_docker(docker_and_kind: str, tmp_path: Path) -> None:
    """Who wants kind gets it under podman where no Docker runs, and the installed one where it does."""
    wish = {"PODGROUP_CLUSTER": "kind"}
    assert choose({**wish, "PATH": docker_and_kind}).kind == tmp_path / "kind"
    without = choose({**wish, "PATH": "/nowhere"}, lambda: None)
    assert (without.name, without.kind, without.containers) == ("kind", COMMAND, True)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        pytest.param({}, "kind, with real containers (Docker runs and no KUBECONFIG is given)", id="kind"),
        pytest.param({"PATH": "/nowhere"}, "pretended nodes (no KUBECONFIG is given and no Docker runs)", id="local"),
        pytest.param({"KUBECONFIG": "/x"}, "loses them again (KUBECONFIG=/x)", id="existing"),
        pytest.param({"CLUSTER": "local"}, "pretended nodes (CLUSTER=local)", id="local is asked for"),
        pytest.param(
            {"CLUSTER": "existing"},
            "(CLUSTER=existing; without KUBECONFIG it is ~/.kube/config's)",
            id="existing is asked for",
        ),
    ],
)
def test_it_is_said_which_why_and_how_to_choose(environment: dict[str, str], said: str, docker_and_kind: str) -> None:
    """One sentence names what was taken and the reason, and how each other one is had."""
    backend = choose({"PATH": docker_and_kind, **environment}, variable="CLUSTER")
    sentence = backend.explained("make demo", "CLUSTER")
    assert said in sentence
    others = {name for name in CHOICES if f"make demo CLUSTER={name}" in sentence}
    assert others == set(CHOICES) - {backend.name}
    assert sentence.endswith(", or KUBECONFIG=FILE make demo")


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
            f"There can be no kind cluster: no Docker runs (see {STOCK_KIND}), and it rains.",
            id="not installed",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(wish: str, sentence: str) -> None:
    """A wish that is unknown or cannot be met ends with a sentence, not with another cluster than was meant."""
    with pytest.raises(ControlPlaneError) as refused:
        choose({"PODGROUP_CLUSTER": wish, "PATH": "/nowhere"}, lambda: "it rains.")
    assert str(refused.value) == sentence

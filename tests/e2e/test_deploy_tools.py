"""What helm and `kubectl apply --prune` do with a PodGroup: the claims of docs/tools.md."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from controlplane.build import build
from controlplane.programs import HELM
from e2e.namespace import template
from e2e.pod import uids
from e2e.terminal import Terminal
from e2e.versions import DELAY, LABELS, NEVER_READY, web
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

BROKEN = [{"name": "web", "image": "web", "volumeMounts": [{"name": "nowhere", "mountPath": "/nowhere"}]}]
SLOW = {DELAY: "2s"}


def podgroup(pod_template: Json, name: str = "web") -> str:
    """A PodGroup's manifest, labelled for pruning."""
    metadata = {"name": name, "labels": {"part-of": "shop"}}
    spec = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": pod_template}
    return yaml.safe_dump({"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": metadata, "spec": spec})


class Chart:
    """A chart with one PodGroup, in the folder of a terminal."""

    def __init__(self, terminal: Terminal, folder: Path) -> None:
        self._terminal = terminal
        self._folder = folder
        (folder / "chart/templates").mkdir(parents=True)
        (folder / "chart/Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 0.1.0\n")

    def install(self, pod_template: Json, flags: str = "--wait --timeout=60s") -> str:
        """Install or upgrade the release with this template of pods; return what helm prints, also if it fails."""
        (self._folder / "chart/templates/web.yaml").write_text(podgroup(pod_template))
        return self._terminal.type(f"helm upgrade --install shop chart {flags} || echo failed")


@pytest.fixture
def terminal(kind_cluster: KindCluster, shop: Namespace, tmp_path: Path) -> Terminal:
    """A terminal with helm."""
    build([HELM])
    return Terminal(kind_cluster, shop, tmp_path, {"helm": HELM.path})


@pytest.fixture
def chart(terminal: Terminal, tmp_path: Path) -> Chart:
    """The chart."""
    return Chart(terminal, tmp_path)


def test_helm_waits_for_the_first_pods(shop: Namespace, chart: Chart) -> None:
    """Also while the operator has not looked at the PodGroup yet; then all pods are available."""
    assert "STATUS: deployed" in chart.install(web("1", SLOW))
    assert [pod.ready for pod in shop.live()] == [True, True]


def test_helm_waits_for_a_rollout(shop: Namespace, chart: Chart) -> None:
    """When it is done all pods are new, and available."""
    chart.install(web("1"), flags="")
    before = shop.complete()
    assert "STATUS: deployed" in chart.install(web("2", SLOW))
    after = shop.live()
    assert [pod.ready for pod in after] == [True, True]
    assert not uids(after) & uids(before)


def test_helm_gives_up_at_once_on_a_template_that_is_refused(shop: Namespace, chart: Chart) -> None:
    """It does not wait for what is Stalled, and says why."""
    chart.install(web("1"), flags="")
    shop.complete()
    begun = time.monotonic()
    said = chart.install(web("1", containers=BROKEN), "--wait --timeout=100s")
    assert said.endswith("failed\n")
    assert "nowhere" in said
    assert time.monotonic() - begun < 50


def test_helm_rolls_back_what_does_not_come_up(shop: Namespace, chart: Chart) -> None:
    """With --rollback-on-failure the old template is back, and the old pods were never fewer than allowed."""
    chart.install(web("1"))
    said = chart.install(web("2", NEVER_READY), "--rollback-on-failure --timeout=4s")
    assert said.endswith("failed\n")
    assert {pod.annotations["version"] for pod in shop.complete()} == {"1"}


def test_helm_3_does_not_wait(shop: Namespace, chart: Chart) -> None:
    """As --wait=legacy of helm 4, which is its way: a kind it does not know is ready; kubectl can wait afterwards."""
    assert "STATUS: deployed" in chart.install(web("1", NEVER_READY), "--wait=legacy --timeout=60s")
    assert not any(pod.ready for pod in shop.live())


@pytest.fixture
def applied(terminal: Terminal, tmp_path: Path) -> Path:
    """A folder whose two PodGroups have been applied and of which one has been taken out since."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    for name in ("web", "gone"):
        (folder / f"{name}.yaml").write_text(podgroup(template({"labels": LABELS}), name))
    return folder


def test_prune_needs_to_be_told_of_podgroups(shop: Namespace, terminal: Terminal, applied: Path) -> None:
    """Kubectl's own list of kinds has no custom resources, so the one that was taken out stays."""
    terminal.type("kubectl apply --filename=manifests --prune --selector=part-of=shop")
    (applied / "gone.yaml").unlink()
    terminal.type("kubectl apply --filename=manifests --prune --selector=part-of=shop")
    assert set(shop.groups()) == {"gone", "web"}
    allowed = "--prune-allowlist=selfheal.dev/v1/PodGroup"
    terminal.type(f"kubectl apply --filename=manifests --prune --selector=part-of=shop {allowed}")
    wait_for("it to be gone", lambda: shop.groups() == ["web"])


def test_an_apply_set_finds_podgroups_itself(shop: Namespace, terminal: Terminal, applied: Path) -> None:
    """With kubectl's newer way to prune nothing has to be said."""
    apply = f"KUBECTL_APPLYSET=true kubectl apply --filename=manifests --prune --applyset=shop --namespace={shop.name}"
    terminal.type(apply)
    (applied / "gone.yaml").unlink()
    terminal.type(apply)
    wait_for("it to be gone", lambda: shop.groups() == ["web"])

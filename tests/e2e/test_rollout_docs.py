"""The commands of docs/rollouts.md, typed as they stand there: each does what the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.namespace import template
from e2e.pod import uids
from e2e.terminal import Terminal
from e2e.waiting import wait_for
from installed.shell import commands_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

COMMANDS = commands_of("docs/rollouts.md")
LABELS = {"app": "web"}
SPEC: Json = {"replicas": 3, "selector": {"matchLabels": LABELS}, "template": template({"labels": LABELS})}
PODGROUP: Json = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": {"name": "web"}, "spec": SPEC}
DEPLOYMENT: Json = {**PODGROUP, "apiVersion": "apps/v1", "kind": "Deployment"}


@pytest.fixture
def terminal(kind_cluster: KindCluster, shop: Namespace, tmp_path: Path) -> Terminal:
    """A terminal in the test's namespace, in a folder with the two manifests."""
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(PODGROUP))
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(DEPLOYMENT))
    return Terminal(kind_cluster, shop, tmp_path)


def image(shop: Namespace) -> str:
    """The image in the PodGroup's template."""
    return str(shop.group()["spec"]["template"]["spec"]["containers"][0]["image"])


def start_deployment(shop: Namespace) -> None:
    """A Deployment that has been through a rollout, so that it has two ReplicaSets."""
    other = {**SPEC, "template": template({"labels": LABELS}, terminationGracePeriodSeconds=2)}
    for spec in (other, SPEC):
        shop.kubectl("apply", "--filename=-", input=yaml.safe_dump({**DEPLOYMENT, "spec": spec}))
        shop.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    wait_for("the old pods to be gone", lambda: len(shop.pods()) == 3)


def test_from_a_deployment_without_restarting_a_pod(shop: Namespace, terminal: Terminal) -> None:
    """All ReplicaSets are orphaned, and the PodGroup takes the pods in: each is up to date, none is replaced."""
    start_deployment(shop)
    before = shop.pods()
    with shop.record() as recording:
        terminal.type(COMMANDS["from-a-deployment"])
        after = shop.complete()
        terminal.type(COMMANDS["status"])
        assert recording.created() == []
    assert uids(after) == uids(before)
    assert shop.status()["updatedReplicas"] == 3
    assert shop.api.request("GET", shop.path("replicasets", root="/apis/apps/v1"))["items"] == []


def test_to_a_deployment(shop: Namespace, terminal: Terminal) -> None:
    """The Deployment's pods are available before the PodGroup's go."""
    shop.start_group(**SPEC)
    terminal.type(COMMANDS["to-a-deployment"])
    assert shop.groups() == []
    wait_for("the PodGroup's pods to be gone", lambda: len(shop.pods()) == 3)
    assert {pod.owners[0]["kind"] for pod in shop.pods()} == {"ReplicaSet"}


def test_what_replaces_kubectl_rollout(shop: Namespace, terminal: Terminal) -> None:
    """A restart replaces all pods; the history lists both revisions; undo takes the group back to the first."""
    before = shop.start_group(**SPEC)
    terminal.type(COMMANDS["restart"])
    terminal.type(COMMANDS["status"])
    assert not uids(shop.live()) & uids(before)
    history = terminal.type(COMMANDS["history"])
    assert history.count("podgroup.selfheal.dev/web") == 2
    terminal.type(COMMANDS["undo"])
    terminal.type(COMMANDS["status"])
    assert shop.group()["spec"]["template"] == SPEC["template"]
    assert terminal.type(COMMANDS["history"]).splitlines()[-1].split()[0] == history.splitlines()[1].split()[0]


def test_what_replaces_kubectl_set_image(shop: Namespace, terminal: Terminal) -> None:
    """The image of the first container is another; paused first, no pod has it."""
    before = shop.start_group(**SPEC)
    terminal.type(COMMANDS["pause"])
    terminal.type(COMMANDS["set-image"])
    assert image(shop) == "nginx:1.29"
    wait_for("it to be told", lambda: shop.condition("Ready").get("reason") == "Paused")
    assert uids(shop.live()) == uids(before)

"""The commands of docs/rollouts.md, typed as they stand there: each does what the page says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.namespace import template
from e2e.pod import uids
from e2e.waiting import wait_for
from installed.shell import Shell, commands_of

if TYPE_CHECKING:
    from pytest_kind import KindCluster

    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

COMMANDS = commands_of("docs/rollouts.md")
LABELS = {"app": "web"}
SPEC: Json = {"replicas": 3, "selector": {"matchLabels": LABELS}, "template": template({"labels": LABELS})}
PODGROUP: Json = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": {"name": "web"}, "spec": SPEC}
DEPLOYMENT: Json = {**PODGROUP, "apiVersion": "apps/v1", "kind": "Deployment"}


class Terminal:
    """Types the page's commands, in the test's namespace and in a folder with the two manifests."""

    def __init__(self, cluster: KindCluster, shop: Namespace, folder: Path) -> None:
        (folder / "web.yaml").write_text(yaml.safe_dump(PODGROUP))
        (folder / "deployment.yaml").write_text(yaml.safe_dump(DEPLOYMENT))
        programs = {"kubectl": Path(cluster.kubectl_path)}
        self._shell = Shell(Path(cluster.kubeconfig_path), programs, folder)
        self._before = f'cd {folder}; kubectl() {{ command kubectl --namespace={shop.name} "$@"; }}\n'

    def type(self, name: str) -> str:
        """Type the commands of this name, and return what they print."""
        return self._shell.run(self._before + COMMANDS[name])


@pytest.fixture
def terminal(kind_cluster: KindCluster, shop: Namespace, tmp_path: Path) -> Terminal:
    """A terminal in the test's namespace."""
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
        terminal.type("from-a-deployment")
        after = shop.complete()
        terminal.type("status")
        assert recording.created() == []
    assert uids(after) == uids(before)
    assert shop.status()["updatedReplicas"] == 3
    assert shop.api.request("GET", shop.path("replicasets", root="/apis/apps/v1"))["items"] == []


def test_to_a_deployment(shop: Namespace, terminal: Terminal) -> None:
    """The Deployment's pods are available before the PodGroup's go."""
    shop.start_group(**SPEC)
    terminal.type("to-a-deployment")
    assert shop.groups() == []
    wait_for("the PodGroup's pods to be gone", lambda: len(shop.pods()) == 3)
    assert {pod.owners[0]["kind"] for pod in shop.pods()} == {"ReplicaSet"}


def test_what_replaces_kubectl_rollout(shop: Namespace, terminal: Terminal) -> None:
    """A restart replaces all pods; the history lists both revisions; undo takes the group back to the first."""
    before = shop.start_group(**SPEC)
    terminal.type("restart")
    terminal.type("status")
    assert not uids(shop.live()) & uids(before)
    history = terminal.type("history")
    assert history.count("podgroup.selfheal.dev/web") == 2
    terminal.type("undo")
    terminal.type("status")
    assert shop.group()["spec"]["template"] == SPEC["template"]
    assert terminal.type("history").splitlines()[-1].split()[0] == history.splitlines()[1].split()[0]


def test_what_replaces_kubectl_set_image(shop: Namespace, terminal: Terminal) -> None:
    """The image of the first container is another; paused first, no pod has it."""
    before = shop.start_group(**SPEC)
    terminal.type("pause")
    terminal.type("set-image")
    assert image(shop) == "nginx:1.29"
    wait_for("it to be told", lambda: shop.condition("Ready").get("reason") == "Paused")
    assert uids(shop.live()) == uids(before)

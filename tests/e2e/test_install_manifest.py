"""deploy/install.yaml on a real API server of its own, where each controller has its own account as in most clusters.

Everybody's local cluster cannot show what the admission policy does to the garbage collector: its controllers are
administrators, whom no policy of ours stops.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from chart.conftest import helm, render  # noqa: F401 - fixtures
from chart.rendered import DEFAULTS, EVERYTHING, ROOT
from e2e.api import Api
from e2e.namespace import Namespace
from e2e.operator_fixtures import new_namespace
from e2e.pod import names
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pytest_kind import KindCluster

    from chart.rendered import Rendered

FILE = ROOT / "deploy/install.yaml"
INSTALL = ("apply", "--server-side", f"--filename={FILE}")

REFUSED = "may not create pods in namespace"
OWN_ACCOUNTS = "--kube-controller-manager-arg=--use-service-account-credentials=true"
CRD_THERE = f"--crd={ROOT / 'crds/podgroups.yaml'}"
"""The garbage collector looks for new resources every 30 s: it is spared that."""


@pytest.fixture(scope="module")
def cluster(local_cluster: Callable[..., AbstractContextManager[KindCluster]]) -> Iterator[KindCluster]:
    """A cluster into which install.yaml was applied once."""
    with local_cluster("install", "--nodes=1", OWN_ACCOUNTS, CRD_THERE) as made:
        made.kubectl(*INSTALL)
        yield made


@pytest.fixture
def shop(cluster: KindCluster) -> Iterator[Namespace]:
    """A namespace where the policy is in force: Ann, who may do with PodGroups what an editor may, is refused."""
    with Api(cluster.kubeconfig_path) as api, new_namespace(api) as name:
        shop = Namespace(cluster, api, name)
        bind(shop, "ann", "podgroup-operator-edit")
        wait_for("the policy", lambda: REFUSED in create_as(shop, "ann"))
        yield shop


def bind(shop: Namespace, user: str, role: str, kind: str = "clusterrole") -> None:
    """Give somebody a role in the namespace."""
    shop.kubectl("create", "rolebinding", user, f"--{kind}={role}", f"--user={user}")


def create_as(shop: Namespace, user: str) -> str:
    """What the API server would say if somebody created a PodGroup."""
    container = {"name": "web", "image": "registry.k8s.io/pause:3.10"}
    group = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": {"name": "tried"}}
    group["spec"] = {"template": {"spec": {"containers": [container]}}}
    return shop.kubectl_as(user, "create", "--dry-run=server", "--filename=-", manifest=group)


def start_group(shop: Namespace) -> None:
    """Create a PodGroup with one pod, as the operator would."""
    uid = shop.create_group(replicas=1)
    owner = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": uid}
    shop.create_pod("web-0", {}, ownerReferences=[{**owner, "controller": True, "blockOwnerDeletion": True}])


def test_it_can_be_applied_again(cluster: KindCluster) -> None:
    """A second time nothing conflicts, and there is no warning."""
    said = cluster.kubectl(*INSTALL, stderr=subprocess.STDOUT)
    objects = FILE.read_text().count("---\napiVersion: ")
    assert said.count(" serverside-applied\n") == len(said.splitlines()) == objects


@pytest.mark.parametrize(
    ("values", "file"),
    [
        pytest.param([], DEFAULTS, id="by default"),
        pytest.param(["serviceMonitor.enabled=false", "prometheusRule.enabled=false"], EVERYTHING, id="everything"),
        pytest.param(["namespaces={default}"], DEFAULTS, id="some namespaces"),
    ],
)
def test_what_the_chart_renders_is_accepted(
    cluster: KindCluster,
    render: Callable[..., Rendered],  # noqa: F811 - the fixture
    values: list[str],
    file: Path,
) -> None:
    """Each object passes strict validation without a warning, the pods in a namespace that enforces `restricted`."""
    items = render(*values, file=file).manifests
    command = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts", "--filename=-")
    manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    said = cluster.kubectl(*command, input=manifests, stderr=subprocess.STDOUT)
    assert said.count(" serverside-applied (server dry run)\n") == len(said.splitlines()) == len(items)


@pytest.mark.parametrize(("propagation", "left"), [("Foreground", set()), ("Orphan", {"web-0"})])
def test_the_garbage_collector_ends_a_deletion(shop: Namespace, propagation: str, left: set[str]) -> None:
    """The collector, who may not create pods, takes a PodGroup's finalizer away all the same."""
    start_group(shop)
    shop.delete_group(propagation=propagation)
    eventually([], shop.groups)
    eventually(left, lambda: names(shop.live()))


def test_an_editor_may_create_a_group_and_a_viewer_may_look(shop: Namespace) -> None:
    """The built-in role `edit`, which the refusal tells to ask for, is enough; with `view` one sees, and no more."""
    shop.create_group()
    for user, role in (("ed", "edit"), ("vi", "view")):
        bind(shop, user, role)
    eventually("podgroup.selfheal.dev/tried created (server dry run)\n", lambda: create_as(shop, "ed"))
    eventually("podgroup.selfheal.dev/web\n", lambda: shop.kubectl_as("vi", "get", "pgrp", "--output=name"))
    assert "cannot create resource" in create_as(shop, "vi")


def test_an_autoscaler_needs_the_scale_only(shop: Namespace) -> None:
    """Who may use `podgroups/scale` and nothing else, as the HorizontalPodAutoscaler, scales."""
    shop.create_group(replicas=1)
    shop.kubectl("create", "role", "scaler", "--verb=get,patch", "--resource=podgroups.selfheal.dev/scale")
    bind(shop, "scaler", "scaler", "role")
    patch = ("patch", "pgrp", "web", "--subresource=scale", "--type=merge", '--patch={"spec": {"replicas": 2}}')
    wait_for("the role", lambda: "web patched" in shop.kubectl_as("scaler", *patch))
    assert shop.group()["spec"]["replicas"] == 2
    assert 'cannot get resource "podgroups"' in shop.kubectl_as("scaler", "get", "pgrp", "web")

"""Pretended nodes beside the real one: to drain, and to spread over."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from controlplane import processes
from e2e.waiting import wait_for
from kindnode import kwok
from kindnode.programs import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace
    from e2e.pod import Pod

NODES = 3
LABELS = {"app": "spread"}


@pytest.fixture(scope="module", autouse=True)
def pretended_nodes(kind_cluster: KindCluster) -> Iterator[None]:
    """Three nodes of kwok, for this module."""
    flags = [f"--name={kind_cluster.name}", f"--kubeconfig={kind_cluster.kubeconfig_path}", f"--nodes={NODES}"]
    subprocess.run([COMMAND, "create", "kwok-nodes", *flags], check=True)  # noqa: S603 - our own program
    yield
    kind_cluster.kubectl("delete", "pgrp", "--all", "--all-namespaces", "--wait=false")
    kind_cluster.kubectl("delete", "pod", "--all-namespaces", "--selector=app=spread", "--force")
    kwok.stop(kind_cluster.name)
    kind_cluster.kubectl("delete", "node", "--selector", f"{kwok.LABEL}=fake")
    assert processes.running(kwok.directory_of(kind_cluster.name)) == {}


def nodes(pods: list[Pod]) -> set[str]:
    """The nodes that pods are bound to."""
    return {pod.node for pod in pods}


def group() -> str:
    """A PodGroup of three pods that run on pretended nodes only, one on each."""
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    pod = {
        "tolerations": [{"key": kwok.LABEL, "operator": "Exists"}],
        "nodeSelector": {kwok.LABEL: "fake"},
        "topologySpreadConstraints": [{**spread, "labelSelector": {"matchLabels": LABELS}}],
        "containers": [{"name": "web", "image": "busybox:1.37"}],
    }
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    manifest = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": {"name": "spread"}}
    return json.dumps({**manifest, "spec": {"replicas": NODES, "template": template}})


# This one first: a drain waits for whatever is on the node, also in the namespace of a test that is over.
def test_a_drained_nodes_pods_come_back_elsewhere_within_the_budget(installed: object, shop: Namespace) -> None:
    """`kubectl drain` moves a node's pods to other nodes, and never leaves fewer Ready than the budget demands."""
    shop.kubectl("apply", "--filename=-", input=group())
    shop.complete("spread")
    budget = {"selector": {"matchLabels": LABELS}, "minAvailable": NODES - 1}
    shop.create("poddisruptionbudgets", {"metadata": {"name": "spread"}, "spec": budget}, "/apis/policy/v1")
    shop.kubectl("wait", "--for=jsonpath={.status.disruptionsAllowed}=1", "pdb/spread", "--timeout=90s")
    with shop.record() as recording:
        for node in ("node-0", "node-1"):
            shop.kubectl("drain", node, "--ignore-daemonsets", "--timeout=60s")
        wait_for("all pods on the last node", lambda: moved(shop))
        for node in ("node-0", "node-1"):
            shop.kubectl("uncordon", node)
        created = recording.created()
    assert len(created) == len({pod.replaces for pod in created})
    assert {pod.cause for pod in created} == {"Evicted"}


def moved(shop: Namespace) -> list[Pod] | None:
    """The group's pods, once all are Ready on the one node that is left."""
    pods = [pod for pod in shop.live() if pod.ready]
    return pods if len(pods) == NODES and nodes(pods) == {"node-2"} else None


def test_only_pods_that_ask_run_on_pretended_nodes(installed: object, shop: Namespace) -> None:
    """Pods that tolerate and select the pretended nodes are spread over them; others stay on the real one."""
    shop.kubectl("apply", "--filename=-", input=group())
    assert nodes(shop.complete("spread")) == {"node-0", "node-1", "node-2"}
    shop.kubectl("run", "real", "--image=busybox:1.37", "--", "sleep", "infinity")
    shop.kubectl("wait", "pod/real", "--for=condition=Ready", "--timeout=60s")
    assert nodes([shop.pod("real")]).isdisjoint({"node-0", "node-1", "node-2"})

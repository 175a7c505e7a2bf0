"""A node is lost: its pods are replaced long before Kubernetes deletes them, and one that flaps costs none."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from e2e.api import MERGE_PATCH
from e2e.namespace import template
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend import Backend
    from e2e.api import Api
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

FAKE = "kwok.x-k8s.io/node"
GRACE = 50.0
"""Seconds of silence after which a node counts as lost (kube-controller-manager, node-monitor-grace-period)."""


@contextmanager
def silent(api: Api, node: str) -> Iterator[None]:
    """Let nobody play a node's kubelet for a while."""
    path = f"/api/v1/nodes/{node}"
    api.request("PATCH", path, {"metadata": {"labels": {FAKE: None}}}, MERGE_PATCH)
    try:
        yield
    finally:
        api.request("PATCH", path, {"metadata": {"labels": {FAKE: "fake"}}}, MERGE_PATCH)


def beside(node: str) -> Json:
    """Give the wish to be on a node, as long as that is there."""
    here = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    wish = {"weight": 100, "preference": here}
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}


@pytest.mark.timeout(240)
def test_the_pods_of_a_lost_node_are_replaced(backend: Backend, shop: Namespace) -> None:
    """Seconds after its node is NotReady a pod is replaced on another one, with the cause NodeLost; the others stay.

    One that must be kept is replaced too, and stays.
    """
    if backend.name != "local":
        pytest.skip("only on the local control plane are nodes pretended")
    pods = shop.start_group(replicas=4, healing={"nodeLostSeconds": 5})
    lost = [pod for pod in pods if pod.node == pods[0].node]
    there = template(affinity=beside(pods[0].node))
    kept, *_ = shop.start_group("other", replicas=1, template=there, healing={"nodeLostSeconds": 5})
    assert kept.node == pods[0].node
    shop.patch_pod(kept, {"metadata": {"annotations": {"selfheal.dev/keep": "true"}}})
    with silent(shop.api, pods[0].node):
        wait_for("the loss of the node", lambda: None if shop.pod(pods[0].name).ready else True, GRACE * 2)
        start = time.monotonic()
        now = [pod for pod in shop.complete(without=lost) if pod.labels["selfheal.dev/podgroup"] == "web"]
        took = time.monotonic() - start
        assert took < 20
        assert {pod.cause for pod in now if pod.replaces} == {"NodeLost"}
        assert {pod.name for pod in pods} - {pod.name for pod in lost} <= {pod.name for pod in now}
        assert pods[0].node not in {pod.node for pod in now}
        wait_for("the replacement of the kept one", lambda: [pod for pod in shop.live() if pod.replaces == kept.name])
        eventually("True", lambda: shop.condition("Ready", "other")["status"])
        assert shop.pod(kept.name).live

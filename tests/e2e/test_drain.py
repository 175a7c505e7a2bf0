"""A node is drained by kubectl: with a surge and a PodDisruptionBudget the group never has fewer pods than wanted."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest

from e2e.api import MERGE_PATCH
from e2e.namespace import template
from e2e.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backend import Backend
    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

POLICY = "/apis/policy/v1"
DISCOVERY = 90.0
"""Seconds within which kube-controller-manager learns of a new CRD, whose `scale` its budgets ask."""
NODES = ("node-0", "node-1", "node-2")
REPLICAS = 6
TAINT = "node.kubernetes.io/unschedulable"

EVENLY = {
    "maxSkew": 1,
    "topologyKey": "kubernetes.io/hostname",
    "whenUnsatisfiable": "DoNotSchedule",
    "nodeTaintsPolicy": "Honor",
    "labelSelector": {"matchLabels": {"selfheal.dev/podgroup": "web"}},
}
"""Over the nodes that are open."""


def cordon(shop: Namespace, node: str, *, closed: bool) -> None:
    """Close a node to new pods, or open it; the taint that says so follows."""
    path = f"/api/v1/nodes/{node}"
    shop.api.request("PATCH", path, {"spec": {"unschedulable": closed}}, MERGE_PATCH)

    def is_closed() -> bool:
        return TAINT in {taint["key"] for taint in shop.api.request("GET", path)["spec"].get("taints") or ()}

    eventually(closed, is_closed)


@contextmanager
def half_on_each(shop: Namespace, backend: Backend, **healing: object) -> Iterator[str]:
    """Start a group with three of its six pods on each of two nodes, the third one empty; give the first node."""
    if backend.name != "local":
        pytest.skip("only on the local control plane are there three nodes")
    first, _, empty = NODES
    cordon(shop, empty, closed=True)
    try:
        evenly = template(topologySpreadConstraints=[EVENLY])
        pods = shop.start_group(replicas=REPLICAS, template=evenly, healing=healing)
        cordon(shop, empty, closed=False)
        assert len(on(pods, first)) == REPLICAS // 2
        yield first
    finally:
        for node in NODES:
            cordon(shop, node, closed=False)


def on(pods: list[Pod], node: str) -> list[Pod]:
    """Give the pods that are on a node."""
    return [pod for pod in pods if pod.node == node]


def set_budget(shop: Namespace) -> None:
    """Let no pod of the group be missed; wait until kube-controller-manager, which looks anew at each change, does."""
    spec = {"maxUnavailable": 0, "selector": {"matchLabels": {"selfheal.dev/podgroup": "web"}}}
    shop.create("poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": spec}, POLICY)
    path, tries = shop.path("poddisruptionbudgets", "web", POLICY), count()

    def expected() -> object:
        touched = {"metadata": {"annotations": {"touched": str(next(tries))}}}
        status = shop.api.request("PATCH", path, touched, MERGE_PATCH).get("status") or {}
        return status.get("expectedPods")

    eventually(REPLICAS, expected, DISCOVERY, pause=1.0)


def drain(shop: Namespace, node: str) -> None:
    """Drain a node of the group's pods, as an administrator does; it waits until all have gone."""
    selector = "--pod-selector=selfheal.dev/podgroup=web"
    shop.kubectl("drain", node, selector, "--timeout=90s", "--ignore-daemonsets")


@pytest.mark.timeout(300)
def test_with_surge_and_a_budget_nobody_is_missed(shop: Namespace, backend: Backend) -> None:
    """While a node with three of six pods is drained there are never fewer than six Ready, nor more than eight."""
    with half_on_each(shop, backend, surgeOnDrain=True) as node:
        set_budget(shop)
        old = on(shop.live(), node)
        with shop.record() as recording:
            drain(shop, node)
            now = shop.complete(without=old)
            assert recording.fewest_ready() >= REPLICAS
            assert recording.most_live() <= REPLICAS + 2
            assert len(recording.created()) == len(old)
        assert not on(now, node)
        # Which of the pods it lets go when there are replacements is for the budget to say.
        assert {"Maintenance"} <= {pod.cause for pod in now if pod.replaces} <= {"Maintenance", "Evicted"}
        assert shop.status()["healing"]["total"] == len(old)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("surge", [True, False])
def test_without_a_budget_there_is_a_gap(
    shop: Namespace,
    backend: Backend,
    record_property: Callable[[str, object], None],
    surge: bool,  # noqa: FBT001 - a fact, not a switch
) -> None:
    """Without a PodDisruptionBudget the drain is faster than any replacement; each pod is replaced once, too."""
    with half_on_each(shop, backend, surgeOnDrain=surge) as node:
        old = on(shop.live(), node)
        with shop.record() as recording:
            drain(shop, node)
            shop.complete(without=old)
            fewest = recording.fewest_ready()
            record_property("fewest Ready", fewest)
            assert fewest < REPLICAS
            assert len(recording.created()) == len(old)


@pytest.mark.timeout(120)
def test_a_cordon_alone_moves_the_pods(shop: Namespace, backend: Backend) -> None:
    """A cordon makes the replacements, and when they are available the operator lets the old pods go itself."""
    with half_on_each(shop, backend, surgeOnDrain=True) as node:
        old = on(shop.live(), node)
        with shop.record() as recording:
            cordon(shop, node, closed=True)
            assert not on(shop.complete(without=old), node)
            assert recording.fewest_ready() >= REPLICAS
            assert recording.most_live() <= REPLICAS + 2

"""How the scheduler spreads pods over uneven zones: a Deployment's, a PodGroup's, and those of `spec.spread: Default`.

Five nodes are in one zone and one in each of two others. No pod asks for CPU or memory, so that nothing but spreading
moves them. The nodes are the test's own: others keep off them, and its pods keep off others.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from controlplane.nodes import NODE_INFO, is_ready
from e2e.api import MERGE_PATCH
from e2e.namespace import template
from e2e.operator_fixtures import new_namespace
from e2e.twins import DEPLOYMENT, PODGROUP
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend import Backend
    from e2e.api import Api
    from e2e.twins import Kind

pytestmark = pytest.mark.usefixtures("zones", "operator")

Json = dict[str, Any]

NODES = "/api/v1/nodes"
ZONE = "topology.kubernetes.io/zone"
OWN = "test.selfheal.dev/zones"
ZONES = {"a": 5, "b": 1, "c": 1}
NAMES = [f"zone-{zone}-{number}" for zone, many in ZONES.items() for number in range(many)]
PODS = 9
EVENLY = {"a": 5, "b": 2, "c": 2}
"""So the scheduler spreads nine of a Deployment over these nodes."""

ROOM = {"cpu": "64", "memory": "256Gi", "pods": "110"}
APP = {"app": "web"}
SERVICE = {"metadata": {"name": "web"}, "spec": {"selector": APP, "ports": [{"port": 80}]}}


def node(name: str) -> Json:
    """A pretended node in its zone."""
    labels = {"kubernetes.io/hostname": name, "kwok.x-k8s.io/node": "fake", ZONE: name.split("-")[1], OWN: "yes"}
    status = {"capacity": ROOM, "allocatable": ROOM, "nodeInfo": NODE_INFO}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": [taint()]}, "status": status}


def taint() -> Json:
    """What keeps others off the nodes."""
    return {"key": OWN, "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def zones(api: Api, backend: Backend) -> Iterator[None]:
    """The nodes, ready."""
    if backend.name != "local":
        pytest.skip("needs kwok, which runs in the local control plane")
    for name in NAMES:
        api.request("POST", NODES, node(name))
    wait_for("the nodes to be ready", lambda: all(ready(api, name) for name in NAMES))
    yield
    for name in NAMES:
        api.request("DELETE", f"{NODES}/{name}")


def ready(api: Api, name: str) -> bool:
    """Whether a node is, and nothing but our own taint is on it."""
    body = api.request("GET", f"{NODES}/{name}")
    others = [each for each in body["spec"].get("taints") or () if each["key"] != OWN]
    return is_ready({**body, "spec": {"taints": others}})


def placed(api: Api, kind: Kind, *, service: bool = False, **spec: object) -> Counter[str]:
    """Where nine pods of this kind come to lie: how many on each node."""
    pods = template({"labels": APP}, nodeSelector={OWN: "yes"}, tolerations=[{"key": OWN, "operator": "Exists"}])
    body = {"replicas": PODS, "selector": {"matchLabels": APP}, "template": pods, **spec}
    with new_namespace(api) as name:
        pods_here = f"/api/v1/namespaces/{name}/pods"
        if service:
            api.request("POST", f"/api/v1/namespaces/{name}/services", SERVICE)
        api.request("POST", kind.path(name), {"metadata": {"name": "web"}, "spec": body, **named(kind)})

        def find() -> list[str] | None:
            items = api.request("GET", pods_here)["items"]
            nodes = [each["spec"]["nodeName"] for each in items if each["spec"].get("nodeName")]
            return nodes if len(nodes) == PODS else None

        nodes = wait_for("the pods to be placed", find)
        api.request("DELETE", kind.path(name, "web"))
        api.request("DELETE", pods_here)  # the garbage collector is slow to hear of a kind that is new
        wait_for("the pods to go, while their nodes are there", lambda: not api.request("GET", pods_here)["items"])
        return Counter(nodes)


def named(kind: Kind) -> Json:
    """The two lines."""
    return {"apiVersion": kind.root.removeprefix("/apis/"), "kind": "Deployment" if kind is DEPLOYMENT else "PodGroup"}


def by_zone(nodes: Counter[str]) -> dict[str, int]:
    """How many are in each zone."""
    return dict(sorted(Counter(name.split("-")[1] for name in nodes.elements()).items()))


def test_without_a_service_pods_are_not_spread_unless_asked_for(api: Api) -> None:
    """A Deployment's pods are on all nodes; a PodGroup's pile up on some; with `spread: Default` they lie as those."""
    assert by_zone(placed(api, DEPLOYMENT)) == EVENLY
    assert len(placed(api, PODGROUP)) < len(NAMES)
    asked = placed(api, PODGROUP, spread="Default")
    assert (by_zone(asked), len(asked)) == (EVENLY, len(NAMES))


def test_a_service_has_the_scheduler_spread_them(api: Api) -> None:
    """By the selector of a Service it spreads pods of whatever kind."""
    assert by_zone(placed(api, PODGROUP, service=True)) == EVENLY


def test_constraints_pass_nodes_over_that_have_no_zone(api: Api) -> None:
    """By itself the scheduler spreads a Deployment's over such nodes too; a pod's own constraints do not see them."""
    for name in NAMES:
        api.request("PATCH", f"{NODES}/{name}", {"metadata": {"labels": {ZONE: None}}}, MERGE_PATCH)
    assert len(placed(api, DEPLOYMENT)) == len(NAMES)
    assert len(placed(api, PODGROUP, spread="Default")) < len(NAMES)

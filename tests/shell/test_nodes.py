"""The cache of nodes: since when each is lost, and when there are too many for it to be their fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from podgroup_operator.api.fields import Fields
from podgroup_operator.api.wire.healing import tolerated_seconds
from podgroup_operator.api.wire.node import read_node
from podgroup_operator.observe.nodes import KEPT_GONE, NodeStore
from podgroup_operator.observe.pods import PodStore

if TYPE_CHECKING:
    from podgroup_operator.core.model.node import Node

Json = dict[str, Any]


class Nodes:
    """A cache with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now, self.version = 1000.0, 0
        self.woken: list[str] = []
        self.store = NodeStore(lambda: self.now, wake=self.woken.append)

    def hear(self, name: str, ready: str = "True", *taints: str) -> None:
        """Hear of a node."""
        self.store.upsert(self.read(name, ready, *taints))

    def read(self, name: str, ready: str = "True", *taints: str) -> Node:
        """Read a node."""
        self.version += 1
        body = {
            "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(self.version)},
            "spec": {"taints": [{"key": key, "effect": "NoExecute"} for key in taints]},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }
        node = read_node(body)
        assert node
        return node

    def lost(self) -> dict[str, float | None]:
        """Give since when each lost node is."""
        return {name: self.store.known[name].lost_since for name in sorted(self.store.lost)}


@pytest.fixture
def nodes() -> Nodes:
    """Ten nodes that are well."""
    found = Nodes()
    found.store.replace("", [found.read(f"n{number}") for number in range(10)], 1)
    found.woken.clear()
    return found


@pytest.mark.parametrize("ready", ["False", "Unknown"])
def test_since_when_a_node_is_lost(nodes: Nodes, ready: str) -> None:
    """It is lost since it was first seen not to be Ready, by our clock, and not any more when it is again."""
    nodes.hear("n1", ready)
    nodes.now += 30
    nodes.hear("n1", "Unknown")
    assert nodes.lost() == {"n1": 1000.0}
    nodes.hear("n1")
    assert nodes.lost() == {}
    assert nodes.woken == ["n1", "n1"]


def test_a_clock_that_is_set_loses_no_node(nodes: Nodes) -> None:
    """When our clock is set an hour ahead or back no node is lost for an hour by that, and a cool-down ends in time."""
    monotonic = 0.0
    pods = PodStore(lambda *_: True, lambda: nodes.now, monotonic=lambda: monotonic)
    nodes.store = NodeStore(pods.now)
    pods.clock_set = nodes.store.clock_set
    nodes.store.replace("", [nodes.read(f"n{number}") for number in range(3)], 1)
    nodes.hear("n1", "Unknown")
    nodes.hear("n2", "Unknown")
    nodes.hear("n2")
    calm = nodes.store.storm.until - nodes.now
    assert calm > 0
    for jump in (3600.0, -7200.0):
        nodes.now += jump
        now = pods.now()
        assert nodes.lost() == {"n1": now}
        assert nodes.store.storm.until - now == calm


def test_a_node_that_flaps_is_lost_anew_each_time(nodes: Nodes) -> None:
    """The time begins again whenever it has been Ready: one that flaps every 40 s is never lost for a minute."""
    for _ in range(5):
        nodes.hear("n1", "Unknown")
        assert nodes.lost() == {"n1": nodes.now}
        nodes.now += 40
        nodes.hear("n1")


def test_a_node_that_is_gone(nodes: Nodes) -> None:
    """It is lost, and surely dead; a new one of its name is another, and after a while it is forgotten."""
    nodes.store.remove("uid-n1")
    assert nodes.store.known["n1"].is_dead
    assert nodes.lost() == {"n1": 1000.0}
    nodes.now += KEPT_GONE + 1
    nodes.hear("n2", "Unknown")
    assert "n1" not in nodes.store.known
    nodes.hear("n1")
    nodes.store.remove("another")
    assert sorted(nodes.lost()) == ["n2"]


def test_out_of_service(nodes: Nodes) -> None:
    """A node that a person has tainted as out of service is lost, and surely dead."""
    nodes.hear("n1", "True", "node.kubernetes.io/out-of-service")
    assert nodes.lost() == {"n1": 1000.0}
    assert nodes.store.known["n1"].is_dead


def test_an_older_state_is_not_taken(nodes: Nodes) -> None:
    """What is older than what is known changes nothing."""
    old = nodes.read("n1", "Unknown")
    nodes.hear("n1")
    nodes.store.upsert(old)
    assert nodes.lost() == {}


@pytest.mark.parametrize(
    ("spec", "conditions", "maintained"),
    [
        ({}, [], False),
        ({"unschedulable": True}, [], True),
        ({}, [{"type": "DrainInProgress", "status": "True"}], True),
        ({}, [{"type": "MaintenancePlanned", "status": "True"}], True),
        ({}, [{"type": "GracefulNodeShutdownInProgress", "status": "True"}], True),
        ({}, [{"type": "DrainInProgress", "status": "Unknown"}], False),
        ({"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}, [], True),
        ({"taints": [{"key": "aws-node-termination-handler/spot-itn", "effect": "NoSchedule"}]}, [], True),
        ({"taints": [{"key": "DeletionCandidateOfClusterAutoscaler", "effect": "PreferNoSchedule"}]}, [], False),
        ({"taints": [{"key": "gpu", "effect": "NoSchedule"}]}, [], False),
    ],
)
def test_maintenance(nodes: Nodes, spec: Json, conditions: list[Json], maintained: bool) -> None:  # noqa: FBT001 - a fact
    """Cordons, lifecycle conditions and taints say that the pods of a node have to go; a mere candidate's does not."""
    metadata = {"name": "n1", "uid": "uid-n1", "resourceVersion": "99"}
    node = read_node({"metadata": metadata, "spec": spec, "status": {"conditions": conditions}})
    assert node
    nodes.store.upsert(node)
    assert nodes.store.maintained == ({"n1"} if maintained else set())
    assert nodes.woken == (["n1"] if maintained else [])
    nodes.version = 99
    nodes.hear("n1")
    assert nodes.store.maintained == set()
    assert nodes.lost() == {}


@pytest.mark.parametrize(
    ("number", "lost", "storm"),
    [
        (10, 5, False),
        (10, 6, True),
        (1, 1, True),
        (2, 1, False),
        (2, 2, True),
        (3, 1, False),
        (3, 2, True),
        (4, 2, False),
    ],
)
def test_a_storm(number: int, lost: int, storm: bool) -> None:  # noqa: FBT001 - a fact, not a switch
    """It is a storm when more than 55 % of the nodes are lost, at least two, or none is left."""
    nodes = Nodes()
    records = [nodes.read(f"n{each}", "Unknown" if each < lost else "True") for each in range(number)]
    nodes.store.replace("", records, 1)
    assert nodes.store.storm.raging is storm


def test_after_a_storm(nodes: Nodes) -> None:
    """Nothing is healed for a minute after it, and a second storm begins that anew."""
    for number in range(6):
        nodes.hear(f"n{number}", "Unknown")
    assert nodes.store.storm.raging
    nodes.now += 100
    nodes.hear("n0")
    assert (nodes.store.storm.raging, nodes.store.storm.until) == (False, nodes.now + 60)
    nodes.now += 10
    nodes.hear("n0", "Unknown")
    nodes.now += 10
    nodes.hear("n0")
    assert nodes.store.storm.until == nodes.now + 60


@pytest.mark.parametrize(
    ("tolerations", "seconds"),
    [
        ([], 0),
        ([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "tolerationSeconds": 900}], 900),
        ([{"key": "node.kubernetes.io/unreachable", "operator": "Exists"}], None),
        ([{"operator": "Exists"}], None),
        ([{"operator": "Exists", "effect": "NoSchedule"}], 0),
        ([{"key": "gpu", "operator": "Exists"}], 0),
        ([{"operator": "Exists"}, {"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 30}], 30),
        ([{"key": "node.kubernetes.io/not-ready", "tolerationSeconds": -5}], 0),
    ],
)
def test_what_a_template_tolerates(tolerations: list[Json], seconds: int | None) -> None:
    """A template says for how long its pods stay on a lost node: for a time, for ever, or nothing."""
    assert tolerated_seconds(Fields({"tolerations": tolerations})) == seconds

"""A group of which nothing is to be done causes no write at all, and bears no trace of the operator but its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.waiting import stays, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

QUIET = 5.0
WRITES = (
    "podgroup_status_writes_total",
    "podgroup_pod_creates_total",
    "podgroup_pod_deletes_total",
    "podgroup_failures_total",
)


def test_an_idle_group_causes_no_write(shop_here: Namespace, operator_here: OperatorProcess) -> None:
    """Groups at rest, one after a heal: they and their pods do not change and no Event comes, as long as we look."""
    shop_here.start_group("idle", 2)
    lost, *_ = shop_here.start_group()
    shop_here.kill(lost)
    shop_here.complete(without=[lost])
    shop_here.quiet()

    def state() -> object:
        groups = {name: shop_here.group(name)["metadata"]["resourceVersion"] for name in ("idle", "web")}
        pods = {pod.name: pod.version for pod in shop_here.pods()}
        return groups, pods, len(shop_here.events("idle")), len(shop_here.events("web"))

    writes = [operator_here.metric(name) for name in WRITES]
    assert writes[1] == 6
    stays(state(), state, QUIET)
    assert writes == [operator_here.metric(name) for name in WRITES]


def test_a_look_that_finds_nothing_to_do_writes_nothing(shop_here: Namespace, operator_here: OperatorProcess) -> None:
    """A change that is of no concern to the group makes the operator look, one of a pod not even that."""
    pod, *_ = shop_here.start_group("touched")
    shop_here.quiet("touched")
    writes = [operator_here.metric(name) for name in WRITES]
    looks = operator_here.metric("podgroup_reconcile_total")
    group = shop_here.patch_group({"metadata": {"annotations": {"example.com/note": "1"}}}, "touched")
    touched = shop_here.patch_pod(pod, {"metadata": {"annotations": {"example.com/note": "1"}}})
    wait_for("the operator to look", lambda: operator_here.metric("podgroup_reconcile_total") >= looks + 1)
    shop_here.quiet("touched")
    assert writes == [operator_here.metric(name) for name in WRITES]
    assert shop_here.group("touched") == group
    assert shop_here.pod(pod.name) == touched


def test_a_podgroup_bears_no_trace_but_its_status(shop_here: Namespace, operator_here: OperatorProcess) -> None:
    """The operator adds no finalizer, annotation or label to a PodGroup; it is the manager of its status alone."""
    shop_here.start_group("plain")
    metadata = shop_here.group("plain")["metadata"]
    assert {"finalizers", "annotations", "labels"}.isdisjoint(metadata)
    managed = {
        (entry.get("subresource"), *entry["fieldsV1"])
        for entry in metadata["managedFields"]
        if entry["manager"].startswith("podgroup-operator")
    }
    assert {("status", "f:status")} == managed

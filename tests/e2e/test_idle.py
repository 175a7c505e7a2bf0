"""A group of which nothing is to be done causes no write at all, and bears no trace of the operator but its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.namespace import Namespace
from e2e.operator_fixtures import new_namespace
from e2e.operator_process import OperatorProcess
from e2e.waiting import stays, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_kind import KindCluster

    from e2e.api import Api

QUIET = 5.0
WRITES = (
    "podgroup_status_writes_total",
    "podgroup_pod_creates_total",
    "podgroup_pod_deletes_total",
    "podgroup_failures_total",
)


@pytest.fixture(scope="module")
def shop(kind_cluster: KindCluster, api: Api, podgroup_crd: None) -> Iterator[Namespace]:
    """A namespace for all tests of this module."""
    with new_namespace(api) as name:
        yield Namespace(kind_cluster, api, name)


@pytest.fixture(scope="module")
def operator_here(
    operator_kubeconfig: Path,
    operator_process: OperatorProcess,
    shop: Namespace,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    """An operator that serves this namespace alone, so that it counts nothing else."""
    if operator_process.runs:
        operator_process.stop()
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(operator_kubeconfig, log, [f"--namespace={shop.name}"]) as process:
        process.start()
        yield process


def test_an_idle_group_causes_no_write(shop: Namespace, operator_here: OperatorProcess) -> None:
    """Groups at rest, one after a heal: they and their pods do not change and no Event comes, as long as we look."""
    shop.start_group("idle", 2)
    lost, *_ = shop.start_group()
    shop.kill(lost)
    shop.complete(without=[lost])
    shop.quiet()

    def state() -> object:
        groups = {name: shop.group(name)["metadata"]["resourceVersion"] for name in ("idle", "web")}
        pods = {pod.name: pod.version for pod in shop.pods()}
        return groups, pods, len(shop.events("idle")), len(shop.events("web"))

    writes = [operator_here.metric(name) for name in WRITES]
    assert writes[1] == 6
    stays(state(), state, QUIET)
    assert writes == [operator_here.metric(name) for name in WRITES]


def test_a_look_that_finds_nothing_to_do_writes_nothing(shop: Namespace, operator_here: OperatorProcess) -> None:
    """A change that is of no concern to the group makes the operator look, and that is all."""
    pod, *_ = shop.start_group("touched")
    shop.quiet("touched")
    writes = [operator_here.metric(name) for name in WRITES]
    looks = operator_here.metric("podgroup_reconcile_total")
    group = shop.patch_group({"metadata": {"annotations": {"example.com/note": "1"}}}, "touched")
    touched = shop.patch_pod(pod, {"metadata": {"annotations": {"example.com/note": "1"}}})
    wait_for("the operator to look", lambda: operator_here.metric("podgroup_reconcile_total") >= looks + 2)
    shop.quiet("touched")
    assert writes == [operator_here.metric(name) for name in WRITES]
    assert shop.group("touched") == group
    assert shop.pod(pod.name) == touched


def test_a_podgroup_bears_no_trace_but_its_status(shop: Namespace, operator_here: OperatorProcess) -> None:
    """The operator adds no finalizer, annotation or label to a PodGroup; it is the manager of its status alone."""
    shop.start_group("plain")
    metadata = shop.group("plain")["metadata"]
    assert {"finalizers", "annotations", "labels"}.isdisjoint(metadata)
    managed = {
        (entry.get("subresource"), *entry["fieldsV1"])
        for entry in metadata["managedFields"]
        if entry["manager"].startswith("podgroup-operator")
    }
    assert {("status", "f:status")} == managed

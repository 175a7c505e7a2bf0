"""A PodGroup that is deleted takes its pods with it, or leaves them, as it was asked, with or without the operator.

Owner references do it all. The operator's part is to keep its hands off: nothing is made for an owner that is going.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.namespace import HOLD, template
from e2e.pod import names, uids
from e2e.waiting import eventually, stays, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

CASCADES = ["Background", "Foreground"]
LABELS = template({"labels": {"app": "web"}})
SELECTOR = {"matchLabels": {"app": "web"}}
COLLECTION = 45.0
"""Seconds until Kubernetes' garbage collector has done its work: it looks for new CRDs every 30 s."""

HELD = template({"labels": {"app": "web"}, "finalizers": [HOLD]})


def everything_goes(shop: Namespace) -> None:
    """Wait until neither a PodGroup nor a pod is left."""
    eventually(([], set()), lambda: (shop.groups(), names(shop.pods())), COLLECTION)


def orphans_are_left(shop: Namespace) -> None:
    """Wait until the PodGroup is gone and no pod has an owner any more."""
    eventually(([], {""}), lambda: (shop.groups(), {pod.controller for pod in shop.pods()}), COLLECTION)


@pytest.mark.parametrize("propagation", CASCADES)
def test_the_pods_go_with_their_group(shop: Namespace, operator: OperatorProcess, propagation: str) -> None:
    """In the background or in the foreground: the pods and the PodGroup go, and no pod is made meanwhile."""
    shop.start_group()
    with shop.record() as recording:
        shop.delete_group(propagation=propagation)
        everything_goes(shop)
        assert recording.created() == []


@pytest.mark.parametrize("propagation", CASCADES)
def test_the_pods_go_without_the_operator(shop: Namespace, operator: OperatorProcess, propagation: str) -> None:
    """With the operator down a PodGroup and its pods go all the same, and nothing comes back when it is up again."""
    shop.start_group()
    operator.kill()
    with shop.record() as recording:
        shop.delete_group(propagation=propagation)
        everything_goes(shop)
        operator.start()
        shop.start_group("later", 1)
        assert {"later"} == {pod.labels["selfheal.dev/podgroup"] for pod in recording.created()}


@pytest.mark.parametrize("away", [False, True], ids=["operator up", "operator down"])
def test_orphans_are_left_alone(shop: Namespace, operator: OperatorProcess, *, away: bool) -> None:
    """Deleted with orphan propagation, the PodGroup goes and its pods run on, the same ones, without an owner."""
    pods = shop.start_group()
    if away:
        operator.kill()
    with shop.record() as recording:
        shop.delete_group(propagation="Orphan")
        orphans_are_left(shop)
        operator.start()
        shop.start_group("later", 1)
        assert {"later"} == {pod.labels["selfheal.dev/podgroup"] for pod in recording.created()}
    assert uids(pods) < uids([pod for pod in shop.live() if pod.ready])


def test_a_pod_that_dies_under_a_dying_owner_is_not_replaced(shop: Namespace, operator: OperatorProcess) -> None:
    """While a PodGroup waits in the foreground for its pods to end, none of them is replaced."""
    first, *others = shop.start_group(template=HELD)
    with shop.record() as recording:
        shop.delete_group(propagation="Foreground")
        eventually({True}, lambda: {pod.terminating for pod in shop.pods()}, COLLECTION)
        shop.let_go(first)
        eventually(uids(others), lambda: uids(shop.pods()))
        shop.start_group("later", 1)
        assert {"later"} == {pod.labels["selfheal.dev/podgroup"] for pod in recording.created()}
        for pod in others:
            shop.let_go(pod)
        eventually(["later"], shop.groups)


def test_a_successor_takes_the_orphans(shop: Namespace, operator: OperatorProcess) -> None:
    """A PodGroup that is made again with the same name and selector takes its predecessor's orphans: the same pods."""
    pods = shop.start_group(selector=SELECTOR, template=LABELS)
    shop.delete_group(propagation="Orphan")
    orphans_are_left(shop)
    with shop.record() as recording:
        successors = shop.start_group(selector=SELECTOR, template=LABELS)
        assert recording.created() == []
    assert uids(pods) == uids(successors)
    assert [pod.slot for pod in pods] == [pod.slot for pod in successors]


def test_a_namesake_does_not_take_strangers(shop: Namespace, operator: OperatorProcess) -> None:
    """A PodGroup of the same name with another selector leaves its predecessor's orphans alone: a name is no claim."""
    pods = shop.start_group(selector=SELECTOR, template=LABELS)
    shop.delete_group(propagation="Orphan")
    orphans_are_left(shop)
    other = template({"labels": {"app": "other"}})
    namesakes = shop.start_group(selector={"matchLabels": {"app": "other"}}, template=other)
    assert uids(pods).isdisjoint(uids(namesakes))
    assert [shop.pod(pod.name).controller for pod in pods] == [""] * 3


def test_the_dying_pods_of_a_predecessor_do_not_count(shop: Namespace, operator: OperatorProcess) -> None:
    """A PodGroup that is made anew while its predecessor's pods terminate gets its own, and counts only those."""
    old = shop.start_group(template=HELD)
    shop.delete_group()
    eventually(([], {True}), lambda: (shop.groups(), {pod.terminating for pod in shop.pods()}), COLLECTION)
    fresh = shop.start_group(template=LABELS)
    assert uids(old).isdisjoint(uids(fresh))
    assert len(shop.pods()) == 6
    counts = {key: shop.status()[key] for key in ("replicas", "readyReplicas", "terminatingReplicas")}
    assert counts == {"replicas": 3, "readyReplicas": 3, "terminatingReplicas": 0}
    for pod in old:
        shop.let_go(pod)
    eventually(uids(fresh), lambda: uids(shop.pods()))
    stays(0, lambda: shop.status()["healing"]["total"], 0.5)


def test_a_namespace_goes_in_peace(shop: Namespace, operator: OperatorProcess) -> None:
    """A namespace with a PodGroup in it can be deleted: the operator does not fight for the pods."""
    shop.start_group()
    with shop.record() as recording:
        shop.api.request("DELETE", f"/api/v1/namespaces/{shop.name}")
        wait_for("the namespace's end", lambda: not shop.api.exists(f"/api/v1/namespaces/{shop.name}"), COLLECTION)
        # No mark can be made in a namespace that is gone: what has been heard until then has to do.
        assert "ADDED" not in {change.kind for change in recording.changes}

"""Which pods a PodGroup takes in: ReplicaSet's rules. A pod of another controller is never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.namespace import HOLD, template
from e2e.pod import uids
from e2e.waiting import eventually, wait_for
from podgroup_operator.core.names import pod_name

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

LABELS = {"app": "web"}
WEB: dict[str, Any] = {"selector": {"matchLabels": LABELS}, "template": template({"labels": LABELS})}


def test_a_bare_pod_is_taken_in(shop: Namespace) -> None:
    """A pod that nobody owns and that matches is one of the group's from now on, with owner, group and slot."""
    bare = shop.create_pod("bare", LABELS)
    pods = shop.start_group(**WEB)
    assert bare.uid in uids(pods)
    taken = shop.pod("bare")
    assert (taken.owners[0]["name"], taken.owners[0]["blockOwnerDeletion"]) == ("web", True)
    assert taken.labels["selfheal.dev/podgroup"] == "web"
    assert {"0", "1", "2"} == {pod.slot for pod in shop.live()}


def test_a_bare_pod_that_comes_later_is_one_too_many(shop: Namespace) -> None:
    """A matching pod that appears when the group is complete is taken in, and then one of them all has to go."""
    before = shop.start_group(**WEB)
    with shop.record() as recording:
        bare = shop.create_pod("bare", LABELS)
        recording.first("the pod to be taken in", lambda change: change.pod.name == "bare" and bool(change.pod.owners))
        recording.first("one pod to be deleted", lambda change: change.pod.terminating)
        pods = shop.complete()
        assert uids(recording.created()) == {bare.uid}
    assert uids(pods) < {bare.uid} | uids(before)


def test_a_taken_pod_is_healed_like_any_other(shop: Namespace) -> None:
    """When a pod that was taken in is killed, a pod of the template takes its slot."""
    shop.create_pod("bare", LABELS)
    shop.start_group(**WEB)
    bare = shop.pod("bare")
    shop.kill(bare)
    pods = shop.complete(without=[bare])
    (fresh,) = [pod for pod in pods if pod.replaces == "bare"]
    assert bare.slot == fresh.slot


def test_pods_of_another_controller_are_not_touched(shop: Namespace) -> None:
    """The pods of a ReplicaSet with the same labels stay as they are, be the group's own too few or too many."""
    selector = {"matchLabels": LABELS | {"tier": "old"}}
    pod_template = template({"labels": LABELS | {"tier": "old"}})
    manifest = {"metadata": {"name": "old"}, "spec": {"replicas": 2, "selector": selector, "template": pod_template}}
    shop.create("replicasets", manifest, "/apis/apps/v1")
    theirs = wait_for("the ReplicaSet's pods", lambda: pods if len(pods := shop.live()) == 2 else None)
    eventually({True}, lambda: {pod.ready for pod in shop.pods()})
    before = [shop.pod(pod.name).version for pod in theirs]
    ours = shop.start_group(**WEB)
    shop.kill(ours[0])
    shop.complete(without=[ours[0]])
    shop.kubectl("scale", "podgroups.selfheal.dev/web", "--replicas=1")
    shop.complete()
    assert before == [shop.pod(pod.name).version for pod in theirs]


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_finished_orphan_is_not_taken_in(shop: Namespace, phase: str) -> None:
    """A matching pod that nobody owns and that has finished is left as it is."""
    shop.create_pod("done", LABELS)
    wait_for("the pod to run", lambda: shop.pod("done").ready)
    finished = shop.finish(shop.pod("done"), phase)
    pods = shop.start_group(**WEB)
    assert finished.uid not in uids(pods)
    assert finished.version == shop.pod("done").version


def test_a_terminating_orphan_is_not_taken_in(shop: Namespace) -> None:
    """A matching pod that nobody owns and that is on its way out is left as it is."""
    leaving = shop.create_pod("leaving", LABELS, finalizers=[HOLD])
    shop.kill(leaving)
    pods = shop.start_group(**WEB)
    assert leaving.uid not in uids(pods)
    assert shop.pod("leaving").owners == []
    shop.let_go(leaving)


def test_another_owner_is_no_controller(shop: Namespace) -> None:
    """A pod with an owner that is not its controller is taken in, and keeps that owner."""
    config = shop.create("configmaps", {"metadata": {"name": "origin"}})["metadata"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "origin", "uid": config["uid"]}
    shop.create_pod("bare", LABELS, ownerReferences=[owner])
    pods = shop.start_group(**WEB)
    (taken,) = [pod for pod in pods if pod.name == "bare"]
    owners = {(owner["kind"], owner.get("controller")) for owner in taken.owners}
    assert owners == {("ConfigMap", None), ("PodGroup", True)}


def test_a_pod_that_does_not_match_is_no_concern(shop: Namespace) -> None:
    """A bare pod with other labels stays bare, even if its name is one that the group might give."""
    shop.create_pod("web-0-bcdfg", {"app": "other"})
    shop.start_group(**WEB)
    assert shop.pod("web-0-bcdfg").owners == []


@pytest.mark.parametrize("controlled", [False, True], ids=["bare", "another controller's"])
def test_a_name_that_is_taken_is_passed_over(shop: Namespace, *, controlled: bool) -> None:
    """When a stranger's pod bears the very name that is next, the replacement gets the one after it."""
    (lost,) = shop.start_group(replicas=1, **WEB)
    config = shop.create("configmaps", {"metadata": {"name": "origin"}})["metadata"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "origin", "uid": config["uid"], "controller": True}
    following = [pod_name("web", lost.controller, 0, epoch) for epoch in (1, 2)]
    stranger = shop.create_pod(following[0], {"app": "other"}, ownerReferences=[owner] if controlled else [])
    shop.kill(lost)
    (fresh,) = shop.complete(without=[lost])
    assert fresh.name == following[1]
    assert shop.pod(stranger.name).owners == stranger.owners

"""A group that version 0.1.0 has made, which kept no revisions: nothing is rolled until its template changes.

Its state is written here as that version left it. Pods bear a hash of the template that they are of; those of another
than the present one are left as they are, and that is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e2e.pod import Pod, uids
from e2e.test_revisions import revisions, seen
from e2e.versions import LABELS, bounds, change, rolled, version_of, web
from e2e.waiting import eventually, wait_for
from podgroup_operator.api.wire.revision import template_hash
from podgroup_operator.core.names import pod_name

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

SINCE = "2026-01-01T00:00:00Z"
TOLD = {
    "Ready": ("True", "AllReplicasAvailable", "All 4 replicas are available."),
    "Available": ("True", "MinimumReplicasAvailable", "PodGroup has minimum availability."),
    "ReplicaFailure": ("False", "NoFailure", "Every create and delete was accepted."),
    "Stalled": ("False", "NotStalled", "Nothing needs a person."),
}
BOUNDS = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def conditions(generation: int) -> list[Json]:
    """What version 0.1.0 told of a group that is well."""
    dated = {"lastTransitionTime": SINCE, "observedGeneration": generation}
    return [
        {"type": kind, "status": status, "reason": reason, "message": message} | dated
        for kind, (status, reason, message) in TOLD.items()
    ]


def old_pod(uid: str, slot: int, version: str) -> Json:
    """A pod as version 0.1.0 made it."""
    template = web(version)
    owner = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": uid}
    seat = {"selfheal.dev/podgroup": "web", "selfheal.dev/slot": str(slot)}
    metadata = {
        "name": pod_name("web", uid, slot, 0),
        "labels": LABELS | seat | {"selfheal.dev/revision": template_hash(template)},
        "annotations": template["metadata"]["annotations"] | {"selfheal.dev/epoch": "0"},
        "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}],
    }
    return {"metadata": metadata, "spec": template["spec"]}


def old_group(shop: Namespace, operator: OperatorProcess, versions: str) -> list[Pod]:
    """Stop the operator and write a group of version 2 whose pods are of these versions; return them."""
    if operator.runs:
        operator.stop()
    size = len(versions)
    uid = shop.create_group(replicas=size, selector={"matchLabels": LABELS}, template=web("2"), strategy=BOUNDS)
    for slot, version in enumerate(versions):
        shop.create("pods", old_pod(uid, slot, version))
    status: Json = {"replicas": size, "readyReplicas": size, "availableReplicas": size, "fullyLabeledReplicas": size}
    status |= {"updatedReplicas": versions.count("2"), "unavailableReplicas": 0, "terminatingReplicas": 0}
    status |= {"failedReplicas": 0, "ready": f"{size}/{size}", "selector": "app=web", "healing": {"total": 0}}
    status |= {"observedGeneration": 1, "conditions": conditions(1)}
    shop.patch_group({"status": status}, subresource="status")
    wait_for("the pods to run", lambda: all(pod.ready for pod in shop.live()))
    return shop.live()


def test_a_group_of_one_template_is_up_to_date(shop: Namespace, operator_process: OperatorProcess) -> None:
    """Its pods are of the first revision that is kept, nothing is rolled; a new template rolls all of them."""
    before = old_group(shop, operator_process, "2222")
    operator_process.start()
    eventually(1, lambda: len(revisions(shop)))
    eventually("NewReplicaSetAvailable", lambda: shop.condition("Progressing").get("reason"))
    shop.quiet()
    assert [pod.body["metadata"]["labels"] for pod in shop.live()] == [pod.body["metadata"]["labels"] for pod in before]
    assert uids(shop.pods()) == uids(before)
    assert (shop.status()["updatedReplicas"], shop.condition("Ready")["status"]) == (4, "True")
    assert shop.condition("Ready")["lastTransitionTime"] == SINCE
    change(shop, "3")
    assert not uids(rolled(shop, "3")) & uids(before)


def test_older_pods_are_held_until_the_template_changes(shop: Namespace, operator_process: OperatorProcess) -> None:
    """Neither the new operator nor a scale nor its restart rolls them; it says so; the next template rolls all."""
    before = old_group(shop, operator_process, "1122")
    operator_process.start()
    eventually("HeldSinceUpgrade", lambda: shop.condition("Progressing").get("reason"))
    shop.patch_group({"spec": {"replicas": 5}})
    shop.complete()
    operator_process.stop()
    operator_process.start()
    shop.quiet()
    assert uids(before) < uids(shop.pods())
    assert sorted(map(version_of, shop.live())) == ["1", "1", "2", "2", "2"]
    assert (shop.condition("Progressing")["status"], shop.condition("Ready")["status"]) == ("Unknown", "True")
    assert shop.status()["updatedReplicas"] == 3
    with shop.record() as recording:
        change(shop, "3")
        rolled(shop, "3")
        assert (bounds(recording).most, bounds(recording).fewest) == (6, 5)


def test_what_is_lost_comes_back_of_the_present_template(shop: Namespace, operator_process: OperatorProcess) -> None:
    """Lost before or after the upgrade; when the last older pod has gone nothing is held any more."""
    first, second, *_ = old_group(shop, operator_process, "1122")
    shop.kill(first, gracePeriodSeconds=0)
    operator_process.start()
    shop.complete(without=[first])
    eventually(3, lambda: shop.status().get("updatedReplicas"))
    assert shop.condition("Progressing")["reason"] == "HeldSinceUpgrade"
    assert shop.condition("Progressing")["message"].startswith("1 pods were there")
    shop.kill(second)
    pods = shop.complete(without=[first, second])
    assert {version_of(pod) for pod in pods} == {"2"}
    eventually("NewReplicaSetAvailable", lambda: shop.condition("Progressing").get("reason"))


def test_going_back_to_the_held_template_finds_its_pods_up_to_date(
    shop: Namespace, operator_process: OperatorProcess
) -> None:
    """They bear the hash of that template: they stay, and the others are replaced."""
    before = old_group(shop, operator_process, "1122")
    operator_process.start()
    eventually("HeldSinceUpgrade", lambda: shop.condition("Progressing").get("reason"))
    change(shop, "1")
    after = rolled(shop, "1")
    assert {pod.uid for pod in before if version_of(pod) == "1"} < uids(after)


def test_a_restart_annotation_rolls_what_is_held(shop: Namespace, operator_process: OperatorProcess) -> None:
    """It is a change of the template: the way out that the condition's message names."""
    before = old_group(shop, operator_process, "1122")
    operator_process.start()
    eventually("HeldSinceUpgrade", lambda: shop.condition("Progressing").get("reason"))
    again = {"kubectl.kubernetes.io/restartedAt": SINCE}
    shop.patch_group({"spec": {"template": {"metadata": {"annotations": again}}}})
    wait_for("the spec to be seen", lambda: seen(shop))
    assert not uids(rolled(shop, "2")) & uids(before)

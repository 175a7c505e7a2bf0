"""What a PodGroup tells of itself: counts, conditions, kubectl's columns."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from e2e.namespace import template
from e2e.waiting import eventually, wait_for
from podgroup_operator.core.conditions import OUR_TYPES

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")


def test_a_complete_group(shop: Namespace) -> None:
    """A group with all its pods says so in every count and condition, for the generation that it is about."""
    shop.start_group()
    eventually({"True"}, lambda: {shop.condition(kind).get("status") for kind in ("Ready", "Available")})
    status = shop.status()
    conditions = {each["type"]: (each["status"], each["reason"]) for each in status.pop("conditions")}
    rollout, revision = status.pop("rollout"), status.pop("updateRevision")
    assert (rollout["revision"], rollout["updatedMost"], rollout["availableMost"]) == (revision, 3, 3)
    assert status.pop("healingStartTime") == rollout["startTime"]
    assert {pod.labels["selfheal.dev/revision"] for pod in shop.live()} == {revision}
    assert status == {
        "currentRevision": revision,
        "lastAvailableRevision": revision,
        "templateGeneration": 1,
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "updatedReplicas": 3,
        "unavailableReplicas": 0,
        "fullyLabeledReplicas": 3,
        "terminatingReplicas": 0,
        "failedReplicas": 0,
        "ready": "3/3",
        "selector": "selfheal.dev/podgroup=web",
        "healing": {"total": 0},
    }
    assert conditions == {
        "Ready": ("True", "AllReplicasAvailable"),
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
        "ReplicaFailure": ("False", "NoFailure"),
        "Stalled": ("False", "NotStalled"),
    }


def test_a_group_whose_pods_do_not_start(shop: Namespace) -> None:
    """A group whose pods find no node has them, but none is Ready, and it says so."""
    shop.create_group(template=template(nodeSelector={"no": "such-node"}))
    eventually("ReplicasNotAvailable", lambda: shop.condition("Ready").get("reason"))
    status = shop.status()
    assert (status["replicas"], status["readyReplicas"], status["unavailableReplicas"]) == (3, 0, 3)
    waits = "0 of 3 replicas are available. They wait for: 3: Unschedulable: 0/"
    eventually(waits, lambda: shop.condition("Ready")["message"][: len(waits)])
    assert shop.condition("Available")["status"] == "False"


def test_a_failed_pod_is_counted(shop: Namespace) -> None:
    """A Failed pod that is kept for a look is in `failedReplicas` and in no other count."""
    lost, *_ = shop.start_group()
    shop.finish(lost, "Failed")
    shop.complete(without=[lost])
    eventually((3, 1), lambda: (shop.status()["replicas"], shop.status()["failedReplicas"]))


def test_ready_becomes_available_after_a_while(shop: Namespace) -> None:
    """With minReadySeconds a Ready pod is available that much later and no sooner, though nothing else happens."""
    with shop.record() as recording:
        shop.create_group(minReadySeconds=4)
        status = wait_for(
            "the pods to be Ready", lambda: told if (told := shop.status()).get("readyReplicas") == 3 else None
        )
        assert (status["availableReplicas"], status["unavailableReplicas"]) == (0, 3)
        before = len(recording.changes)
        eventually((3, 0), lambda: (shop.status()["availableReplicas"], shop.status()["unavailableReplicas"]))
        assert before == len(recording.changes)
    ready = max(pod.ready_since for pod in shop.pods())
    assert shop.condition("Ready")["status"] == "True"
    assert datetime.fromisoformat(shop.condition("Ready")["lastTransitionTime"]) >= ready + timedelta(seconds=4)


def test_conditions_of_others_stay(shop: Namespace) -> None:
    """A condition whose type is another program's stays in the status while the operator writes its own."""
    lost, *_ = shop.start_group()
    theirs = {
        "type": "example.com/Audited",
        "status": "True",
        "reason": "Seen",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    conditions = [*shop.status()["conditions"], theirs]
    shop.patch_group({"status": {"conditions": conditions}}, subresource="status")
    shop.kill(lost)
    shop.complete(without=[lost])
    eventually(1, lambda: shop.status()["healing"]["total"])
    assert theirs == shop.condition("example.com/Audited")
    assert {each["type"] for each in shop.status()["conditions"]} == {*OUR_TYPES, theirs["type"]}


def test_the_transition_time_is_that_of_the_last_change(shop: Namespace) -> None:
    """A condition's time stays while its status stays, though its message changes."""
    shop.create_group(template=template(nodeSelector={"no": "such-node"}))
    eventually("False", lambda: shop.condition("Ready").get("status"))
    before = shop.condition("Ready")
    wait_for(
        "a second to pass", lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > before["lastTransitionTime"]
    )
    shop.kubectl("scale", "podgroups.selfheal.dev/web", "--replicas=4")
    told = "0 of 4 replicas are available."
    eventually(told, lambda: shop.condition("Ready")["message"][: len(told)])
    assert before["lastTransitionTime"] == shop.condition("Ready")["lastTransitionTime"]
    assert shop.condition("Ready")["observedGeneration"] == 2


def test_kubectl_finds_our_podgroups_beside_others(shop: Namespace) -> None:
    """With another `podgroups` CRD installed, `kubectl get` finds ours by short name and by full name."""
    shop.start_group()
    other = {"apiVersion": "scheduling.example.com/v1alpha1", "kind": "PodGroup", "metadata": {"name": "gang"}}
    shop.create("podgroups", other | {"spec": {"minMember": 3}}, "/apis/scheduling.example.com/v1alpha1")
    for resource in ("pgrp", "podgroups.selfheal.dev", "podgroup.v1.selfheal.dev"):
        assert shop.kubectl("get", resource, "--output=name") == "podgroup.selfheal.dev/web\n"
    assert (
        shop.kubectl("get", "podgroups.scheduling.example.com", "--output=name")
        == "podgroup.scheduling.example.com/gang\n"
    )


def test_the_others_are_not_touched(shop: Namespace) -> None:
    """The operator does nothing about a PodGroup of another API group: no pod, no status, no Event."""
    other = {"apiVersion": "scheduling.example.com/v1alpha1", "kind": "PodGroup", "metadata": {"name": "gang"}}
    root = "/apis/scheduling.example.com/v1alpha1"
    made = shop.create("podgroups", other | {"spec": {"minMember": 3}}, root)
    pods = shop.start_group()
    assert made == shop.api.request("GET", shop.path("podgroups", "gang", root))
    assert {pod.name for pod in pods} == {pod.name for pod in shop.pods()}
    assert shop.events("gang") == []


def test_kubectls_columns(shop: Namespace) -> None:
    """`kubectl get pgrp -o wide` tells the state at a glance."""
    lost, *_ = shop.start_group()
    shop.kill(lost)
    shop.complete(without=[lost])
    eventually(1, lambda: shop.status()["healing"]["total"])
    header, row = shop.kubectl("get", "pgrp", "--output=wide").splitlines()
    columns = ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "HEALED", "LAST-HEAL", "AGE", "IMAGES", "SELECTOR", "REASON"]
    assert columns == header.split()
    shown = dict(zip(columns, row.split(), strict=True))
    assert shown.pop("LAST-HEAL").endswith("s")
    assert shown.pop("AGE").endswith("s")
    assert shown == {
        "NAME": "web",
        "READY": "3/3",
        "UP-TO-DATE": "3",
        "AVAILABLE": "3",
        "HEALED": "1",
        "IMAGES": "registry.k8s.io/pause:3.10",
        "SELECTOR": "selfheal.dev/podgroup=web",
        "REASON": "AllReplicasAvailable",
    }

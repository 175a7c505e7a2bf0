"""A pod that the cluster will not have now, for a quota or a policy: told, seldom asked for, made in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.waiting import eventually, stays, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

RECOVERY = 30.0
"""Seconds within which the operator must have found out that a cause is gone of which nobody tells it."""

QUIET = 5.0


def refused_by_quota(shop: Namespace) -> float:
    """How many requests the API server has refused so far because of a quota."""
    metric = "apiserver_admission_controller_admission_duration_seconds_count"
    return shop.api.count(metric, name="ResourceQuota", operation="CREATE", rejected="true")


def test_a_quota_is_told_and_not_stormed(shop: Namespace) -> None:
    """A quota that leaves no room is told in the server's words and asked again a few times; lifted, it is noticed."""
    shop.forbid_pods()
    shop.create_group()
    eventually("FailedCreate", lambda: shop.condition("ReplicaFailure").get("reason"))
    failure = shop.condition("ReplicaFailure")
    assert failure["status"] == "True"
    assert failure["message"].startswith("Error creating: pods ")
    assert "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0" in failure["message"]
    assert shop.condition("Ready")["reason"] == "FailedCreate"
    wait_for("the Event", lambda: shop.notes("FailedCreate") or None)
    assert "exceeded quota: none" in shop.notes("FailedCreate")[0]

    before = refused_by_quota(shop)
    stays([], shop.pods, QUIET)
    assert refused_by_quota(shop) - before <= 3

    shop.kubectl("delete", "resourcequota/none")
    eventually(3, lambda: len([pod for pod in shop.pods() if pod.ready]), RECOVERY)
    shop.complete()
    eventually("NoFailure", lambda: shop.condition("ReplicaFailure")["reason"])


def test_a_quota_that_leaves_some_room_is_used(shop: Namespace) -> None:
    """Of three pods the two are made that the quota allows, and the third is told to be missing."""
    shop.create("resourcequotas", {"metadata": {"name": "two"}, "spec": {"hard": {"pods": "2"}}})
    path = shop.path("resourcequotas", "two")
    eventually({"pods": "0"}, lambda: shop.api.request("GET", path).get("status", {}).get("used"))
    shop.create_group()
    eventually(2, lambda: len(shop.live()), RECOVERY)
    eventually("FailedCreate", lambda: shop.condition("ReplicaFailure").get("reason"))
    eventually((2, 1), lambda: (shop.status()["readyReplicas"], shop.status()["unavailableReplicas"]))
    stays(2, lambda: len(shop.pods()), 1.0)


def test_a_pod_security_policy_is_told(shop: Namespace) -> None:
    """Where only restricted pods are taken, the refusal says so in the server's words; lifted, it is noticed."""
    shop.kubectl("label", "namespace", shop.name, "pod-security.kubernetes.io/enforce=restricted")
    shop.create_group()
    eventually("FailedCreate", lambda: shop.condition("ReplicaFailure").get("reason"))
    assert 'violates PodSecurity "restricted:latest"' in shop.condition("ReplicaFailure")["message"]
    assert shop.pods() == []
    shop.kubectl("label", "namespace", shop.name, "pod-security.kubernetes.io/enforce-")
    shop.complete()

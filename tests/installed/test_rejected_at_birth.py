"""Pods that a real kubelet rejects as soon as they are made: a ReplicaSet's hot loop (kubernetes#72593), and ours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("installed")

WATCHED = 10.0
"""Seconds in which the pods that both make are counted."""

MOST_CREATES = 6
"""Of one replica in that time: at 0, 0, 1 and 5 s, and some for the jitter and a slow kubelet."""


def too_large(shop: Namespace) -> dict[str, Any]:
    """A pod that is bound to a node, past the scheduler, and asks for more CPU than any node has."""
    node = shop.api.request("GET", "/api/v1/nodes")["items"][0]["metadata"]["name"]
    resources = {"requests": {"cpu": "1000"}}
    return {"nodeName": node, "containers": [{"name": "web", "image": "busybox:1.37", "resources": resources}]}


def test_a_group_is_patient_where_a_replicaset_is_not(shop: Namespace) -> None:
    """In the same seconds the ReplicaSet makes several times as many; our condition has the kubelet's own words."""
    spec, labels = too_large(shop), {"app": "upstream"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    replica_set = {
        "metadata": {"name": "upstream"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    shop.create("replicasets", replica_set, "/apis/apps/v1")
    with shop.record() as recording:
        shop.create_group(replicas=1, template={"spec": spec})
        time.sleep(WATCHED)
        shop.kubectl("delete", "replicaset/upstream", "--cascade=orphan")
        made = recording.created()
    ours = [pod for pod in made if pod.labels.get("app") != "upstream"]
    theirs = [pod for pod in made if pod.labels.get("app") == "upstream"]
    assert 3 <= len(ours) <= MOST_CREATES
    assert len(theirs) > 3 * len(ours)
    eventually("PodsKeepFailing", lambda: shop.condition("ReplicaFailure").get("reason"))
    assert "OutOfcpu: " in shop.condition("ReplicaFailure")["message"]
    assert len([pod for pod in shop.pods() if pod.labels.get("app") != "upstream"]) <= 1 + 5
    wait_for("the Event", lambda: shop.notes("HealingSuppressed") or None)
    corrected = {"containers": [{"name": "web", "image": "busybox:1.37", "command": ["sleep", "infinity"]}]}
    shop.patch_group({"spec": {"template": {"spec": {**corrected, "nodeName": None}}}})
    shop.complete()

"""The way back, from a PodGroup to a Deployment, and to a PodGroup anew, without a moment of too few pods.

Delete the PodGroup with --cascade=orphan, apply the Deployment, wait until it is available, then delete the pods that
it has not taken: a ReplicaSet takes those alone that bear its pod-template-hash, which are those that it made itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.deployments import APPS, REPLICAS, apply, as_group, deploy, manifest, orphan_pods
from e2e.pod import Pod, uids
from e2e.versions import bounds, change, rolled
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

HASHES = "{.items[*].metadata.labels.pod-template-hash}"
"""Of the ReplicaSets; pods with another one the Deployment has not taken."""

TIMES = 7
"""More often than a revision has names to try."""


def orphan_group(shop: Namespace) -> None:
    """Delete the PodGroup and leave its pods."""
    shop.kubectl("delete", "podgroups.selfheal.dev/web", "--cascade=orphan")
    wait_for("the pods to have no owner", lambda: not any(pod.owners for pod in shop.pods()))


def back(shop: Namespace) -> None:
    """Go back as the docs say."""
    orphan_group(shop)
    apply(shop, manifest())
    shop.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    hashes = shop.kubectl("get", "replicasets", "--selector=app=web", f"--output=jsonpath={HASHES}").split()
    shop.kubectl("delete", "pods", f"--selector=selfheal.dev/podgroup=web,pod-template-hash notin ({','.join(hashes)})")
    shop.kubectl("delete", "controllerrevisions", "--selector=selfheal.dev/podgroup=web")


def settled(shop: Namespace) -> list[Pod]:
    """Wait until there are as many pods as there shall be, each a ReplicaSet's and Ready; return them."""

    def find() -> list[Pod] | None:
        pods = shop.pods()
        well = len(pods) == REPLICAS and all(pod.ready and pod.owners[0]["kind"] == "ReplicaSet" for pod in pods)
        return pods if well else None

    return wait_for("the Deployment to be as it shall be", find)


def test_the_way_back_is_never_short_of_a_pod(shop: Namespace) -> None:
    """The Deployment makes its own pods beside the group's, which go when those are available."""
    apply(shop, as_group(manifest()))
    before = shop.complete()
    with shop.record() as recording:
        back(shop)
        after = settled(shop)
        seen = bounds(recording)
    assert not uids(before) & uids(after)
    assert (seen.most, seen.fewest) == (2 * REPLICAS, REPLICAS)
    assert shop.api.request("GET", shop.path("controllerrevisions", root=APPS))["items"] == []


def test_pods_that_came_of_the_deployment_go_back_to_it(shop: Namespace) -> None:
    """There and back again with the same template restarts none; what the group has made meanwhile is replaced."""
    before = deploy(shop)
    orphan_pods(shop)
    apply(shop, as_group(manifest()))
    shop.complete()
    shop.kill(before[0])
    shop.complete(without=before[:1])
    with shop.record() as recording:
        back(shop)
        after = settled(shop)
        assert bounds(recording).fewest == REPLICAS
    assert uids(before[1:]) < uids(after)


def test_a_group_that_is_made_anew_takes_its_pods_again(shop: Namespace) -> None:
    """Deleted with --cascade=orphan and applied again, however often: the same pods, up to date."""
    apply(shop, as_group(manifest()))
    before = shop.complete()
    for _ in range(TIMES):
        orphan_group(shop)
        apply(shop, as_group(manifest()))
        shop.complete()
        eventually(REPLICAS, lambda: shop.status().get("updatedReplicas"))
        eventually("True", lambda: shop.condition("Ready").get("status"))
    assert uids(shop.pods()) == uids(before)
    change(shop, "2")
    rolled(shop, "2")
    assert shop.condition("ReplicaFailure")["status"] == "False"

"""A live Deployment becomes a PodGroup: delete it and its ReplicaSets with --cascade=orphan, change two lines, apply.

No pod is restarted. Each one is of the present revision if it is what the API server would make of the template now;
what is not is replaced by the rollout, within its bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.deployments import (
    MESH,
    MIRROR,
    REPLICAS,
    apply,
    as_group,
    changed_on_the_way,
    container,
    deploy,
    live_export,
    manifest,
    orphan_pods,
)
from e2e.pod import Pod, pod_spec, uids
from e2e.versions import NEVER_READY, bounds, change, rolled, version_of, web
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]


def taken_over(shop: Namespace, before: list[Pod]) -> None:
    """Assert that all pods are taken in as they are and up to date, and that the group is Ready and at rest."""
    shop.complete()
    eventually("True", lambda: shop.condition("Ready").get("status"))
    shop.quiet()
    assert shop.status()["updatedReplicas"] == REPLICAS
    assert shop.condition("Progressing")["reason"] == "NewReplicaSetAvailable"
    assert uids(shop.pods()) == uids(before)
    assert {pod.restarts for pod in shop.pods()} == {0}


def images(pod: Pod) -> tuple[str, ...]:
    """The images of a pod's containers."""
    return tuple(each["image"] for each in pod.body["spec"]["containers"])


def replaced(shop: Namespace, before: list[Pod], others: list[Pod], group: Json) -> None:
    """Assert that when the group comes these pods are replaced, no others, and within the bounds."""
    with shop.record() as recording:
        apply(shop, group)
        shop.complete(without=others)
        eventually(REPLICAS, lambda: shop.status().get("updatedReplicas"))
        eventually("True", lambda: shop.condition("Ready").get("status"))
        shop.quiet()
        seen = bounds(recording)
    assert seen.most <= REPLICAS + 1
    assert seen.fewest >= REPLICAS
    assert uids(before) - uids(shop.live()) == uids(others)


@pytest.mark.parametrize("exported", [False, True], ids=["its manifest", "its live export"])
def test_no_pod_is_restarted(shop: Namespace, *, exported: bool) -> None:
    """The pods are the group's, all up to date, and it is Ready; a changed template then rolls them in its bounds."""
    before = deploy(shop)
    group = as_group(live_export(shop) if exported else manifest())
    orphan_pods(shop)
    apply(shop, group)
    taken_over(shop, before)
    with shop.record() as recording:
        change(shop, "2")
        after = rolled(shop, "2")
        seen = bounds(recording)
    assert not uids(before) & uids(after)
    assert (seen.most, seen.fewest) == (REPLICAS + 1, REPLICAS)


def test_a_hash_that_is_written_into_a_selector_is_no_difference(shop: Namespace) -> None:
    """By `matchLabelKeys: [pod-template-hash]` a constraint names the ReplicaSet's hash: such pods are taken in."""
    constraint = {
        "topologyKey": "kubernetes.io/hostname",
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
        "matchLabelKeys": ["pod-template-hash"],
    }
    body = manifest(template=web("1", containers=[container()], topologySpreadConstraints=[constraint]))
    before = deploy(shop, body)
    orphan_pods(shop)
    apply(shop, as_group(body))
    taken_over(shop, before)


def test_a_rollout_that_was_under_way_goes_on(shop: Namespace) -> None:
    """Taken over in mid-rollout, what is of the new template stays, and what is of the old one is replaced."""
    deploy(shop)
    newer = manifest(template=web("2", NEVER_READY, containers=[container()]))
    apply(shop, newer)
    wait_for("a pod of the new template", lambda: len(shop.live()) > REPLICAS)
    orphan_pods(shop)
    old = [pod for pod in shop.live() if version_of(pod) == "1"]
    apply(shop, as_group(newer))
    eventually(1, lambda: shop.status().get("updatedReplicas"))
    shop.quiet()
    assert uids(old) < uids(shop.live())
    change(shop, "2")
    rolled(shop, "2")


@pytest.mark.parametrize(
    "template",
    [web("1", containers=[container(env=[])]), web("1", containers=[container(image="registry.k8s.io/pause:3.9")])],
    ids=["an env is removed", "the image is changed"],
)
def test_pods_of_another_template_are_replaced(shop: Namespace, template: Json) -> None:
    """What the template has lost or changed since they were made counts: none of them is up to date."""
    before = deploy(shop)
    orphan_pods(shop)
    replaced(shop, before, before, as_group(manifest(template=template)))


def test_a_container_that_was_put_in_by_hand_is_not_the_templates(shop: Namespace) -> None:
    """That one pod is replaced, and the others stay."""
    before = deploy(shop)
    orphan_pods(shop)
    shop.kill(before[0], gracePeriodSeconds=0)
    spec = pod_spec(containers=[container(), {"name": "debug", "image": "busybox"}])
    odd = Pod(shop.create("pods", {"metadata": {"name": "odd"} | web("1")["metadata"], "spec": spec}))
    wait_for("it to run", lambda: shop.pod("odd").ready)
    replaced(shop, [*before[1:], odd], [odd], as_group(manifest()))


@pytest.mark.parametrize("policy", [MESH, MIRROR], ids=["a mesh", "a mirror"])
def test_what_admission_does_to_every_pod_is_no_difference(shop: Namespace, policy: str) -> None:
    """A sidecar that is put into each pod, or another image: all are up to date, and replacements get the same."""
    with changed_on_the_way(shop, policy):
        before = deploy(shop)
        orphan_pods(shop)
        apply(shop, as_group(manifest()))
        taken_over(shop, before)
        shop.kill(before[0])
        after = shop.complete(without=before[:1])
        assert {images(pod) for pod in after} == {images(before[0])} != {(container()["image"],)}
        assert shop.status()["updatedReplicas"] == REPLICAS


@pytest.mark.parametrize("policy", [MESH, MIRROR], ids=["a mesh", "a mirror"])
def test_what_admission_would_not_do_now_is_a_difference(shop: Namespace, policy: str) -> None:
    """Once the policy is gone its pods are not what would be made of the template: they are replaced."""
    with changed_on_the_way(shop, policy):
        before = deploy(shop)
    orphan_pods(shop)
    replaced(shop, before, before, as_group(manifest()))


@pytest.mark.parametrize(("what", "most"), [("pods", REPLICAS), ("count/controllerrevisions.apps", 0)])
def test_a_full_quota_restarts_no_pod(shop: Namespace, what: str, most: int) -> None:
    """Where no pod may be made, not even in a dry run, or no revision kept, no pod is held to be out of date."""
    before = deploy(shop)
    orphan_pods(shop)
    shop.create("resourcequotas", {"metadata": {"name": "full"}, "spec": {"hard": {what: str(most)}}})
    path = shop.path("resourcequotas", "full")
    eventually(str(most), lambda: shop.api.request("GET", path).get("status", {}).get("used", {}).get(what))
    apply(shop, as_group(manifest()))
    taken_over(shop, before)
    shop.api.request("DELETE", path)
    change(shop, "2")
    rolled(shop, "2")

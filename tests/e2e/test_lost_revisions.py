"""Revisions that are deleted by hand, restored, or defaulted anew by another CRD: no pod is lost, none is replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from e2e.deployments import APPS
from e2e.namespace import PODGROUPS
from e2e.pod import pod_spec, uids
from e2e.test_revisions import revisions, the_same
from e2e.versions import change, rolled, start, version_of, web
from e2e.waiting import eventually

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

PARTITION = {"rollingUpdate": {"partition": 2}}
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/podgroups.selfheal.dev"
DEFAULT = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/template/properties/spec/properties"
JSON_PATCH = "application/json-patch+json"
NAMED: Json = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup"}


def delete_all(shop: Namespace) -> list[Json]:
    """Delete all revisions; return them, the oldest first."""
    path = shop.path("controllerrevisions", root=APPS)
    items: list[Json] = shop.api.request("GET", path)["items"]
    shop.api.request("DELETE", path)
    return sorted(items, key=lambda item: int(item["revision"]))


def restore(shop: Namespace, revision: Json) -> None:
    """Write a revision as a backup does: with another UID."""
    metadata = {key: revision["metadata"][key] for key in ("name", "labels", "ownerReferences")}
    shop.create("controllerrevisions", revision | {"metadata": metadata}, APPS)


def half_way(shop: Namespace) -> None:
    """Have a group of four with two pods of each version."""
    start(shop, 4, strategy=PARTITION)
    change(shop, "2")
    eventually(2, lambda: shop.status().get("updatedReplicas"))
    eventually("True", lambda: shop.condition("Ready").get("status"))
    shop.quiet()


@pytest.mark.usefixtures("operator")
def test_what_is_deleted_by_hand_is_written_again(shop: Namespace) -> None:
    """What pods are of comes back as it was, and a lost pod of the old version too."""
    half_way(shop)
    before, known = uids(shop.pods()), revisions(shop)
    delete_all(shop)
    eventually(known, lambda: revisions(shop))
    shop.quiet()
    assert uids(shop.pods()) == before
    lost = next(pod for pod in shop.live() if version_of(pod) == "1")
    shop.kill(lost)
    shop.complete(without=[lost])
    assert sorted(map(version_of, shop.live())) == ["1", "1", "2", "2"]


def test_what_is_deleted_while_nobody_looks_rolls_nothing(shop: Namespace, operator: OperatorProcess) -> None:
    """Under a partition the pods of a revision that is gone stay; what is lost of them is made of the new one."""
    half_way(shop)
    before = uids(shop.pods())
    operator.stop()
    delete_all(shop)
    operator.start()
    shop.quiet()
    assert uids(shop.pods()) == before
    assert shop.status()["updatedReplicas"] == 2
    assert len(revisions(shop)) == 1
    lost = next(pod for pod in shop.live() if version_of(pod) == "1")
    shop.kill(lost)
    shop.complete(without=[lost])
    assert sorted(map(version_of, shop.live())) == ["1", "2", "2", "2"]


def test_a_group_at_rest_loses_nothing_by_it(shop: Namespace, operator: OperatorProcess) -> None:
    """All revisions are gone, and an old one is restored: the pods are up to date, and the next rollout is as ever."""
    start(shop, 3)
    change(shop, "2")
    rolled(shop, "2")
    shop.quiet()
    before, known = uids(shop.pods()), shop.status()["updateRevision"]
    operator.stop()
    older, _ = delete_all(shop)
    restore(shop, older)
    operator.start()
    eventually(2, lambda: len(revisions(shop)))
    shop.quiet()
    assert uids(shop.pods()) == before
    assert (shop.status()["updateRevision"], shop.status()["updatedReplicas"]) == (known, 3)
    assert max(revisions(shop), key=revisions(shop).__getitem__) == f"web-{known}"
    change(shop, "1")
    rolled(shop, "1")
    assert len(revisions(shop)) == 2


def test_a_new_default_of_the_crd_rolls_nothing(shop: Namespace, operator: OperatorProcess) -> None:
    """Neither when it comes, nor at the restart of the operator, nor with the next change of another field."""
    start(shop, 3)
    shop.quiet()
    generation = shop.group()["metadata"]["generation"]
    default = f"{DEFAULT}/dnsPolicy/default"
    add: Json = {"op": "add", "path": default, "value": "ClusterFirst"}
    shop.api.request("PATCH", CRD, [add], JSON_PATCH)
    try:
        eventually("ClusterFirst", lambda: shop.group()["spec"]["template"]["spec"].get("dnsPolicy"))
        operator.stop()
        the_same(shop, operator.start)
        assert shop.group()["metadata"]["generation"] == generation
        the_same(shop, lambda: shop.patch_group({"spec": {"minReadySeconds": 1}}))
    finally:
        shop.api.request("PATCH", CRD, [{"op": "remove", "path": default}], JSON_PATCH)


PORTS = f"{DEFAULT}/containers/items/properties/ports"
PROTOCOL = f"{PORTS}/items/properties/protocol"
KEYED = {
    f"{PORTS}/x-kubernetes-list-type": "map",
    f"{PORTS}/x-kubernetes-list-map-keys": ["containerPort", "protocol"],
    f"{PROTOCOL}/default": "TCP",
}
"""What the CRD of version 0.1.0 said of ports, and with it wrote into what it stored."""


def switch_crd(shop: Namespace, *, keyed: bool) -> None:
    """Have ports be told apart by their keys as in version 0.1.0, or as they are now."""
    nullable = (f"{PORTS}/items/nullable", f"{PROTOCOL}/nullable")
    if keyed:
        patch: list[Json] = [{"op": "remove", "path": path} for path in nullable]
        patch += [{"op": "add", "path": path, "value": value} for path, value in KEYED.items()]
    else:
        patch = [{"op": "remove", "path": path} for path in KEYED]
        patch += [{"op": "add", "path": path, "value": True} for path in nullable]
    shop.api.request("PATCH", CRD, patch, JSON_PATCH)
    probe = {"metadata": {"name": "probe"}, "spec": {"template": with_port()}, **NAMED}
    path = shop.path("podgroups", root=PODGROUPS)
    expected = {"containerPort": 80} | ({"protocol": "TCP"} if keyed else {})
    eventually([expected], lambda: ports_of(shop.api.request("POST", path, probe, dryRun="All")))


def with_port() -> Json:
    """A template whose container has a port."""
    return web("1", containers=[pod_spec()["containers"][0] | {"ports": [{"containerPort": 80}]}])


def ports_of(group: Json) -> list[Json]:
    """The ports of a PodGroup's container, as they are stored."""
    return list(group["spec"]["template"]["spec"]["containers"][0]["ports"])


@pytest.mark.parametrize("option", ["--server-side", "--server-side=false"])
@pytest.mark.usefixtures("operator")
def test_keys_that_lists_had_in_version_0_1_0_roll_nothing(shop: Namespace, option: str) -> None:
    """What was applied under them can be applied again without a conflict; their default goes, and the pods stay."""
    manifest = {"metadata": {"name": "web"}, "spec": {"replicas": 2, "template": with_port()}, **NAMED}
    switch_crd(shop, keyed=True)
    try:
        shop.kubectl("apply", option, "--filename=-", input=json.dumps(manifest))
        shop.complete()
    finally:
        switch_crd(shop, keyed=False)
    the_same(shop, lambda: shop.patch_group({"spec": {"minReadySeconds": 1}}))
    the_same(shop, lambda: shop.kubectl("apply", option, "--filename=-", input=json.dumps(manifest)))
    assert ports_of(shop.group()) == [{"containerPort": 80}]

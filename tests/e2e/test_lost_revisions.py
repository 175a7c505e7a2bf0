"""Revisions that are deleted by hand, restored, or defaulted anew by another CRD: no pod is lost, none is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.deployments import APPS
from e2e.pod import uids
from e2e.test_revisions import revisions, the_same
from e2e.versions import change, rolled, start, version_of
from e2e.waiting import eventually

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

PARTITION = {"rollingUpdate": {"partition": 2}}
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/podgroups.selfheal.dev"
DEFAULT = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/template/properties/spec/properties"
JSON_PATCH = "application/json-patch+json"


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

"""Revisions: a template in other words is the same one, and one that is gone back to is used again."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from e2e.deployments import APPS, apply, as_group, container, manifest
from e2e.pod import uids
from e2e.versions import change, rolled, start, web
from e2e.waiting import eventually, wait_for
from podgroup_operator.api.wire.revision import template_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

HALF = {"requests": {"cpu": "0.5", "memory": "1Gi"}}


def revisions(shop: Namespace) -> dict[str, int]:
    """The numbers of the group's revisions, by name."""
    items = shop.api.request("GET", shop.path("controllerrevisions", root=APPS))["items"]
    return {item["metadata"]["name"]: item["revision"] for item in items}


def seen(shop: Namespace) -> bool:
    """Whether the operator has seen the newest spec."""
    group = shop.group()
    return bool(group["status"]["observedGeneration"] == group["metadata"]["generation"])


def the_same(shop: Namespace, act: Callable[[], object]) -> None:
    """Assert that something changes neither pods nor revisions, and that the group is as well as before."""
    before, known = uids(shop.pods()), revisions(shop)
    revision = shop.status()["updateRevision"]
    act()
    wait_for("the spec to be seen", lambda: seen(shop))
    shop.quiet()
    assert uids(shop.pods()) == before
    assert shop.status()["updateRevision"] == revision
    assert shop.status()["updatedReplicas"] == shop.status()["replicas"]
    assert shop.condition("Ready")["status"] == "True"
    assert shop.condition("Progressing")["reason"] == "NewReplicaSetAvailable"
    assert revisions(shop) == known


def defaulted(shop: Namespace, template: Json) -> Json:
    """A template with all defaults written out."""
    body = {"metadata": {"name": "any"}, "template": template}
    made: Json = shop.api.request("POST", shop.path("podtemplates"), body, dryRun="All")["template"]
    return made


def worded(template: Json, **fields: object) -> Json:
    """A template with these fields of its container written otherwise."""
    new = copy.deepcopy(template)
    new["spec"]["containers"][0] |= fields
    return new


def backwards(value: Any) -> Any:
    """The same with all keys in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(each) for each in value] if isinstance(value, list) else value


TEMPLATE = web("1", containers=[container(resources=HALF)])
WORDS: dict[str, Callable[[Namespace], Json]] = {
    "quantities": lambda _: worded(TEMPLATE, resources={"requests": {"cpu": "500m", "memory": "1024Mi"}}),
    "empty lists": lambda _: worded(TEMPLATE, ports=[], volumeMounts=[], envFrom=[]),
    "empty objects": lambda _: worded(TEMPLATE, securityContext={}, lifecycle={}, resources=HALF | {"limits": {}}),
    "nulls": lambda _: worded(TEMPLATE, ports=None, command=None, securityContext=None),
    "a null creationTimestamp": lambda _: TEMPLATE | {"metadata": TEMPLATE["metadata"] | {"creationTimestamp": None}},
    "defaults": lambda shop: defaulted(shop, TEMPLATE),
    "the order of keys": lambda _: backwards(TEMPLATE),
}


@pytest.mark.parametrize("server_side", [False, True], ids=["client side", "server side"])
@pytest.mark.parametrize("words", WORDS)
def test_the_same_template_in_other_words_rolls_nothing(shop: Namespace, words: str, *, server_side: bool) -> None:
    """It is the same revision to the API server, so it is to us; and what really differs is none."""
    group = as_group(manifest(template=TEMPLATE))
    apply(shop, group)
    shop.complete()
    shop.quiet()
    other = as_group(manifest(template=WORDS[words](shop), minReadySeconds=1))
    options = ["--server-side", "--force-conflicts"] if server_side else []
    the_same(shop, lambda: apply(shop, other, *options))
    old = uids(shop.live())
    apply(shop, as_group(manifest(template=worded(TEMPLATE, env=[]))), *options)
    eventually(set(), lambda: uids(shop.live()) & old)


def test_going_back_uses_the_old_revision_again(shop: Namespace) -> None:
    """Its number becomes the highest, as a ReplicaSet's of a Deployment does."""
    start(shop, 2)
    first = wait_for("the first revision", lambda: revisions(shop) or None)
    for version in ("2", "1"):
        change(shop, version)
        rolled(shop, version)
    eventually(3, lambda: revisions(shop)[next(iter(first))])
    assert sorted(revisions(shop).values()) == [2, 3]


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_so_many_old_revisions_are_kept(shop: Namespace, limit: int) -> None:
    """Beside the one that the pods are of; with fewer of them allowed later the rest goes too."""
    start(shop, 1, revisionHistoryLimit=limit)
    for version in "2345":
        change(shop, version)
        rolled(shop, version)
    eventually(list(range(5 - limit, 6)), lambda: sorted(revisions(shop).values()))
    shop.patch_group({"spec": {"revisionHistoryLimit": 0}})
    eventually([5], lambda: sorted(revisions(shop).values()))


def test_a_stranger_may_have_the_name(shop: Namespace, operator: OperatorProcess) -> None:
    """Then the revision has another one, and keeps it; the stranger's is left alone."""
    owner = shop.create("configmaps", {"metadata": {"name": "owner"}})["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"], "controller": True}
    metadata: Json = {"name": f"web-{template_hash(web('1'))}", "ownerReferences": [reference]}
    taken = {"metadata": metadata, "revision": 1, "data": {}}
    before = shop.create("controllerrevisions", taken, APPS)
    start(shop, 2)
    eventually(2, lambda: len(revisions(shop)))

    def restart() -> None:
        operator.stop()
        operator.start()
        shop.patch_group({"spec": {"minReadySeconds": 1}})

    the_same(shop, restart)
    path = shop.path("controllerrevisions", metadata["name"], APPS)
    assert shop.api.request("GET", path) == before
    change(shop, "2")
    rolled(shop, "2")

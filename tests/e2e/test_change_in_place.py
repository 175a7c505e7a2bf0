"""Changes in place: the API server takes the patches, and kwok restarts what has another image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.pod import uids
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

SMALL, LARGE = {"requests": {"cpu": "100m", "memory": "16Mi"}}, {"requests": {"cpu": "0.2", "memory": "16Mi"}}
MARK, LABEL = "selfheal.dev/changing", "selfheal.dev/revision"


def spec(image: str = "app:1", sidecar: str = "side:1", **fields: object) -> Json:
    """A template of one container and one sidecar."""
    beside = {"name": "beside", "image": sidecar, "restartPolicy": "Always"}
    return {
        "template": {"spec": {"containers": [{"name": "web", "image": image, **fields}], "initContainers": [beside]}}
    }


def in_place(surge: int = 0, unavailable: int = 1) -> Json:
    """A strategy that patches pods."""
    return {"inPlace": "IfPossible", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def changed(shop: Namespace) -> list[Pod]:
    """Wait until all pods are of the present template, and say so."""

    def find() -> list[Pod] | None:
        group, pods = shop.group(), shop.pods()
        status = group["status"]
        done = status.get("observedGeneration") == group["metadata"]["generation"]
        done &= status.get("updatedReplicas") == status.get("availableReplicas") == len(pods)
        labels = {pod.labels.get(LABEL) for pod in pods}
        return pods if done and labels == {status["updateRevision"]} else None

    return wait_for("all pods to be of the template", find)


def container(pod: Pod) -> Json:
    """A pod's container."""
    found: Json = pod.body["spec"]["containers"][0]
    return found


def test_images_are_patched_where_pods_run(shop: Namespace) -> None:
    """Of the container, and then of the sidecar and of the container back again: the pods are the same."""
    before = shop.start_group(replicas=3, strategy=in_place(), **spec())
    shop.patch_group({"spec": spec("app:2")})
    after = changed(shop)
    assert {container(pod)["image"] for pod in after} == {"app:2"}
    shop.patch_group({"spec": spec("app:1", "side:2")})
    after = changed(shop)
    assert {container(pod)["image"] for pod in after} == {"app:1"}
    assert uids(after) == uids(before)
    assert not any(MARK in pod.annotations for pod in after)
    assert shop.status()["healing"]["total"] == 0


def test_resources_are_resized_where_pods_run(shop: Namespace) -> None:
    """Nothing restarts for it, so it may be done where no pod may be unavailable."""
    before = shop.start_group(replicas=2, strategy=in_place(1, 0), **spec(resources=SMALL))
    shop.patch_group({"spec": spec(resources=LARGE)})
    after = changed(shop)
    assert uids(after) == uids(before)
    assert {container(pod)["resources"]["requests"]["cpu"] for pod in after} == {"200m"}


def test_images_and_resources_at_once(shop: Namespace) -> None:
    """The resize goes first, then the image."""
    before = shop.start_group(replicas=2, strategy=in_place(), **spec(resources=SMALL))
    shop.patch_group({"spec": spec("app:2", resources=LARGE)})
    after = changed(shop)
    assert uids(after) == uids(before)
    assert {(container(pod)["image"], container(pod)["resources"]["requests"]["cpu"]) for pod in after} == {
        ("app:2", "200m")
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"resources": SMALL}),
        ({"resources": SMALL}, {}),
        ({}, {"env": [{"name": "A", "value": "b"}]}),
    ],
    ids=["another QoS class", "a request is taken away", "an environment variable"],
)
def test_what_cannot_be_patched_is_replaced(shop: Namespace, old: Json, new: Json) -> None:
    """The API server refuses it, or it is not tried."""
    before = shop.start_group(replicas=2, strategy=in_place(), **spec(**old))
    shop.patch_group({"spec": spec("app:2", **new)})
    assert not uids(changed(shop)) & uids(before)

"""Changes in place by a real kubelet: the pod stays, its containers restart as they have to and no more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.api import Api
from e2e.namespace import Namespace
from e2e.operator_fixtures import install_crds, new_namespace
from e2e.operator_process import OperatorProcess
from e2e.pod import uids
from e2e.waiting import wait_for
from kindnode.busybox import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

    from e2e.pod import Pod
    from kindnode.engine import Engine

Json = dict[str, Any]

OTHER = "docker.io/library/podgroup-busybox:2"
"""The same image by another name: its containers restart, though their imageID stays."""

SLOW = 120.0
"""Seconds within which a few containers restart one after the other, on a busy machine."""

SMALL, LARGE, HUGE = ({"requests": {"cpu": cpu}} for cpu in ("10m", "20m", "500"))


@pytest.fixture(scope="module")
def shop(cluster: KindCluster, engine: Engine) -> Iterator[Namespace]:
    """A namespace to work in, with the CRD and a second image."""
    engine.do("tag", NAME, OTHER)
    cluster.load_docker_image(OTHER)
    with Api(Path(cluster.kubeconfig_path)) as api:
        install_crds(cluster, api)
        with new_namespace(api) as name:
            yield Namespace(cluster, api, name)


@pytest.fixture(scope="module", autouse=True)
def _operator(cluster: KindCluster, shop: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The operator, as a process beside the cluster."""
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(Path(cluster.kubeconfig_path).resolve(), log, [f"--namespace={shop.name}"]) as process:
        process.start()
        yield
        sys.stdout.write(f"The operator's log:\n{process.log()}\n")


def spec(image: str = NAME, resources: Json = SMALL, surge: int = 0, unavailable: int = 1) -> Json:
    """A group of two web servers that are changed in place."""
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {"name": "web", "image": image, "resources": resources, "readinessProbe": probe}
    bounds = {"maxSurge": surge, "maxUnavailable": unavailable}
    template = {"spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    return {"replicas": 2, "template": template, "strategy": {"inPlace": "IfPossible", "rollingUpdate": bounds}}


def start(shop: Namespace, name: str, **changes: Any) -> list[Pod]:
    """Start a group, and wait for its pods."""
    shop.create_group(name, **spec(**changes))
    return changed(shop, name)


def change(shop: Namespace, name: str, **changes: Any) -> None:
    """Change its template."""
    shop.patch_group({"spec": {"template": spec(**changes)["template"]}}, name)


def changed(shop: Namespace, name: str) -> list[Pod]:
    """Wait until a group has its pods, all of its template and available."""

    def find() -> list[Pod] | None:
        group = shop.group(name)
        ready = shop.condition("Ready", name)
        done = ready.get("observedGeneration") == group["metadata"]["generation"] and ready["status"] == "True"
        pods = [pod for pod in shop.pods() if pod.controller == group["metadata"]["uid"]]
        return pods if done and len(pods) == group["status"]["updatedReplicas"] == group["spec"]["replicas"] else None

    return wait_for(f"{name} to be of its template", find, SLOW)


def fewest_ready(shop: Namespace, changes: list[tuple[str, Pod]], before: list[Pod]) -> int:
    """Replay what was recorded; tell how few pods were Ready at once."""
    ready = {pod.uid for pod in before}
    fewest = len(ready)
    for kind, pod in changes:
        ready = ready | {pod.uid} if pod.ready and kind != "DELETED" else ready - {pod.uid}
        fewest = min(fewest, len(ready))
    return fewest


def test_an_image_is_changed_and_changed_back(shop: Namespace) -> None:
    """Each container restarts once each time, one pod after the other."""
    before = start(shop, "image")
    with shop.record() as recording:
        change(shop, "image", image=OTHER)
        after = changed(shop, "image")
        seen = [(each.kind, each.pod) for each in recording.history()]
    assert uids(after) == uids(before)
    assert [pod.restarts for pod in after] == [1, 1]
    assert [pod.body["spec"]["containers"][0]["image"] for pod in after] == [OTHER, OTHER]
    assert fewest_ready(shop, seen, before) == 1
    change(shop, "image")
    after = changed(shop, "image")
    assert (uids(after), [pod.restarts for pod in after]) == (uids(before), [2, 2])
    assert shop.status("image")["healing"]["total"] == 0


def test_a_resize_restarts_nothing(shop: Namespace) -> None:
    """Not even where no pod may be unavailable; the node has given what was asked for."""
    before = start(shop, "resize", surge=1, unavailable=0)
    change(shop, "resize", resources=LARGE)
    after = changed(shop, "resize")
    assert uids(after) == uids(before)
    for pod in after:
        (container,) = pod.containers
        assert container["restartCount"] == 0
        assert container["resources"]["requests"]["cpu"] == "20m"


def test_what_the_node_has_no_room_for_is_replaced(shop: Namespace) -> None:
    """More than the node has at all is Infeasible: a pod that waits for another node is made, beside those that run."""
    before = start(shop, "huge", surge=1, unavailable=0)
    change(shop, "huge", resources=HUGE)

    def waits() -> bool:
        pods = [pod for pod in shop.live() if pod.labels.get("selfheal.dev/podgroup") == "huge"]
        return len(pods) == len(before) + 1 and uids(before) < uids(pods)

    wait_for("a pod of the new template", waits, SLOW)
    assert all(pod.ready for pod in shop.live() if pod.uid in uids(before))
    change(shop, "huge")
    after = changed(shop, "huge")
    assert (uids(after), [pod.restarts for pod in after]) == (uids(before), [0, 0])


def test_an_image_that_is_not_there_is_taken_back_in_place(shop: Namespace) -> None:
    """The one pod that has it comes back, the other was never touched."""
    before = start(shop, "missing")
    change(shop, "missing", image="docker.io/library/podgroup-busybox:none")

    def stuck() -> bool:
        return any("waiting" in pod.containers[0]["state"] for pod in shop.live() if pod.uid in uids(before))

    wait_for("a container that cannot start", stuck, SLOW)
    change(shop, "missing")
    after = changed(shop, "missing")
    assert uids(after) == uids(before)
    assert sorted(pod.restarts for pod in after) == [0, 1]

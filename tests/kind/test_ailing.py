"""Pods that live and ail, by a real kubelet: a container that really crashes, and one whose readiness really fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.api import Api
from e2e.namespace import Namespace
from e2e.operator_fixtures import install_crds, new_namespace
from e2e.operator_process import OperatorProcess
from e2e.waiting import wait_for
from kindnode.busybox import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

    from e2e.pod import Pod

Json = dict[str, Any]

SLOW = 120.0
"""Seconds; the kubelet waits 10 s and 20 s before it starts a container for the second and third time."""

FIRST_OF_SEAT_0_CRASHES = '[ "$SLOT" = 0 ] && [ -z "$REPLACES" ] && exit 3; touch /state/ready; exec sleep 3600'


@pytest.fixture(scope="module")
def shop(cluster: KindCluster) -> Iterator[Namespace]:
    """A namespace to work in, with the CRD."""
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


def spec(command: str, **healing: int) -> Json:
    """A group of two pods that run a shell, and know what they replace and where they sit."""
    known = {"SLOT": "labels['selfheal.dev/slot']", "REPLACES": "annotations['selfheal.dev/replaces']"}
    fields = {name: {"fieldRef": {"fieldPath": f"metadata.{path}"}} for name, path in known.items()}
    probe = {"exec": {"command": ["sh", "-c", "[ -e /state/ready ]"]}, "periodSeconds": 1, "failureThreshold": 1}
    container = {
        "name": "web",
        "image": NAME,
        "command": ["sh", "-c", command],
        "env": [{"name": name, "valueFrom": source} for name, source in fields.items()],
        "readinessProbe": probe,
        "volumeMounts": [{"name": "state", "mountPath": "/state"}],
    }
    volumes = [{"name": "state", "emptyDir": {}}]
    pod = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1}
    return {"replicas": 2, "template": {"spec": pod}, "healing": healing}


def heir(shop: Namespace, name: str) -> Pod | None:
    """Give the Ready pod of a group that replaces another, if there is one."""
    uid = shop.group(name)["metadata"]["uid"]
    return next((pod for pod in shop.pods() if pod.controller == uid and pod.replaces and pod.ready), None)


def test_a_container_that_really_crashes(shop: Namespace) -> None:
    """After two restarts in its crash loop a pod is evicted, and the one in its seat runs; a ReplicaSet keeps it."""
    shop.create_group("crash", **spec(FIRST_OF_SEAT_0_CRASHES, crashLoopRestarts=2))
    found = wait_for("the replacement", lambda: heir(shop, "crash"), SLOW)
    assert (found.cause, found.slot) == ("CrashLoop", "0")
    told = shop.status("crash")["healing"]
    assert (told["total"], told["lastCause"]) == (1, "CrashLoop")


def test_a_readiness_that_really_fails(shop: Namespace) -> None:
    """A pod that was Ready and has not been for five seconds is evicted and replaced; its containers still ran."""
    shop.create_group("ready", **spec("touch /state/ready; exec sleep 3600", unreadySeconds=5))
    before = shop.complete("ready")
    shop.kubectl("exec", before[0].name, "--", "rm", "/state/ready")
    found = wait_for("the replacement", lambda: heir(shop, "ready"), SLOW)
    assert (found.cause, found.replaces) == ("Unready", before[0].name)

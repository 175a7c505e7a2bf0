"""What only real containers can do, and so what this cluster is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.waiting import wait_for

if TYPE_CHECKING:
    from pytest_kind import KindCluster

SECONDS = 60.0


@pytest.fixture(scope="module")
def web(cluster: KindCluster) -> KindCluster:
    """The cluster with a Deployment and a Service called `web`."""
    cluster.kubectl("apply", f"--filename={Path(__file__).parent / 'web.yaml'}")
    cluster.kubectl("wait", "deployment/web", "--for=condition=Available", "--timeout=120s")
    return cluster


def pods(cluster: KindCluster) -> list[dict[str, Any]]:
    """The pods of the Deployment that are not on their way out."""
    found = json.loads(cluster.kubectl("get", "pods", "--selector=app=web", "--output=json"))["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def ready(cluster: KindCluster) -> dict[str, int] | None:
    """The restarts of each pod, by UID, once there are two and both are Ready."""
    states = {pod["metadata"]["uid"]: pod["status"].get("containerStatuses", [{}])[0] for pod in pods(cluster)}
    if len(states) == 2 and all(state.get("ready") for state in states.values()):
        return {uid: state["restartCount"] for uid, state in states.items()}
    return None


def test_a_deleted_pod_is_replaced(web: KindCluster) -> None:
    """A Deployment replaces a deleted pod by one with another UID, and that runs."""
    before = pods(web)
    gone = before[0]["metadata"]
    web.kubectl("delete", "pod", gone["name"])
    after = wait_for("two ready pods", lambda: ready(web), SECONDS)
    assert gone["uid"] not in after
    assert before[1]["metadata"]["uid"] in after


def test_a_killed_process_is_restarted_in_its_pod(web: KindCluster) -> None:
    """When the process in a container dies, the same pod goes on, with one restart more."""
    wait_for("two ready pods", lambda: ready(web), SECONDS)
    pod = pods(web)[0]["metadata"]
    before = wait_for("two ready pods", lambda: ready(web), SECONDS)
    web.kubectl("exec", pod["name"], "--", "killall", "-9", "httpd")

    def restarted() -> dict[str, int] | None:
        now = ready(web)
        return now if now and now != before else None

    after = wait_for("the restart", restarted, SECONDS)
    assert {**before, pod["uid"]: before[pod["uid"]] + 1} == after


def test_a_service_is_found_by_its_name(web: KindCluster) -> None:
    """A pod reaches a Service by its DNS name: DNS, service addresses and the pod network all work."""
    pod = wait_for("a pod", lambda: pods(web) or None, SECONDS)[0]["metadata"]["name"]
    assert web.kubectl("exec", pod, "--", "wget", "-q", "-O-", "http://web.default.svc.cluster.local/") == "alive\n"


def test_the_system_is_well(cluster: KindCluster) -> None:
    """All of the cluster's own pods run, and none had to be restarted."""
    cluster.kubectl("wait", "pod", "--all", "--namespace=kube-system", "--for=condition=Ready", "--timeout=120s")
    system = json.loads(cluster.kubectl("get", "pods", "--namespace=kube-system", "--output=json"))["items"]
    real = [pod for pod in system if pod["spec"]["nodeName"].endswith("-control-plane")]
    assert len(real) == 7
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in real] == [0] * 7

"""A pod can die at any time: what the kubelet mends, what the PodGroup mends, and what nobody does.

Killed from inside, a container is restarted by the kubelet, in the same pod. Deleted from outside, a pod is replaced,
by another, new, newly scheduled one, if it has a controller. Delete the controller's object, and its pods go too. Each
test applies a manifest of deploy/examples/a-pod-can-die; the operator is the one that the chart has installed.
"""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.api import Refused
from e2e.pod import names, uids
from e2e.waiting import eventually, stays, wait_for
from installed.installation import NAMESPACE

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.pod import Pod
    from installed.installation import Installation
    from installed.shell import Shell

pytestmark = pytest.mark.usefixtures("installed")

EXAMPLES = Path(__file__).resolve().parents[2] / "deploy/examples/a-pod-can-die"
IMAGE = "busybox:1.37"
SLOW = 60.0
"""Seconds for what takes a kubelet's pause or two."""


def apply(shop: Namespace, example: str) -> None:
    """Apply one of the examples."""
    shop.kubectl("apply", f"--filename={EXAMPLES / example}.yaml")


@pytest.fixture
def mortal(shop: Namespace) -> list[Pod]:
    """The three pods of the example `web`, whose group is called `mortal`."""
    apply(shop, "web")
    return shop.complete("mortal")


def counts(shop: Namespace, group: str = "mortal") -> tuple[int, int, int]:
    """A group's pods, how many of them are Ready, and how many were ever replaced."""
    status = shop.status(group)
    return status.get("replicas", 0), status.get("readyReplicas", 0), status.get("healing", {}).get("total", 0)


def test_containers_of_a_pod_share_its_volume_and_its_address(shop: Namespace) -> None:
    """What one container writes another serves and a third fetches from localhost; all have the pod's IP."""
    apply(shop, "several-containers")
    for pod in shop.complete("several-containers"):
        wait_for("the page to be read", partial(has_read, shop, pod))
        assert last_page(shop, pod).startswith(f"{pod.name} at ")
        for container in ("writer", "server", "reader"):
            address = shop.kubectl("exec", pod.name, f"--container={container}", "--", "hostname", "-i")
            assert pod.body["status"]["podIP"] == address.strip()


def has_read(shop: Namespace, pod: Pod) -> bool:
    """Whether the reader has read anything."""
    return bool(last_page(shop, pod))


def last_page(shop: Namespace, pod: Pod) -> str:
    """What the reader has read last."""
    return shop.kubectl("logs", pod.name, "--container=reader", "--tail=1")


def test_containers_wait_run_and_terminate(shop: Namespace) -> None:
    """Waiting, Running and Terminated are told with their reasons; the group has its pod, and says it is not Ready."""
    apply(shop, "container-states")
    seen: dict[tuple[str, str], dict[str, Any]] = {}

    def all_seen() -> bool:
        for pod in shop.live():
            for container in pod.containers:
                seen.update({(container["name"], state): detail for state, detail in container["state"].items()})
        return {("never", "waiting"), ("done", "terminated"), ("steady", "running")} <= set(seen)

    wait_for("every state to be told", all_seen, SLOW)
    assert seen["done", "terminated"]["exitCode"] == 3
    assert "ImagePull" in wait_for("the reason", lambda: waits_because(shop, "never"), SLOW)
    eventually((1, 0, 0), lambda: counts(shop, "container-states"))
    assert shop.condition("Ready", "container-states")["status"] == "False"


def waits_because(shop: Namespace, container: str) -> str | None:
    """Why a container of the only pod has not been started, once the kubelet has tried."""
    states = {each["name"]: each["state"] for pod in shop.live() for each in pod.containers}
    reason = states.get(container, {}).get("waiting", {}).get("reason")
    return reason if reason != "ContainerCreating" else None


def test_a_failing_readiness_probe_costs_traffic_not_the_pod(shop: Namespace) -> None:
    """A pod whose readiness probe fails is counted as not Ready; it stays, and is Ready again when the probe passes."""
    apply(shop, "probes")
    before = shop.complete("probes")
    shop.kubectl("exec", before[0].name, "--", "rm", "/state/ready")
    eventually((2, 1, 0), lambda: counts(shop, "probes"))
    shop.kubectl("exec", before[0].name, "--", "touch", "/state/ready")
    assert uids(before) == uids(shop.complete("probes"))


def test_a_failing_liveness_probe_restarts_the_container_in_its_pod(shop: Namespace) -> None:
    """A container whose liveness probe fails is restarted by the kubelet: same pod, one restart, nothing replaced."""
    apply(shop, "probes")
    before = shop.complete("probes")
    shop.kubectl("exec", before[0].name, "--", "rm", "/state/alive")
    eventually(1, lambda: shop.pod(before[0].name).restarts, SLOW)
    assert uids(before) == uids(shop.complete("probes"))
    assert counts(shop, "probes") == (2, 2, 0)


def test_a_killed_process_is_restarted_in_its_pod(shop: Namespace, mortal: list[Pod]) -> None:
    """Killed from inside: the same pod, restarted once; the group's counts are as before, and nothing is created."""
    with shop.record() as recording:
        shop.kubectl("exec", mortal[0].name, "--", "killall", "-9", "httpd")
        eventually(1, lambda: shop.pod(mortal[0].name).restarts, SLOW)
        assert uids(mortal) == uids(shop.complete("mortal"))
        assert recording.created() == []
    assert counts(shop) == (3, 3, 0)
    assert shop.notes("PodHealed", "mortal") == []


def test_a_deleted_pod_is_replaced(shop: Namespace, mortal: list[Pod]) -> None:
    """Deleted from outside: another pod, of another name and UID, scheduled anew, that says and tells its story."""
    shop.kubectl("delete", "pod", mortal[0].name)
    after = shop.complete("mortal", without=mortal[:1])
    new = next(pod for pod in after if pod.uid not in uids(mortal))
    assert new.name not in names(mortal)
    assert (new.replaces, new.cause) == (mortal[0].name, "Deleted")
    assert new.node
    assert new.condition("PodScheduled")["status"] == "True"
    assert uids(after) - {new.uid} == uids(mortal[1:])
    assert counts(shop) == (3, 3, 1)


def test_a_bare_pod_stays_gone(shop: Namespace, mortal: list[Pod]) -> None:
    """A pod without a controller that is deleted beside theirs is not replaced by anybody; theirs is."""
    shop.kubectl("run", "bare", f"--image={IMAGE}", "--restart=Always", "--", "sleep", "infinity")
    shop.kubectl("wait", "--for=condition=Ready", "pod/bare", "--timeout=60s")
    shop.kubectl("delete", "pod", "bare", mortal[0].name, "--grace-period=1")
    after = shop.complete("mortal", without=mortal[:1])
    stays(names(after), lambda: names(shop.pods()), 3.0)


def test_a_deleted_group_takes_its_pods_with_it(shop: Namespace, mortal: list[Pod]) -> None:
    """`kubectl delete pgrp` is enough: all pods go, and none is put in their place."""
    shop.kubectl("delete", "pgrp", "mortal")
    eventually(set(), lambda: names(shop.pods()), SLOW)
    stays(set(), lambda: names(shop.pods()), 2.0)


def test_on_failure_restarts_in_the_pod_and_a_success_ends_it(shop: Namespace) -> None:
    """With OnFailure a failed container is restarted in its pod; once it has succeeded, another pod takes its place."""
    with shop.record() as recording:
        apply(shop, "on-failure")
        done = recording.first("a pod to succeed", lambda change: change.pod.phase == "Succeeded", seconds=SLOW).pod
        assert done.restarts == 1
        new = recording.heir(done, seconds=SLOW).pod
    assert (new.cause, new.uid == done.uid) == ("Succeeded", False)


def test_never_restarts_nothing_and_the_failed_pod_is_replaced(shop: Namespace) -> None:
    """With Never a failed container is not restarted: its pod is Failed, and another pod takes its place."""
    with shop.record() as recording:
        apply(shop, "never")
        failed = recording.first("a pod to fail", lambda change: change.pod.phase == "Failed", seconds=SLOW).pod
        assert failed.restarts == 0
        new = recording.heir(failed, seconds=SLOW).pod
    assert new.cause == "Failed"


DEPLOYMENT = "\napiVersion: apps/v1\nkind: Deployment\n"
PODGROUP = "\napiVersion: selfheal.dev/v1\nkind: PodGroup\n"


def test_a_deployment_becomes_a_group_by_two_lines(shop: Namespace) -> None:
    """A Deployment's manifest with another apiVersion and kind is a PodGroup with pods as the Deployment had."""
    manifest = (EXAMPLES / "deployment.yaml").read_text()
    assert manifest.count(DEPLOYMENT) == 1
    shop.kubectl("apply", "--filename=-", input=manifest)
    shop.kubectl("wait", "deployment/same", "--for=condition=Available", "--timeout=60s")
    theirs = shop.live()
    shop.kubectl("delete", "deployment", "same", "--cascade=foreground")
    shop.kubectl("apply", "--filename=-", input=manifest.replace(DEPLOYMENT, PODGROUP))
    ours = shop.complete("same")
    assert len(theirs) == len(ours)
    assert without_token(theirs[0]) == without_token(ours[0])


def without_token(pod: Pod) -> list[dict[str, Any]]:
    """A pod's containers without the volume that every pod gets under a random name."""
    containers = pod.body["spec"]["containers"]
    return [{key: value for key, value in each.items() if key != "volumeMounts"} for each in containers]


def test_a_here_document_is_enough(shop: Namespace, shell: Shell) -> None:
    """`kubectl apply -f -` takes a PodGroup from a here-document, and `kubectl wait` waits for it."""
    shell.run(f"""
kubectl apply --namespace {shop.name} -f - <<END
apiVersion: selfheal.dev/v1
kind: PodGroup
metadata:
  name: here
spec:
  replicas: 2
  template:
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: sleep
          image: {IMAGE}
          command: [sleep, infinity]
END
kubectl wait --namespace {shop.name} --for=condition=Ready pgrp/here --timeout=60s
""")
    assert len(shop.complete("here")) == 2


def test_an_eviction_is_healed_and_a_budget_is_kept(shop: Namespace, mortal: list[Pod]) -> None:
    """With a budget of one, a second eviction is refused until the first pod's replacement is Ready."""
    apply(shop, "budget")
    shop.kubectl("wait", "--for=jsonpath={.status.disruptionsAllowed}=1", "pdb/mortal", "--timeout=90s")
    shop.evict(mortal[0])
    with pytest.raises(Refused) as refused:
        shop.evict(mortal[1])
    assert refused.value.code == HTTPStatus.TOO_MANY_REQUESTS
    shop.complete("mortal", without=mortal[:1])
    wait_for("the second eviction", lambda: evicted(shop, mortal[1]))
    after = shop.complete("mortal", without=mortal[:2])
    assert {pod.cause for pod in after if pod.uid not in uids(mortal)} == {"Evicted"}


def evicted(shop: Namespace, pod: Pod) -> bool:
    """Try to evict a pod."""
    try:
        shop.evict(pod)
    except Refused:
        return False
    return True


def test_a_drained_node_gets_its_pods_back(shop: Namespace, mortal: list[Pod], shell: Shell) -> None:
    """The only node is drained, the operators with it; uncordoned, it gets exactly as many pods as were lost.

    Without the operators' own budget, which would keep the last of them on the only node.
    """
    shell.run(f"kubectl delete pdb podgroup-operator --namespace {NAMESPACE} --ignore-not-found")
    node = mortal[0].node
    with shop.record() as recording:
        try:
            shop.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=120s")
            assert [pod for pod in shop.live() if pod.node] == []
        finally:
            shop.kubectl("uncordon", node)
        after = wait_for("the operator and the group", lambda: back(shop), SLOW)
        assert not uids(after) & uids(mortal)
        assert uids(recording.created()) == uids(after)


def back(shop: Namespace) -> list[Pod] | None:
    """The group's pods, once all of them are Ready."""
    pods = [pod for pod in shop.live() if pod.ready]
    return pods if len(pods) == 3 else None


def test_a_restarted_operator_loses_no_pod(shop: Namespace, mortal: list[Pod], installed: Installation) -> None:
    """Pods that die while the operator is restarted by `kubectl rollout restart` are replaced, each by exactly one."""
    old = installed.uids()
    killed: list[Pod] = []
    with shop.record() as recording:
        shop.kubectl("rollout", "restart", "--namespace=podgroup-system", "deployment/podgroup-operator")
        deadline = time.monotonic() + SLOW
        while old & {pod["metadata"]["uid"] for pod in installed.pods()}:
            assert time.monotonic() < deadline, "the operator was not restarted"
            for pod in [pod for pod in shop.live() if pod.ready][:1]:
                shop.kill(pod, gracePeriodSeconds=0)
                killed.append(pod)
        after = shop.complete("mortal", without=killed)
        assert len(recording.created()) == len(killed) > 0
    assert len(after) == 3

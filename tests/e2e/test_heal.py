"""A pod that is lost is replaced, however it was lost, and nothing else is touched."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from e2e.namespace import HOLD, template
from e2e.pod import names, uids
from e2e.waiting import SECONDS, eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

SECOND = timedelta(seconds=1)
STAGES = ("noticed", "decided", "created", "scheduled", "ready")

pytestmark = pytest.mark.usefixtures("operator")


def test_a_killed_pod_is_replaced(shop: Namespace) -> None:
    """A pod that is deleted is replaced by one of another name and UID in the same slot; the others stay."""
    lost, *others = shop.start_group()
    shop.kill(lost)
    pods = shop.complete(without=[lost])
    (fresh,) = [pod for pod in pods if pod.uid not in uids(others)]
    assert uids(others) | {fresh.uid} == uids(pods)
    assert lost.slot == fresh.slot
    assert lost.name != fresh.name


def test_a_pod_that_vanishes_at_once_is_replaced(shop: Namespace) -> None:
    """A pod that is deleted by force, so that no watch ever shows it Terminating, is replaced."""
    lost, *others = shop.start_group()
    shop.kill(lost, gracePeriodSeconds=0)
    pods = shop.complete(without=[lost])
    assert uids(others) < uids(pods)


def test_a_pod_need_not_be_gone_to_be_replaced(shop: Namespace) -> None:
    """A pod that is Terminating is replaced at once: the new one does not wait for the end of the old one."""
    lost, *_ = shop.start_group(template=template({"finalizers": [HOLD]}))
    shop.kill(lost)
    shop.complete(without=[lost])
    assert shop.pod(lost.name).terminating
    eventually(1, lambda: shop.status()["terminatingReplicas"])
    for pod in shop.pods():
        shop.let_go(pod)
    eventually(0, lambda: shop.status()["terminatingReplicas"])


def test_all_pods_killed_at_once_are_replaced(shop: Namespace) -> None:
    """When all pods are deleted in one request, as many new ones come, one in each slot."""
    lost = shop.start_group(replicas=5)
    shop.kill_all()
    pods = shop.complete(without=lost)
    assert {"0", "1", "2", "3", "4"} == {pod.slot for pod in pods}
    assert names(lost) == {pod.replaces for pod in pods}


def test_a_replacement_that_is_killed_too_is_replaced(shop: Namespace) -> None:
    """When the replacement is deleted the moment it appears, there is another one, and no two of one name."""
    lost, *others = shop.start_group()
    with shop.record() as recording:
        shop.kill(lost)
        second = recording.first("the replacement", lambda change: change.kind == "ADDED").pod
        shop.kill(second)
        pods = shop.complete(without=[lost, second])
        assert names([second]) | names(pods) - names(others) == names(recording.created())
    (third,) = [pod for pod in pods if pod.uid not in uids(others)]
    assert (lost.name, second.name) == (second.replaces, third.replaces)
    assert len({lost.name, second.name, third.name}) == 3


def test_an_evicted_pod_is_replaced(shop: Namespace) -> None:
    """A pod that is evicted, as `kubectl drain` does it, is replaced, and the cause is told."""
    lost, *others = shop.start_group()
    shop.evict(lost)
    pods = shop.complete(without=[lost])
    (fresh,) = [pod for pod in pods if pod.uid not in uids(others)]
    assert (fresh.replaces, fresh.cause) == (lost.name, "Evicted")
    eventually("Evicted", lambda: shop.status()["healing"].get("lastCause"))


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_finished_pod_is_replaced_and_left_alone(shop: Namespace, phase: str) -> None:
    """A pod that is Failed or Succeeded no longer counts; it is replaced, and its own object stays for a look."""
    lost, *others = shop.start_group()
    finished = shop.finish(lost, phase)
    pods = shop.complete(without=[lost])
    (fresh,) = [pod for pod in pods if pod.uid not in uids(others)]
    assert (fresh.replaces, fresh.cause) == (lost.name, phase)
    eventually(phase, lambda: shop.status()["healing"].get("lastCause"))
    assert finished.version == shop.pod(lost.name).version


def test_a_relabelled_pod_is_released_and_comes_back(shop: Namespace) -> None:
    """A pod that is taken out by its label runs on, free and replaced; labelled back it is taken in, one too many."""
    template_labels = template({"labels": {"app": "web"}})
    taken, *others = shop.start_group(selector={"matchLabels": {"app": "web"}}, template=template_labels)
    shop.relabel(taken, app="debug")
    pods = shop.complete(without=[taken])
    eventually("", lambda: shop.pod(taken.name).controller)
    assert shop.pod(taken.name).ready
    assert uids(others) < uids(pods)

    with shop.record() as recording:
        shop.relabel(shop.pod(taken.name), app="web")
        recording.first(
            "the pod to be taken in again",
            lambda change: change.pod.uid == taken.uid and change.pod.controller == taken.controller,
        )
        recording.first("one pod to be deleted", lambda change: change.pod.terminating)
        remaining = shop.complete()
        assert recording.created() == []
    assert uids(remaining) < {taken.uid} | uids(pods)


def test_what_is_lost_while_the_operator_is_down_is_replaced(shop: Namespace, operator: OperatorProcess) -> None:
    """Pods that were killed or failed while nobody watched are replaced when somebody does; what is known is told."""
    graceful, forced, failed, survivor = shop.start_group(replicas=4)
    operator.kill()
    shop.kill(graceful)
    shop.kill(forced, gracePeriodSeconds=0)
    shop.finish(failed, "Failed")
    eventually({failed.name, survivor.name}, lambda: names(shop.pods()))
    operator.start()
    pods = shop.complete(without=[graceful, forced, failed])
    assert survivor.uid in uids(pods)
    assert {(pod.replaces, pod.cause) for pod in pods if pod.cause} == {(failed.name, "Failed"), ("", "Deleted")}
    eventually(3, lambda: shop.status()["healing"]["total"])


def test_a_restart_changes_nothing(shop: Namespace, operator: OperatorProcess) -> None:
    """When nothing was lost while the operator was away, it touches nothing when it comes back."""
    pods = shop.start_group()
    before = shop.group()["metadata"]["resourceVersion"]
    operator.kill()
    operator.start()
    # The operator has looked at this group when it has healed another one that came later.
    shop.start_group("later", 1)
    assert before == shop.group()["metadata"]["resourceVersion"]
    assert [pod.version for pod in pods] == [shop.pod(pod.name).version for pod in pods]


def test_a_replacement_tells_its_story(shop: Namespace) -> None:
    """A replacement carries the group's labels, says which pod it replaces, why and when it was lost, and its owner."""
    lost, *others = shop.start_group()
    shop.kill(lost)
    fresh = wait_for(
        "the replacement", lambda: next((pod for pod in shop.live() if pod.uid not in uids([lost, *others])), None)
    )
    group = shop.group()["metadata"]
    told = {key.removeprefix("selfheal.dev/"): value for key, value in (fresh.labels | fresh.annotations).items()}
    lost_at, evidence = told.pop("lost-at"), json.loads(told.pop("evidence"))
    assert evidence["node"] == lost.node
    assert 0 <= evidence["decidedSeconds"] < SECONDS
    assert {
        "podgroup": "web",
        "revision": lost.labels["selfheal.dev/revision"],
        "pod-template-hash": lost.labels["selfheal.dev/revision"],
        "slot": lost.slot,
        "epoch": "1",
        "replaces": lost.name,
        "cause": "Deleted",
        "heal": "1",
    } == told
    assert time(group["creationTimestamp"]) < time(lost_at) < time(fresh.body["metadata"]["creationTimestamp"]) + SECOND
    owner = {
        "apiVersion": "selfheal.dev/v1",
        "kind": "PodGroup",
        "name": "web",
        "uid": group["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert [owner] == fresh.owners


def time(text: str) -> datetime:
    """Read a time of the API."""
    return datetime.fromisoformat(text)


def test_the_status_keeps_the_record(shop: Namespace) -> None:
    """`status.healing` counts replacements and tells of the last: what, why, by what, and how long until Ready."""
    first, second, _ = shop.start_group()
    assert shop.status()["healing"] == {"total": 0}
    shop.kill(first)
    shop.complete(without=[first])
    shop.kill(second)
    pods = shop.complete(without=[first, second])
    (fresh,) = [pod for pod in pods if pod.replaces == second.name]
    eventually(2, lambda: shop.status()["healing"]["total"])
    wait_for("the recovery to be measured", lambda: shop.status()["healing"].get("lastRecoverySeconds"))
    healing = shop.status()["healing"]
    assert healing["byCause"] == {"Deleted": 2}
    assert [heal["number"] for heal in healing["recent"]] == [2, 1]
    stages = [healing["recent"][0][f"{stage}Seconds"] for stage in STAGES]
    assert min(stages) >= 0
    assert pytest.approx(healing["lastRecoverySeconds"], abs=0.002) == sum(stages)
    assert ("Deleted", second.name) == (healing["lastCause"], healing["lastPod"])
    assert fresh.name == healing["lastReplacement"]
    assert 0 <= healing["lastRecoverySeconds"] < SECONDS
    assert time(fresh.annotations["selfheal.dev/lost-at"]) < time(healing["lastTime"])


def test_describe_tells_what_happened(shop: Namespace) -> None:
    """`kubectl describe` shows an Event for each pod that was made, and one for a heal."""
    lost, *others = shop.start_group()
    shop.kill(lost)
    pods = shop.complete(without=[lost])
    (fresh,) = [pod for pod in pods if pod.uid not in uids(others)]
    wait_for("the Event of the heal", lambda: shop.notes("PodHealed") or None)
    described = shop.kubectl("describe", "podgroups.selfheal.dev", "web")
    for pod in (lost, *others, fresh):
        assert re.search(rf"SuccessfulCreate .* Created pod: {pod.name}\n", described)
    assert re.search(
        rf"PodHealed .* {fresh.name} replaced {lost.name} \(Deleted on [\w-]+\) in \d+\.\d{{3}} s", described
    )

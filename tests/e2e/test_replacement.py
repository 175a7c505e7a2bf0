"""When a dying pod is replaced, and how many finished ones are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.namespace import HOLD
from e2e.pod import names
from e2e.waiting import eventually, stays

if TYPE_CHECKING:
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

FINISHED = {"Failed", "Succeeded"}


def finished(shop: Namespace) -> set[str]:
    """The names of the finished pods."""
    return {pod.name for pod in shop.pods() if pod.phase in FINISHED}


def test_termination_complete_waits_for_the_end(shop: Namespace) -> None:
    """With TerminationComplete a pod that is being deleted keeps its place until it is gone; the status tells of it."""
    pods = shop.start_group(replicas=2, podReplacementPolicy="TerminationComplete")
    held = shop.patch_pod(pods[0], {"metadata": {"finalizers": [HOLD]}})
    with shop.record() as recording:
        shop.kill(held)
        eventually(1, lambda: shop.status().get("terminatingReplicas"))
        stays(1, lambda: len(shop.live()), 1.0)
        shop.let_go(held)
        shop.complete(without=[held])
        there = len(recording.before)
        for change in recording.history():
            there += {"ADDED": 1, "DELETED": -1}.get(change.kind, 0)
            assert there <= 2


def test_termination_started_does_not_wait(shop: Namespace) -> None:
    """By default a pod that is being deleted is replaced at once, though it is still there."""
    held = shop.patch_pod(shop.start_group(replicas=2)[0], {"metadata": {"finalizers": [HOLD]}})
    shop.kill(held)
    shop.complete(without=[held])
    assert held.name in names(shop.pods())
    shop.let_go(held)


@pytest.mark.parametrize(("healing", "kept"), [({}, 1), ({"failedPodsHistoryLimit": 2}, 2)])
def test_the_newest_finished_pods_are_kept(shop: Namespace, healing: dict[str, int], kept: int) -> None:
    """Of pods that finish one after the other the newest stay for a look, by default one; all are replaced."""
    shop.start_group(replicas=1, healing=healing)
    gone = []
    for phase in ("Failed", "Succeeded", "Failed", "Failed"):
        pod = shop.live()[0]
        shop.finish(pod, phase)
        gone.append(pod)
        shop.complete(without=gone)
    eventually(names(gone[-kept:]), lambda: finished(shop))


def test_a_limit_of_none_keeps_none(shop: Namespace) -> None:
    """With a limit of 0 a finished pod goes as soon as it is seen."""
    pod = shop.start_group(replicas=1, healing={"failedPodsHistoryLimit": 0})[0]
    shop.finish(pod, "Failed")
    shop.complete(without=[pod])
    eventually(set(), lambda: finished(shop))

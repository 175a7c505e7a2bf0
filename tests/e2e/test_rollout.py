"""Rollouts: a changed template reaches the pods within the strategy's bounds, whatever happens meanwhile."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from e2e.api import Refused
from e2e.versions import LABELS, NEVER_READY, bounds, change, rolled, start, version_of, web
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

pytestmark = pytest.mark.usefixtures("operator")

STEPS = 20
SEEDS = int(os.environ.get("ROLLOUT_SEEDS", "4"))
"""`make rollouts` takes 25."""


@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "fewest"),
    [("25%", "25%", 8, 5), (0, 1, 6, 5), (1, 0, 7, 6), ("100%", 0, 12, 6), (0, "100%", 6, 0)],
)
def test_a_rollout_keeps_within_its_bounds(
    shop: Namespace, surge: object, unavailable: object, most: int, fewest: int
) -> None:
    """Six pods are replaced, at no moment more than maxSurge are there beyond, or more than maxUnavailable missed."""
    before = start(shop, 6, strategy={"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
    with shop.record() as recording:
        change(shop, "2")
        after = rolled(shop, "2")
        seen = bounds(recording)
    assert not {pod.uid for pod in before} & {pod.uid for pod in after}
    assert seen.most <= most
    assert seen.fewest >= fewest
    assert {pod.slot for pod in after} == {str(slot) for slot in range(6)}
    assert shop.status()["healing"]["total"] == 0, "what a rollout replaces is not a heal"


def test_recreate_makes_no_new_pod_beside_an_old_one(shop: Namespace) -> None:
    """With Recreate the first new pod comes when the last old one has gone, not when its deletion was asked for."""
    start(shop, 3, strategy={"type": "Recreate"})
    with shop.record() as recording:
        change(shop, "2")
        rolled(shop, "2")
        versions = [(each.kind, version_of(each.pod)) for each in recording.changes]
    first = versions.index(("ADDED", "2"))
    assert versions[:first].count(("DELETED", "1")) == 3


def test_on_delete_leaves_pods_until_they_are_deleted(shop: Namespace) -> None:
    """With OnDelete nothing goes by itself, and each pod that is deleted comes back of the new template."""
    old = start(shop, 3, strategy={"type": "OnDelete"})
    change(shop, "2")
    eventually("True", lambda: shop.condition("Ready").get("status"))
    assert {pod.uid for pod in shop.live()} == {pod.uid for pod in old}
    shop.kill(old[0])
    shop.complete(without=old[:1])
    assert sorted(map(version_of, shop.live())) == ["1", "1", "2"]


def test_a_partition_holds_a_rollout(shop: Namespace) -> None:
    """As many pods as the partition says stay as they are, and a lost one of them comes back as it was."""
    start(shop, 4, strategy={"rollingUpdate": {"partition": 3}})
    change(shop, "2")
    eventually(1, lambda: shop.status().get("updatedReplicas"))
    eventually("True", lambda: shop.condition("Ready").get("status"))
    lost = next(pod for pod in shop.live() if version_of(pod) == "1")
    shop.kill(lost)
    shop.complete(without=[lost])
    assert sorted(map(version_of, shop.live())) == ["1", "1", "1", "2"]
    shop.patch_group({"spec": {"strategy": {"rollingUpdate": {"partition": 0}}}})
    rolled(shop, "2")


def test_a_paused_group_heals_and_scales_as_it_is(shop: Namespace) -> None:
    """Nothing is rolled out in a pause; what is lost or wanted in addition is of the old template."""
    old = start(shop, 3)
    shop.patch_group({"spec": {"paused": True, "template": web("2")}})
    eventually("Paused", lambda: shop.condition("Ready").get("reason"))
    assert shop.condition("Progressing")["status"] == "Unknown"
    shop.kill(old[0])
    shop.patch_group({"spec": {"replicas": 4}})
    pods = shop.complete(without=old[:1])
    assert {version_of(pod) for pod in pods} == {"1"}
    shop.patch_group({"spec": {"paused": False}})
    rolled(shop, "2")


def test_a_stuck_rollout_goes_back_without_touching_what_is_good(shop: Namespace) -> None:
    """A template that never starts holds the rollout within its bounds; taken back, the old pods are still the same."""
    old = start(shop, 4, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    change(shop, "2", NEVER_READY)
    wait_for("a pod that never starts", lambda: "2" in map(version_of, shop.live()))
    assert sum(pod.ready for pod in shop.live()) == 4
    change(shop, "1")
    pods = rolled(shop, "1")
    assert {pod.uid for pod in pods} == {pod.uid for pod in old}
    assert len(shop.api.request("GET", shop.path("controllerrevisions", root="/apis/apps/v1"))["items"]) == 2


def test_a_stuck_rollout_is_scaled_out_with_what_is_good(shop: Namespace) -> None:
    """From 4 to 12 with a template that never starts: nine of them are available, as with a Deployment."""
    start(shop, 4)
    change(shop, "2", NEVER_READY)
    wait_for("two pods that never start", lambda: [version_of(pod) for pod in shop.live()].count("2") == 2)
    shop.patch_group({"spec": {"replicas": 12}})
    wait_for("nine good pods", lambda: sum(pod.ready and version_of(pod) == "1" for pod in shop.live()) == 9)
    assert len(shop.live()) == 15
    change(shop, "1")
    rolled(shop, "1")


def test_a_missed_deadline_takes_the_pods_back(shop: Namespace) -> None:
    """With rollbackOnDeadline the pods return to the good revision, the status says why, and the spec is as it was."""
    start(shop, 4, progressDeadlineSeconds=2, rollbackOnDeadline=True)
    with shop.record() as recording:
        change(shop, "2", NEVER_READY)
        eventually("RolledBack", lambda: shop.condition("Stalled").get("reason"), seconds=90)
        wait_for("four good pods", lambda: sum(pod.ready and version_of(pod) == "1" for pod in shop.live()) == 4)
        assert bounds(recording).fewest >= 3
    assert shop.condition("Ready")["status"] == "False"
    assert shop.group()["spec"]["template"]["metadata"]["annotations"]["version"] == "2"
    assert len(shop.notes("RolledBack")) == 1
    change(shop, "3")
    rolled(shop, "3")


def test_an_invalid_template_touches_no_pod(shop: Namespace) -> None:
    """What the API server refuses is told; lost pods come back, and more are made, of the last good template."""
    old = start(shop, 3)
    broken = [{"name": "web", "image": "web", "volumeMounts": [{"name": "nowhere", "mountPath": "/nowhere"}]}]
    shop.patch_group({"spec": {"template": web("2", containers=broken)}})
    eventually("TemplateInvalid", lambda: shop.condition("Stalled").get("reason"))
    shop.kill(old[0])
    shop.patch_group({"spec": {"replicas": 4}})
    pods = shop.complete(without=old[:1])
    assert {version_of(pod) for pod in pods} == {"1"}
    shop.patch_group({"spec": {"template": web("3")}})
    rolled(shop, "3")


def test_one_pod_is_replaced_when_it_is_asked_for(shop: Namespace) -> None:
    """The annotation `selfheal.dev/delete` replaces that pod alone, its heir first; no heal is counted."""
    pods = start(shop, 3, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    with shop.record() as recording:
        shop.patch_pod(pods[1], {"metadata": {"annotations": {"selfheal.dev/delete": "true"}}})
        after = shop.complete(without=[pods[1]])
        assert bounds(recording).fewest >= 3
    assert {pod.uid for pod in (pods[0], pods[2])} < {pod.uid for pod in after}
    shop.quiet()
    assert shop.status()["healing"]["total"] == 0


def test_a_kept_pod_outlives_a_rollout(shop: Namespace) -> None:
    """`selfheal.dev/keep` exempts a pod; the group says so, and goes on when the annotation is taken away."""
    pods = start(shop, 3)
    shop.patch_pod(pods[0], {"metadata": {"annotations": {"selfheal.dev/keep": "true"}}})
    change(shop, "2")
    eventually(2, lambda: shop.status().get("updatedReplicas"))
    shop.quiet()
    assert pods[0].uid in {pod.uid for pod in shop.live()}
    assert pods[0].name in shop.condition("Progressing")["message"] + shop.condition("Ready")["message"]
    shop.patch_pod(pods[0], {"metadata": {"annotations": {"selfheal.dev/keep": None}}})
    rolled(shop, "2")


def test_a_restart_annotation_rolls_the_group(shop: Namespace) -> None:
    """What `kubectl rollout restart` style tools set in the template replaces every pod."""
    old = start(shop, 3)
    again = {"kubectl.kubernetes.io/restartedAt": "2026-11-27T00:00:00Z"}
    shop.patch_group({"spec": {"template": {"metadata": {"annotations": again}}}})
    eventually(set(), lambda: {pod.uid for pod in shop.live()} & {pod.uid for pod in old})
    rolled(shop, "1")


def test_a_group_with_revisions_can_be_orphaned(shop: Namespace) -> None:
    """The garbage collector patches its revisions, which the API server refuses where they are not as Go writes."""
    command = ["sh", "-c", "a && b <c >d"]
    containers = [{"name": "web", "image": "web", "command": command}]
    shop.start_group(replicas=1, selector={"matchLabels": LABELS}, template=web("1", containers=containers))
    shop.kubectl("delete", "pgrp/web", "--cascade=orphan", "--timeout=90s")
    assert len(shop.live()) == 1
    (kept,) = shop.api.request("GET", shop.path("controllerrevisions", root="/apis/apps/v1"))["items"]
    assert not kept["metadata"].get("ownerReferences")


@pytest.mark.timeout(900)
def test_whatever_happens_in_between_it_completes(shop: Namespace, operator: OperatorProcess) -> None:
    """Twenty random steps (template, back, scale by one, pause, resume, half of the pods killed), many times over."""
    start(shop, 6)
    for seed in range(SEEDS):
        Steps(shop, seed).run()


class Steps:
    """Random steps, and then the end."""

    def __init__(self, shop: Namespace, seed: int) -> None:
        self._shop = shop
        self._chance = random.Random(seed)  # noqa: S311 - any steps will do
        self._version, self._before, self._seed = "1", "1", seed

    def run(self) -> None:
        """Take the steps, then let the group come to rest."""
        for number in range(STEPS):
            step = self._chance.choice([self._change, self._back, self._scale, self._pause, self._resume, self._kill])
            step(number)
        self._resume(STEPS)
        self._shop.patch_group({"spec": {"replicas": 6}})
        self._roll(f"{self._seed}-end")
        rolled(self._shop, self._version)

    def _roll(self, version: str) -> None:
        self._before, self._version = self._version, version
        change(self._shop, version)

    def _change(self, number: int) -> None:
        self._roll(f"{self._seed}-{number}")

    def _back(self, _: int) -> None:
        self._roll(self._before)

    def _scale(self, _: int) -> None:
        replicas = self._shop.group()["spec"]["replicas"] + self._chance.choice([-1, 1])
        self._shop.patch_group({"spec": {"replicas": max(replicas, 1)}})

    def _pause(self, _: int) -> None:
        self._shop.patch_group({"spec": {"paused": True}})

    def _resume(self, _: int) -> None:
        self._shop.patch_group({"spec": {"paused": False}})

    def _kill(self, _: int) -> None:
        pods = self._shop.live()
        for pod in self._chance.sample(pods, len(pods) // 2):
            with suppress(Refused):  # it has gone meanwhile
                self._shop.kill(pod)

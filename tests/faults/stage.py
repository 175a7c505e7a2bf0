"""Where a scenario plays: what people do to one PodGroup, and what they may expect of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from e2e.api import Refused
from e2e.namespace import template
from e2e.pod import pod_spec
from e2e.waiting import wait_for
from faults.invariants import BYSTANDER, tells_the_truth
from faults.story import CHANGING, IN_PLACE, Moment, version_of, version_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from e2e.namespace import Namespace
    from e2e.pod import Pod
    from faults.history import History

NAME = "web"
SURGE = 2
"""Pods that a rollout may have beyond those that are wanted, of up to eight."""

LABELS = {"selfheal.dev/podgroup": NAME}
FIRST = "1"
"""The version of a group's first template."""

DELAY = "pod-ready.stage.kwok.x-k8s.io/delay"
LINGERS = "pod-delete.stage.kwok.x-k8s.io/delay"
"""Annotations of pods: how long kwok's nodes take to start them, and to end them."""


@dataclass
class Stage:
    """One PodGroup in a namespace of its own.

    Attributes:
        trouble: called by a scenario when everything is well, for what shall go wrong from then on.
        patience: seconds until the group must be what it is to be.
        births: how many pods its operator should have made until now.
        removals: how many pods it should have deleted until now.
        spare: how many more of each it may have, for what was done in the middle of a rollout.
    """

    space: Namespace
    history: History
    trouble: Callable[[], None]
    patience: float
    births: int = 0
    removals: int = 0
    spare: int = 0
    _generation: int = 0
    _uid: str = ""
    _failed: bool = False
    _rolls: bool = False
    _older: set[str] = field(default_factory=set)
    _lost: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)

    def bystand(self) -> None:
        """Add a pod that has the group's labels, and belongs to somebody else."""
        owner = self.space.create("configmaps", {"metadata": {"name": "somebody"}})
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "somebody", "uid": owner["metadata"]["uid"]}
        self.space.create_pod(BYSTANDER, LABELS, ownerReferences=[{**reference, "controller": True}])

    def allow_pods(self, number: int) -> None:
        """Set a quota of so many pods beside the bystander, and wait until it is in force."""
        quota = {"metadata": {"name": "tight"}, "spec": {"hard": {"pods": str(number + 1)}}}
        self.space.create("resourcequotas", quota)
        path = self.space.path("resourcequotas", "tight")
        wait_for("the quota", lambda: "used" in (self.space.api.request("GET", path).get("status") or {}))

    def orphan(self, name: str) -> None:
        """Add a pod that the group takes in."""
        self.space.create_pod(name, LABELS, annotations={"version": FIRST, LINGERS: "0s"})
        self.births -= 1

    def group(self, replicas: int, *, lingers: str = "0s", **spec: object) -> None:
        """Create the PodGroup; `lingers` is how long its pods take to end."""
        spec = {"template": first_template(lingers), **spec}
        self._uid = self.space.create_group(NAME, replicas, **spec)
        self._generation = 1
        self.births += replicas

    def scale(self, replicas: int) -> None:
        """Want another number of pods."""
        before = self.space.group(NAME)["spec"]["replicas"]
        self._patch({"replicas": replicas})
        self.births += max(replicas - before, 0)
        self.removals += max(before - replicas, 0)

    def change(self, version: str, delay: str | None = None) -> None:
        """Want pods of another template; in the middle of a rollout what that has made was in vain."""
        replicas = self.space.group(NAME)["spec"]["replicas"]
        self._patch({"template": {"metadata": {"annotations": {"version": version, DELAY: delay}}}})
        if self._rolls:
            self.spare += replicas + SURGE  # all that there may be may be in vain
        else:
            self.births += replicas
            self.removals += replicas
        self._rolls = True

    def change_in_place(self, version: str) -> None:
        """Want another image, and other resources, in the pods that there are."""
        self._patch({"template": patchable(version)})

    def change_in_place_or_not(self, version: str) -> None:
        """Want that where the API server may refuse it; then the pods are replaced."""
        self.change_in_place(version)
        self.spare += self.space.group(NAME)["spec"]["replicas"]

    def change_more(self, version: str) -> None:
        """Want that and something else, for which the pods have to be replaced."""
        replicas = self.space.group(NAME)["spec"]["replicas"]
        self._patch({"template": patchable(version, turn=version)})
        self.births += replicas
        self.removals += replicas

    def choose(self, **strategy: object) -> None:
        """Choose another strategy."""
        self._patch({"strategy": strategy})

    def await_changing(self) -> None:
        """Wait until a pod is on its way from one template to another."""
        wait_for("a pod on its way", lambda: any(CHANGING in pod.annotations for pod in self.pods()), self.patience)

    def await_changed(self) -> None:
        """Wait until none is, and each pod has all of one template."""
        wait_for("no pod on its way", lambda: all(is_whole(pod) for pod in self.pods()), self.patience)

    def ask(self) -> None:
        """Ask for the replacement of a pod."""
        pod = self.pods()[0]
        self.space.patch_pod(pod, {"metadata": {"annotations": {"selfheal.dev/delete": "true"}}})
        self._asked.add(pod.uid)
        self.births += 1
        self.removals += 1

    def await_pods(self, version: str, number: int = 1) -> None:
        """Wait until there are some of a template."""
        wait_for(
            f"{number} pods of version {version}",
            lambda: sum(version_of(pod) == version for pod in self.pods()) >= number,
            self.patience,
        )

    def _patch(self, spec: Mapping[str, object]) -> None:
        self._generation = self.space.patch_group({"spec": spec}, NAME)["metadata"]["generation"]

    def kill(self, number: int = 1, **options: object) -> None:
        """Delete some of its pods; in a rollout one may be gone before."""
        for pod in self.pods()[:number]:
            try:
                self.space.kill(pod, **options)
            except Refused as refusal:
                if not (self._rolls and refusal.code in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}):
                    raise
            else:
                self._loses(pod)

    def kill_any(self, dice: Random) -> None:
        """Delete one of its pods that was not deleted before, gracefully or at once."""
        pod = dice.choice(wait_for("a pod that lives", self._not_lost, self.patience))
        self.space.kill(pod, **dice.choice(({}, {"gracePeriodSeconds": 0})))
        self._loses(pod)

    def _not_lost(self) -> list[Pod] | None:
        return [pod for pod in self.pods() if pod.uid not in self._lost] or None

    def fail(self) -> None:
        """Let a pod fail; of those that have, the operator keeps the last."""
        self._fail(self.pods()[0])

    def fail_again(self) -> None:
        """Let the pod that was made since one failed do the same, as soon as it is Ready."""
        self._fail(wait_for("the replacement of a pod that failed", self._newcomer, self.patience))

    def _newcomer(self) -> Pod | None:
        return next((pod for pod in self.pods() if pod.ready and pod.uid not in self._older), None)

    def _fail(self, pod: Pod) -> None:
        self._older = {each.uid for each in self.pods()}
        self.space.finish(pod, "Failed")
        self.removals += self._failed
        self._failed = True
        self._loses(pod)

    def estrange(self) -> None:
        """Give a pod a label by which it is the group's no more."""
        pod = self.pods()[0]
        self.space.relabel(pod, **{next(iter(LABELS)): "other"})
        self._loses(pod)

    def _loses(self, pod: Pod) -> None:
        self._lost.add(pod.uid)
        if self._rolls:  # one pod less for the rollout to replace, or one that comes again as it was
            self.removals -= 1
            self.spare += 1
        else:
            self.births += 1

    def end(self) -> None:
        """Delete the PodGroup, and wait for its pods to follow it."""
        self.space.delete_group(NAME)
        wait_for("its pods to be gone", lambda: not self._belonging(), self.patience)

    def pods(self) -> list[Pod]:
        """Give its live pods, by name."""
        return sorted((pod for pod in self._belonging() if pod.live), key=lambda pod: pod.name)

    def _belonging(self) -> list[Pod]:
        return [pod for pod in self.history.now("Pod").values() if pod.controller == self._uid]

    def complete(self) -> None:
        """Wait until it has exactly its pods, all Ready and of its template, none lost, and its status says so."""
        wait_for("the PodGroup to be complete", self._is_complete, self.patience)
        self._rolls = False

    @property
    def lost(self) -> frozenset[str]:
        """The UIDs of the pods that it has lost."""
        return frozenset(self._lost)

    @property
    def settled(self) -> bool:
        """Whether it is complete, or gone."""
        return self._uid not in self.history.now("PodGroup") or self._is_complete()

    def _is_complete(self) -> bool:
        groups, pods = self.history.now("PodGroup"), self.pods()
        group = groups.get(self._uid)
        if group is None or group.body["metadata"]["generation"] < self._generation:
            return False
        version = version_wanted(group)
        well = all(pod.ready and version_of(pod) == version for pod in pods)
        well &= len(pods) == group.body["spec"]["replicas"]
        moment = Moment(self.history.of("PodGroup")[-1], self.history.now("Pod"), groups)
        return (
            well and not (self._lost | self._asked) & {pod.uid for pod in pods} and tells_the_truth(moment, self._uid)
        )


def patchable(version: str, **annotations: str) -> dict[str, object]:
    """Give a template whose versions differ in what can be patched: the image, and a request of so many millicores."""
    container = {"name": "web", "image": f"{IN_PLACE}{version}", "resources": {"requests": {"cpu": f"{version}m"}}}
    metadata = {"annotations": {LINGERS: "0s", DELAY: "200ms"} | annotations}
    return {"metadata": metadata, "spec": pod_spec(containers=[container])}


def is_whole(pod: Pod) -> bool:
    """Tell whether a pod has all of one template, and its node has done it."""
    container = pod.body["spec"]["containers"][0]
    whole = container["resources"]["requests"]["cpu"] == f"{version_of(pod)}m"
    return whole and pod.ready and CHANGING not in pod.annotations and pod.containers[0]["image"] == container["image"]


def first_template(lingers: str) -> dict[str, object]:
    """Give a template that says which one it is, and how long its pods take to end."""
    return template({"annotations": {"version": FIRST, LINGERS: lingers}})

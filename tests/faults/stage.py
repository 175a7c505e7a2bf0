"""Where a scenario plays: what people do to one PodGroup, and what they may expect of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from e2e.namespace import template
from e2e.waiting import wait_for
from faults.invariants import BYSTANDER, tells_the_truth
from faults.story import Moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from e2e.namespace import Namespace
    from e2e.pod import Pod
    from faults.history import History

NAME = "web"
LABELS = {"selfheal.dev/podgroup": NAME}


@dataclass
class Stage:
    """One PodGroup in a namespace of its own.

    Attributes:
        trouble: called by a scenario when everything is well, for what shall go wrong from then on.
        patience: seconds until the group must be what it is to be.
        births: how many pods its operator should have made until now.
        removals: how many pods it should have deleted until now.
    """

    space: Namespace
    history: History
    trouble: Callable[[], None]
    patience: float
    births: int = 0
    removals: int = 0
    _generation: int = 0
    _uid: str = ""
    _failed: bool = False
    _older: set[str] = field(default_factory=set)
    _lost: set[str] = field(default_factory=set)

    def bystand(self) -> None:
        """Add a pod that has the group's labels, and belongs to somebody else."""
        owner = self.space.create("configmaps", {"metadata": {"name": "somebody"}})
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "somebody", "uid": owner["metadata"]["uid"]}
        self.space.create_pod(BYSTANDER, LABELS, ownerReferences=[{**reference, "controller": True}])

    def orphan(self, name: str) -> None:
        """Add a pod that the group takes in."""
        self.space.create_pod(name, LABELS)
        self.births -= 1

    def group(self, replicas: int, **spec: object) -> None:
        """Create the PodGroup."""
        self._uid = self.space.create_group(NAME, replicas, template=template(LABELS), **spec)
        self._generation = 1
        self.births += replicas

    def scale(self, replicas: int) -> None:
        """Want another number of pods."""
        before = self.space.group(NAME)["spec"]["replicas"]
        self._generation = self.space.patch_group({"spec": {"replicas": replicas}}, NAME)["metadata"]["generation"]
        self.births += max(replicas - before, 0)
        self.removals += max(before - replicas, 0)

    def kill(self, number: int = 1, **options: object) -> None:
        """Delete some of its pods."""
        for pod in self.pods()[:number]:
            self.space.kill(pod, **options)
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
        """Wait until it has exactly its pods, all Ready, none of them a lost one, and its status says so."""
        wait_for("the PodGroup to be complete", self._is_complete, self.patience)

    @property
    def settled(self) -> bool:
        """Whether it is complete, or gone."""
        return self._uid not in self.history.now("PodGroup") or self._is_complete()

    def _is_complete(self) -> bool:
        groups, pods = self.history.now("PodGroup"), self.pods()
        group = groups.get(self._uid)
        if group is None or group.body["metadata"]["generation"] < self._generation:
            return False
        well = len(pods) == group.body["spec"]["replicas"] and all(pod.ready for pod in pods)
        moment = Moment(self.history.of("PodGroup")[-1], self.history.now("Pod"), groups)
        return well and not self._lost & {pod.uid for pod in pods} and tells_the_truth(moment, self._uid)

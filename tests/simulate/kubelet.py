"""The nodes of the simulation: pods are bound, start, fail and end, each in its own time.

`fakeapi.kubelet` knows the steps; here it is drawn when each is taken.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fakeapi.kubelet import Kubelet
from fakeapi.resources import PODS, Obj
from fakeapi.store import Change, Key, key_of
from simulate.processes import WORLD

if TYPE_CHECKING:
    from random import Random

    from simulate.apiserver import ApiServer


class Nodes:
    """All nodes.

    Attributes:
        slowness: how much longer than usual everything takes.
        failing: the chance that a pod fails when it has started.
        stuck: no pod ends, as on a node that is lost.
    """

    def __init__(self, server: ApiServer, chance: Random) -> None:
        self._server = server
        self._chance = chance
        self._kubelet = Kubelet(server.registry)
        self.slowness = 1.0
        self.failing = 0.0
        self.stuck = False
        server.store.subscribers.append(self._follow)

    def _follow(self, change: Change) -> None:
        """Take the next step of a pod that has changed, some time later."""
        if change.resource is not PODS or change.type == "DELETED":
            return
        before, after = change.previous, change.object
        if before is None or marks(before) != marks(after):
            self._later(key_of(after), after)

    def _later(self, key: Key, pod: Obj) -> None:
        chance = self._chance
        if pod["metadata"].get("deletionTimestamp"):
            seconds = chance.choice((0.05, 0.5, 3.0))
        elif "nodeName" in pod["spec"]:
            seconds = chance.choice((0.2, 0.5, 1.5))
        else:
            seconds = 0.02
        seconds *= chance.uniform(0.5, 1.5) * self.slowness
        asyncio.get_running_loop().call_later(seconds, self._step, key, pod["metadata"]["uid"], context=WORLD)

    def _step(self, key: Key, uid: str) -> None:
        pod = self._server.store.get(PODS, key)
        if pod is None or pod["metadata"]["uid"] != uid or (over(pod) and not pod["metadata"].get("deletionTimestamp")):
            return
        if self.stuck and pod["metadata"].get("deletionTimestamp"):
            self._later(key, pod)
        elif pod["status"]["phase"] == "Running" and not pod["metadata"].get("deletionTimestamp"):
            if self._chance.random() < self.failing:
                self._kubelet.report(pod, phase="Failed")
        else:
            self._kubelet.step(key)

    def end(self, pod: Obj, phase: str = "Failed", reason: str = "") -> None:
        """Let a pod's containers end for good."""
        if reason:
            self._kubelet.report(pod, phase=phase, reason=reason)
        else:
            self._kubelet.report(pod, phase=phase)


def marks(pod: Obj) -> tuple[object, ...]:
    """Give what of a pod decides which step comes next."""
    return pod["metadata"].get("deletionTimestamp"), pod["spec"].get("nodeName"), pod["status"].get("phase")


def over(pod: Obj) -> bool:
    """Tell whether a pod has finished."""
    return pod["status"].get("phase") in ("Failed", "Succeeded")

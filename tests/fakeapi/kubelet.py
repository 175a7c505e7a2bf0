"""A fake scheduler and kubelet: gives pods a node, starts them, and lets them end.

Off at first, so that a test decides what happens to each pod. Switched on, it follows every change of a pod after
`delay` seconds, each step a write of its own as in a real cluster: bound, then Running and Ready; a pod with a
deletionTimestamp is ended; containers whose image was changed restart. It acts on nodes that are Ready only: on a lost
node nothing starts and nothing ends.
"""

import asyncio
import itertools
from typing import TypedDict, Unpack

from fakeapi.deletion import timestamp
from fakeapi.registry import Registry
from fakeapi.resources import NODES, PODS, Obj
from fakeapi.store import Change, Key, key_of

READY = ("PodScheduled", "Initialized", "ContainersReady", "Ready")


class Report(TypedDict, total=False):
    """What a kubelet reports of a pod; what is left out stays as it was.

    Attributes:
        phase: status.phase; Running if `ready` or `waiting` is given.
        ready: whether its containers run and are ready.
        node: the node that it is bound to.
        restarts: restartCount of each container.
        waiting: the reason for which each container waits, such as CrashLoopBackOff or ErrImagePull.
        reason: status.reason, such as Evicted.
    """

    phase: str
    ready: bool
    node: str
    restarts: int
    waiting: str
    reason: str


class Kubelet:
    """Plays scheduler and kubelet for all nodes.

    Attributes:
        delay: seconds between a change and the answer to it; 0 is the next turn of the event loop.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._store.subscribers.append(self._follow)
        self._turn = itertools.count()
        self._on = False
        self.delay = 0.0

    def start(self, delay: float = 0.0) -> None:
        """Take care of all pods, those that are there too."""
        self._on = True
        self.delay = delay
        for pod in self._store.objects(PODS):
            self._later(key_of(pod))

    def stop(self) -> None:
        """Leave the pods alone from now on."""
        self._on = False

    def step(self, key: Key) -> None:
        """Do the next thing for one pod, if there is one."""
        pod = self._store.get(PODS, key)
        if pod is None:
            return
        node = pod["spec"].get("nodeName")
        if node is None and not pod["metadata"].get("deletionTimestamp"):
            self._bind(pod)
        elif node in self.ready_nodes():
            if pod["metadata"].get("deletionTimestamp"):
                self.finish(pod)
            elif pod["status"]["phase"] == "Pending":
                self.write(pod, status=running(pod, timestamp(self._registry.now())))
            elif pod["status"]["phase"] == "Running":
                self.write(pod, status=followed(pod, timestamp(self._registry.now())))

    def finish(self, pod: Obj) -> None:
        """Report that a terminating pod's containers have ended, which is a DELETE with grace 0."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        self._registry.delete(PODS, key_of(pod), options)

    def report(self, pod: Obj, **report: Unpack[Report]) -> Obj:
        """Write what is reported of a pod."""
        now = timestamp(self._registry.now())
        spec, status = pod["spec"], pod["status"]
        if node := report.get("node"):
            spec, status = {**spec, "nodeName": node}, with_conditions(status, now, PodScheduled="True")
        return self.write(pod, spec=spec, status=reported({**pod, "status": status}, now, **report))

    def write(self, pod: Obj, **fields: Obj) -> Obj:
        """Write a pod with other fields; nothing is written if they are as they were."""
        new = {**pod, **fields}
        return pod if new == pod else self._store.put(PODS, new)

    def ready_nodes(self) -> list[str]:
        """Give the names of the nodes that are Ready."""
        return [node["metadata"]["name"] for node in self._store.objects(NODES) if is_ready(node)]

    def _bind(self, pod: Obj) -> None:
        nodes = self.ready_nodes()
        if nodes:
            self.write(
                pod,
                spec={**pod["spec"], "nodeName": nodes[next(self._turn) % len(nodes)]},
                status=with_conditions(pod["status"], timestamp(self._registry.now()), PodScheduled="True"),
            )

    def _follow(self, change: Change) -> None:
        if self._on and change.resource is PODS and change.type != "DELETED":
            self._later(key_of(change.object))

    def _later(self, key: Key) -> None:
        asyncio.get_running_loop().call_later(self.delay, self._if_on, key)

    def _if_on(self, key: Key) -> None:
        if self._on:
            self.step(key)


def is_ready(obj: Obj) -> bool:
    """Whether a pod's or a node's Ready condition is True."""
    conditions = obj.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def running(pod: Obj, now: str, *, ready: bool = True, restarts: int = 0) -> Obj:
    """Give the status of a pod whose containers run."""
    word = "True" if ready else "False"
    conditions = dict.fromkeys(READY, "True") | {"ContainersReady": word, "Ready": word}
    containers = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": f"id-of-{container['image']}",
            "ready": ready,
            "started": True,
            "restartCount": restarts,
            "state": {"running": {"startedAt": now}},
        }
        for container in pod["spec"].get("containers") or ()
    ]
    status = with_conditions(pod["status"], now, **conditions)
    started = status.get("startTime") or now
    return {**status, "phase": "Running", "startTime": started, "containerStatuses": containers}


def followed(pod: Obj, now: str) -> Obj:
    """Give the status of a pod after its node has done what was changed in its spec: a new image restarts."""
    status, images = pod["status"], {each["name"]: each["image"] for each in pod["spec"]["containers"]}
    known = {each["name"]: each for each in status.get("containerStatuses") or ()}
    if any(name in images and each.get("image", images[name]) != images[name] for name, each in known.items()):
        status = running(pod, now, restarts=1 + max(each["restartCount"] for each in known.values()))
    return {**status, "observedGeneration": pod["metadata"].get("generation", 1)}


def reported(pod: Obj, now: str, **report: Unpack[Report]) -> Obj:
    """Give the status of a pod after a report."""
    status: Obj = dict(pod["status"])
    if "ready" in report or "waiting" in report:
        status = running(pod, now, ready=report.get("ready", False), restarts=report.get("restarts", 0))
    if "waiting" in report:
        state: Obj = {"state": {"waiting": {"reason": report["waiting"]}}, "started": False}
        if report["waiting"] == "CrashLoopBackOff":
            end = {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}
            state["lastState"] = {"terminated": end}
        status["containerStatuses"] = [each | state for each in status["containerStatuses"]]
    if report.get("phase") in ("Failed", "Succeeded"):
        status = with_conditions(status, now, ContainersReady="False", Ready="False")
    return status | {name: report[name] for name in ("phase", "reason") if name in report}


def with_conditions(status: Obj, now: str, **wanted: str) -> Obj:
    """Give a status with these conditions; lastTransitionTime moves only with the condition."""
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    for kind, value in wanted.items():
        if conditions.get(kind, {}).get("status") != value:
            conditions[kind] = {"type": kind, "status": value, "lastTransitionTime": now}
    return {**status, "conditions": list(conditions.values())}

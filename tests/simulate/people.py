"""What users, other controllers and nodes do to pods and PodGroups: one thing at a time, drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakeapi.errors import StatusError
from fakeapi.resources import PODGROUPS, PODS, Obj
from podgroup_operator.core import names
from simulate.kubelet import over
from simulate.oracle import controller, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from simulate.apiserver import ApiServer
    from simulate.kubelet import Nodes
    from simulate.oracle import Group, Oracle

MOST = 7
"""Replicas that anybody wants."""

OUR_LABELS = (names.LABEL_SLOT, names.LABEL_REVISION)
"""Labels that are no part of the selector, and may be taken off a pod all the same."""


class People:
    """Everybody who changes something.

    Attributes:
        deeds: what they may do, each as often as it is in the list.
    """

    def __init__(
        self, server: ApiServer, oracle: Oracle, nodes: Nodes, chance: Random, tell: Callable[[str], None]
    ) -> None:
        self._server = server
        self._oracle = oracle
        self._nodes = nodes
        self._chance = chance
        self._tell = tell
        self._namespaces = server.namespaces
        self._strangers = 0
        self._names = 0
        self.deeds: list[Callable[[], object]] = [
            *(self.delete_pods,) * 6,
            *(self.scale,) * 4,
            *(self.fail_pods, self.evict_pods, self.relabel, self.relabel_back, self.kill_pods) * 2,
            self.finish_pod,
            self.make_orphan,
            self.make_stranger,
            self.take_name,
            self.take_pod,
            self.strip_labels,
            self.change_template,
            self.delete_group,
            self.make_group,
            self.annotate,
        ]

    def act(self) -> None:
        """Do something."""
        try:
            self._chance.choice(self.deeds)()
        except StatusError as error:
            self._tell(f"  which is refused: {error.message}")

    def make_group(self, replicas: int | None = None) -> Group:
        """Make a PodGroup; now and then under the name of one that was."""
        chance, taken = self._chance, {group["metadata"]["name"] for group in self._server.groups}
        self._names += chance.random() < 0.8
        while f"g{self._names}" in taken:
            self._names += 1
        name, namespace = f"g{self._names}", chance.choice(list(self._namespaces))
        spec = {
            "replicas": chance.randint(0, MOST) if replicas is None else replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "main"}], "terminationGracePeriodSeconds": 10},
            },
            "podReplacementPolicy": chance.choice((*["TerminationStarted"] * 2, "TerminationComplete")),
            "healing": {
                "backoff": {"initialSeconds": 1, "maxSeconds": 8},
                "failedPodsHistoryLimit": chance.randint(0, 2),
            },
        }
        self._tell(f"somebody makes PodGroup {namespace}/{name} of {spec['replicas']}, {spec['podReplacementPolicy']}")
        body = self._server.registry.create(PODGROUPS, namespace, {"metadata": {"name": name}, "spec": spec})
        return self._oracle.groups[body["metadata"]["uid"]]

    def _group(self) -> Obj | None:
        groups = [one for one in self._server.groups if not one["metadata"].get("deletionTimestamp")]
        return self._chance.choice(groups) if groups else None

    def _live(self) -> list[Obj]:
        """Choose a group, and of its pods that live one or a few; or some of all pods."""
        group = self._group()
        uid = group["metadata"]["uid"] if group else ""
        pods = [pod for pod in self._server.pods if controller(pod) == uid and not over(pod)]
        pods = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        number = self._chance.choice((1, 1, 1, 2, len(pods)))
        return self._chance.sample(pods, min(number, len(pods)))

    def _say(self, what: str, pods: Sequence[Obj]) -> None:
        if pods:
            self._tell(f"{what}: {', '.join(map(name_of, pods))}")

    def delete_pods(self, grace: int | None = None) -> None:
        """Delete pods, with the grace that they ask for."""
        pods = self._live()
        self._say("somebody deletes" if grace is None else "pods are gone without grace", pods)
        for pod in pods:
            metadata = pod["metadata"]
            self._server.registry.delete(PODS, (metadata["namespace"], metadata["name"]), {"gracePeriodSeconds": grace})

    def kill_pods(self) -> None:
        """Delete pods without grace."""
        self.delete_pods(0)

    def fail_pods(self) -> None:
        """Let pods fail."""
        pods = self._live()
        self._say("pods fail", pods)
        for pod in pods:
            self._nodes.end(pod)

    def evict_pods(self) -> None:
        """Let a node's kubelet evict pods."""
        pods = self._live()
        self._say("pods are evicted", pods)
        for pod in pods:
            self._nodes.end(pod, reason="Evicted")

    def finish_pod(self) -> None:
        """Let pods end well."""
        pods = self._live()
        self._say("pods succeed", pods)
        for pod in pods:
            self._nodes.end(pod, phase="Succeeded")

    def relabel(self) -> None:
        """Take a label that the selector asks for off a pod."""
        pods = self._live()[:1]
        self._say("somebody takes the label app off", pods)
        for pod in pods:
            self._server.change(PODS, pod, {"metadata": {"labels": {"app": None}}})

    def relabel_back(self) -> None:
        """Give a pod that has no group's label one."""
        pods = [pod for pod in self._server.pods if "app" not in (pod["metadata"].get("labels") or {})]
        group = self._group()
        if pods and group:
            pod = self._chance.choice(pods)
            self._say(f"somebody gives the label of {name_of(group)} to", [pod])
            self._server.change(PODS, pod, {"metadata": {"labels": {"app": group["metadata"]["name"]}}})

    def strip_labels(self) -> None:
        """Take one of our own labels off a pod."""
        pods, label = self._live()[:1], self._chance.choice(OUR_LABELS)
        self._say(f"somebody takes the label {label} off", pods)
        for pod in pods:
            self._server.change(PODS, pod, {"metadata": {"labels": {label: None}}})

    def annotate(self) -> None:
        """Change something about pods that does not matter."""
        for pod in self._live():
            self._server.change(PODS, pod, {"metadata": {"annotations": {"n": str(self._chance.random())}}})

    def take_pod(self) -> None:
        """Let another controller take a pod away."""
        pods = self._live()[:1]
        self._say("another controller takes", pods)
        for pod in pods:
            self._server.change(PODS, pod, {"metadata": {"ownerReferences": [stranger()]}})

    def make_orphan(self) -> None:
        """Make a pod that a group would take in."""
        group = self._group()
        if group:
            self._stray(group["metadata"]["namespace"], {"app": group["metadata"]["name"]}, [])

    def make_stranger(self) -> None:
        """Make a pod that looks like a group's, and is another controller's."""
        group = self._group()
        if group:
            self._stray(group["metadata"]["namespace"], {"app": group["metadata"]["name"]}, [stranger()])

    def take_name(self) -> None:
        """Make a pod that has the name which a group's pod had that is gone."""
        gone = [change.object for change in self._server.store.history[-200:] if change.type == "DELETED"]
        gone = [obj for obj in gone if obj["kind"] == "Pod"]
        if gone:
            metadata = self._chance.choice(gone)["metadata"]
            self._stray(metadata["namespace"], {}, [], metadata["name"])

    def _stray(self, namespace: str, labels: dict[str, str], owners: list[Obj], name: str = "") -> None:
        self._strangers += 1
        metadata = {"name": name or f"stray-{self._strangers}", "labels": labels, "ownerReferences": owners}
        self._tell(
            f"somebody makes the pod {namespace}/{metadata['name']} labelled {labels}{', as its own' * bool(owners)}"
        )
        body = {"metadata": metadata, "spec": {"containers": [{"name": "main", "image": "main"}]}}
        self._server.registry.create(PODS, namespace, body)

    def scale(self) -> None:
        """Want more or fewer pods."""
        group = self._group()
        if group:
            self.scale_to(self._oracle.groups[group["metadata"]["uid"]], self._chance.randint(0, MOST))

    def scale_to(self, known: Group, replicas: int) -> None:
        """Want so many pods of a group."""
        group = self._server.store.get(PODGROUPS, known.key)
        if group:
            self._tell(f"somebody scales {name_of(group)} from {group['spec']['replicas']} to {replicas}")
            self._server.change(PODGROUPS, group, {"spec": {"replicas": replicas}}, "scale")

    def change_template(self) -> None:
        """Want pods of another kind."""
        group = self._group()
        if group:
            self._tell(f"somebody changes the template of {name_of(group)}")
            containers = [{"name": "main", "image": f"main:{self._chance.randint(1, 99)}"}]
            self._server.change(PODGROUPS, group, {"spec": {"template": {"spec": {"containers": containers}}}})

    def delete_group(self) -> None:
        """Delete a PodGroup."""
        group = self._group()
        if group and len(self._server.groups) > 1:
            policy = self._chance.choice(("Background", "Foreground", "Orphan"))
            self._tell(f"somebody deletes {name_of(group)}: {policy}")
            metadata = group["metadata"]
            key = metadata["namespace"], metadata["name"]
            self._server.registry.delete(PODGROUPS, key, {"propagationPolicy": policy})


def stranger() -> Obj:
    """Give a reference to a controller that is none of ours."""
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "other", "uid": "other", "controller": True}

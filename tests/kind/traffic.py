"""A web server under traffic: its pods, a Service, and a client in the cluster that asks twenty times a second.

Each request is a new connection. A PodGroup and a Deployment differ in nothing but apiVersion and kind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from e2e.api import MERGE_PATCH
from e2e.namespace import PODGROUPS
from e2e.pod import Pod
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace

Json = dict[str, Any]

KINDS = {"PodGroup": ("podgroups", PODGROUPS), "Deployment": ("deployments", "/apis/apps/v1")}
IMAGE = "docker.io/library/podgroup-busybox:1"
REPLICAS = 3
PRE_STOP = 5
"""Seconds that a pod still answers after its deletion was asked for: longer than all proxies take to hear it."""

SLOW = 90.0
"""Seconds within which a few containers start or end, on a busy machine."""

CLIENT = r"""
ask() {
  answer=$(printf 'GET / HTTP/1.0\r\n\r\n' | timeout 5 nc $ADDRESS 80 2>&1)
  case $answer in *" 200 OK"*) echo ok ;; *) echo failed: $answer ;; esac
}
trap 'exit 0' TERM
while true; do
  ask &
  usleep 50000
done
"""
"""Not by wget: Debian's static one dies of a segmentation fault."""


@dataclass(frozen=True)
class Heard:
    """What a client was answered: how many requests it made, and what it has to say of those that failed."""

    asked: int
    failed: list[str]

    def __str__(self) -> str:
        why = f" ({'; '.join(sorted(set(self.failed)))})" if self.failed else ""
        return f"{len(self.failed)} of {self.asked} requests failed{why}"


class Site:
    """A web server of one kind with its Service and its client."""

    def __init__(self, kind: str, shop: Namespace, pre_stop: int) -> None:
        self.kind, self._shop = kind, shop
        self.name = f"{kind.lower()}-{pre_stop}"
        self._labels = {"app": self.name}
        self._plural, self._root = KINDS[kind]
        self.pre_stop = pre_stop

    def __str__(self) -> str:
        return f"{self.kind} {f'with {self.pre_stop} s of preStop' if self.pre_stop else 'without preStop'}"

    def start(self) -> None:
        """Make it all, and wait until the client is answered."""
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        template = {"metadata": {"labels": self._labels}, "spec": self._server()}
        spec = {"replicas": REPLICAS, "selector": {"matchLabels": self._labels}, "strategy": strategy}
        manifest = {"apiVersion": self._root.removeprefix("/apis/"), "kind": self.kind}
        body = {**manifest, "metadata": {"name": self.name}, "spec": {**spec, "template": template}}
        self._shop.create(self._plural, body, self._root)
        ports = [{"port": 80, "targetPort": 8080}]
        service = {"metadata": {"name": self.name}, "spec": {"selector": self._labels, "ports": ports}}
        address = self._shop.create("services", service)["spec"]["clusterIP"]
        wait_for(f"the pods of {self}", lambda: len(self.ready()) == REPLICAS, SLOW)
        self._shop.create("pods", {"metadata": {"name": self._client}, "spec": client(address)})
        wait_for("an answer", lambda: "ok" in self._lines(), SLOW)

    def roll(self, version: str) -> None:
        """Change its template."""
        patch = {"spec": {"template": {"metadata": {"annotations": {"version": version}}}}}
        self._shop.api.request("PATCH", self._shop.path(self._plural, self.name, self._root), patch, MERGE_PATCH)

    def rolled(self, version: str) -> None:
        """Wait until all its pods are of a version, and the old ones have gone."""

        def done() -> bool:
            pods = self.pods()
            new = [pod for pod in pods if pod.annotations.get("version") == version and pod.ready]
            return len(new) == len(pods) == REPLICAS

        wait_for(f"the rollout of {self}", done, SLOW)

    def replace(self) -> None:
        """Ask for the replacement of one pod, and wait until it has gone."""
        pod = self.ready()[0]
        self._shop.patch_pod(pod, {"metadata": {"annotations": {"selfheal.dev/delete": "true"}}})

        def done() -> bool:
            pods = self.pods()
            return pod.uid not in {each.uid for each in pods} and len(self.ready()) == len(pods) == REPLICAS

        wait_for(f"the replacement of {pod.name}", done, SLOW)

    def mark(self) -> int:
        """Give a mark, from which on the client's answers are to be told."""
        return len(self._lines())

    def heard(self, mark: int) -> Heard:
        """Tell what the client was answered since a mark, and for a second more."""
        time.sleep(1)  # a request that was made at the end may still fail
        lines = self._lines()[mark:]
        return Heard(len(lines), [line for line in lines if line != "ok"])

    def count(self, version: str) -> int:
        """Count the pods of a version."""
        return sum(pod.annotations.get("version") == version for pod in self.pods())

    def ready(self) -> list[Pod]:
        """Give the pods that are Ready."""
        return [pod for pod in self.pods() if pod.ready]

    def pods(self) -> list[Pod]:
        """Give all its pods."""
        selector = f"app={self.name}"
        listed = self._shop.api.request("GET", self._shop.path("pods"), labelSelector=selector)
        return [Pod(item) for item in listed["items"]]

    @property
    def _client(self) -> str:
        return f"client-{self.name}"

    def _lines(self) -> list[str]:
        path = self._shop.path("pods", f"{self._client}/log")
        if self._shop.pod(self._client).phase != "Running":
            return []
        return str(self._shop.api.open("GET", path).data.decode()).splitlines()

    def _server(self) -> Json:
        probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
        container: Json = {"name": "web", "image": IMAGE, "readinessProbe": probe}
        if self.pre_stop:
            container["lifecycle"] = {"preStop": {"sleep": {"seconds": self.pre_stop}}}
        return {"containers": [container], "terminationGracePeriodSeconds": 10}


def client(address: str) -> Json:
    """Give the spec of a pod that asks an address."""
    environment = [{"name": "ADDRESS", "value": address}]
    container = {"name": "client", "image": IMAGE, "command": ["sh", "-c", CLIENT], "env": environment}
    return {"containers": [container], "terminationGracePeriodSeconds": 1}

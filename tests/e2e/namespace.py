"""One namespace, and what a test does to the PodGroups and pods in it."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from e2e.api import MERGE_PATCH, Api
from e2e.pod import Pod, pod_spec
from e2e.recording import Recording
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_kind import KindCluster

Json = dict[str, Any]

CORE = "/api/v1"
PODGROUPS = "/apis/selfheal.dev/v1"

QUIET = 1.0
"""Seconds without a change after which a PodGroup is at rest; the operator holds a status back for a quarter."""

HOLD = "selfheal.test/hold"
"""A finalizer: a pod that has it stays Terminating until `Namespace.let_go`, on any cluster."""


def template(metadata: Mapping[str, object] | None = None, **fields: object) -> Json:
    """A pod template with one container, with these fields of the spec added or replaced."""
    return {"metadata": dict(metadata or {}), "spec": pod_spec(**fields)}


class Namespace:
    """One namespace: the PodGroups and pods in it. The plainest PodGroup is called `web`."""

    def __init__(self, cluster: KindCluster, api: Api, name: str) -> None:
        self.name = name
        self.cluster = cluster
        self.api = api

    def kubectl(self, *arguments: str, **options: str) -> str:
        """What `kubectl` prints, run in this namespace; an `input` is what it reads."""
        return str(self.cluster.kubectl("--namespace", self.name, *arguments, **options))

    def kubectl_as(self, user: str, *arguments: str, manifest: object = None) -> str:
        """All that `kubectl` prints to somebody else in this namespace, whether it succeeds or not.

        Args:
            user: whom the administrator impersonates.
            arguments: of kubectl.
            manifest: what it reads, as JSON.
        """
        command = [str(self.cluster.kubectl_path), f"--kubeconfig={self.cluster.kubeconfig_path}", f"--as={user}"]
        answer = subprocess.run(  # noqa: S603 - the tests' kubectl
            [*command, f"--namespace={self.name}", *arguments],
            input=json.dumps(manifest),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return answer.stdout

    def path(self, plural: str, name: str = "", root: str = CORE) -> str:
        """The path of a collection in this namespace, or of an object in it."""
        return f"{root}/namespaces/{self.name}/{plural}" + (f"/{name}" if name else "")

    def create(self, plural: str, manifest: Json, root: str = CORE) -> Json:
        """Create any object."""
        return self.api.request("POST", self.path(plural, root=root), manifest)

    def forbid_pods(self) -> None:
        """Set a quota of no pods, and wait until it is in force."""
        self.create("resourcequotas", {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})
        path = self.path("resourcequotas", "none")
        eventually({"pods": "0"}, lambda: self.api.request("GET", path).get("status", {}).get("used"))

    def create_group(self, name: str = "web", replicas: int = 3, **spec: object) -> str:
        """Create a PodGroup and return its UID."""
        manifest = {
            "apiVersion": "selfheal.dev/v1",
            "kind": "PodGroup",
            "metadata": {"name": name},
            "spec": {"replicas": replicas, "template": template(), **spec},
        }
        return str(self.create("podgroups", manifest, PODGROUPS)["metadata"]["uid"])

    def start_group(self, name: str = "web", replicas: int = 3, **spec: object) -> list[Pod]:
        """Create a PodGroup, wait until it is complete, and return its pods."""
        self.create_group(name, replicas, **spec)
        return self.complete(name)

    def group(self, name: str = "web") -> Json:
        """The PodGroup."""
        return self.api.request("GET", self.path("podgroups", name, PODGROUPS))

    def groups(self) -> list[str]:
        """The names of the PodGroups that exist."""
        items = self.api.request("GET", self.path("podgroups", root=PODGROUPS))["items"]
        return [item["metadata"]["name"] for item in items]

    def patch_group(self, patch: Json, name: str = "web", subresource: str = "") -> Json:
        """Change a PodGroup by a merge patch."""
        path = self.path("podgroups", name, PODGROUPS) + (f"/{subresource}" if subresource else "")
        return self.api.request("PATCH", path, patch, MERGE_PATCH)

    def delete_group(self, name: str = "web", propagation: str = "Background") -> None:
        """Ask for the PodGroup's deletion."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self.api.request("DELETE", self.path("podgroups", name, PODGROUPS), options)

    def status(self, name: str = "web") -> Json:
        """The PodGroup's status."""
        status: Json = self.group(name).get("status") or {}
        return status

    def condition(self, kind: str, name: str = "web") -> Json:
        """One of the PodGroup's conditions; empty while it is not there."""
        return next((each for each in self.status(name).get("conditions") or () if each["type"] == kind), {})

    def complete(self, name: str = "web", without: Iterable[Pod] = ()) -> list[Pod]:
        """Wait until a PodGroup has its number of pods, all Ready, and its status says so; return the pods.

        Args:
            name: the PodGroup's.
            without: pods that must not be among them.
        """
        lost = {pod.uid for pod in without}

        def find() -> list[Pod] | None:
            group = self.group(name)
            status, replicas = group.get("status") or {}, group["spec"]["replicas"]
            pods = [pod for pod in self.live() if pod.controller == group["metadata"]["uid"]]
            well = len(pods) == replicas and all(pod.ready and pod.uid not in lost for pod in pods)
            current = status.get("observedGeneration") == group["metadata"]["generation"]
            told = {status.get(field) for field in ("replicas", "readyReplicas", "availableReplicas")}
            return pods if well and current and told == {replicas} else None

        return wait_for(f"PodGroup {name} to be complete", find)

    def filled(self, without: Iterable[Pod], name: str = "web") -> list[Pod]:
        """Wait until a PodGroup has its number of live pods, Ready or not, and its status says so; return the pods."""
        lost = {pod.uid for pod in without}

        def find() -> list[Pod] | None:
            group = self.group(name)
            pods = [pod for pod in self.live() if pod.controller == group["metadata"]["uid"]]
            told = (group.get("status") or {}).get("replicas")
            well = len(pods) == told == group["spec"]["replicas"] and not lost & {pod.uid for pod in pods}
            return pods if well else None

        return wait_for(f"PodGroup {name} to have its pods", find)

    def pods(self) -> list[Pod]:
        """All pods of the namespace, by name."""
        items = self.api.request("GET", self.path("pods"))["items"]
        return sorted((Pod(item) for item in items), key=lambda pod: pod.name)

    def live(self) -> list[Pod]:
        """The pods that are neither finished nor Terminating, by name."""
        return [pod for pod in self.pods() if pod.live]

    def pod(self, name: str) -> Pod:
        """One pod."""
        return Pod(self.api.request("GET", self.path("pods", name)))

    def create_pod(self, name: str, labels: Mapping[str, str], **metadata: object) -> Pod:
        """Create a bare pod."""
        meta = {"name": name, "labels": dict(labels), **metadata}
        return Pod(self.create("pods", {"metadata": meta, "spec": pod_spec()}))

    def patch_pod(self, pod: Pod, patch: Json) -> Pod:
        """Change a pod by a merge patch."""
        return Pod(self.api.request("PATCH", self.path("pods", pod.name), patch, MERGE_PATCH))

    def relabel(self, pod: Pod, **labels: str | None) -> Pod:
        """Set labels of a pod; None removes one."""
        return self.patch_pod(pod, {"metadata": {"labels": labels}})

    def finish(self, pod: Pod, phase: str) -> Pod:
        """Let a pod be Failed or Succeeded, as its kubelet would report it."""
        path = self.path("pods", f"{pod.name}/status")
        return Pod(self.api.request("PATCH", path, {"status": {"phase": phase}}, MERGE_PATCH))

    def crash(self, pod: Pod, restarts: int = 5) -> None:
        """Let a pod's container crash and wait, as its kubelet would report it."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        end = {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}
        container = {"name": "web", "image": "web", "imageID": "", "ready": False, "restartCount": restarts}
        told = container | {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": end}}
        ready = [{"type": kind, "status": "False", "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")]
        status = {"containerStatuses": [told], "conditions": ready}
        self.api.request("PATCH", self.path("pods", f"{pod.name}/status"), {"status": status}, MERGE_PATCH)

    def kill(self, pod: Pod, **options: object) -> None:
        """Delete a pod; `gracePeriodSeconds=0` takes it out of the API at once."""
        self.api.request("DELETE", self.path("pods", pod.name), {"preconditions": {"uid": pod.uid}, **options})

    def kill_all(self) -> None:
        """Delete all pods of the namespace in one request."""
        self.api.request("DELETE", self.path("pods"))

    def evict(self, pod: Pod) -> None:
        """Evict a pod, as `kubectl drain` does."""
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod.name}}
        self.api.request("POST", self.path("pods", f"{pod.name}/eviction"), eviction)

    def let_go(self, pod: Pod) -> None:
        """Remove a pod's finalizers."""
        self.patch_pod(pod, {"metadata": {"finalizers": None}})

    def events(self, name: str = "web") -> list[Json]:
        """The Events about a PodGroup, oldest first."""
        selector = f"involvedObject.name={name},involvedObject.kind=PodGroup"
        items: list[Json] = self.api.request("GET", self.path("events"), fieldSelector=selector)["items"]
        return sorted(items, key=lambda event: int(event["metadata"]["resourceVersion"]))

    def notes(self, reason: str, name: str = "web") -> list[str]:
        """What the Events with this reason say about a PodGroup."""
        return [event["message"] for event in self.events(name) if event["reason"] == reason]

    def quiet(self, name: str = "web") -> None:
        """Wait until a PodGroup and the Events about it have stopped changing for longer than the operator puts off."""
        last, since = None, time.monotonic()

        def settled() -> bool:
            nonlocal last, since
            state = (self.group(name)["metadata"]["resourceVersion"], len(self.events(name)))
            if state != last:
                last, since = state, time.monotonic()
            return time.monotonic() - since > QUIET

        wait_for(f"PodGroup {name} to come to rest", settled)

    def record(self) -> Recording:
        """Write down everything that happens to the namespace's pods from now on; for use with `with`."""
        return Recording(self.api, self.path("pods"))

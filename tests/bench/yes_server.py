"""An API server that says yes to everything, at once and without a network. It has one PodGroup, and its pods.

What an operator's look costs beside it is the operator's own work.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.login import Connection

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

NAMESPACE, GROUP = "shop", "web"
FIRST = 1_700_000_000  # the oldest pod's birth, in seconds since the epoch
AGES = 100_000  # seconds, by chance: the order of victims goes by them
NODES = 300
SPEC: Json = {"containers": [{"name": "web", "image": "example.com/web:1"}]}


class YesServer(Cluster):
    """Does what it is asked for; pods are Ready as soon as they are made, and gone as soon as they are deleted.

    Attributes:
        slow: whether pods that are made from now on do not become Ready.
        version: the resourceVersion that was given last.
        group: the PodGroup.
        pods: by name.
    """

    def __init__(self) -> None:
        super().__init__(Connection("https://api.invalid", None, str))
        self.slow = False
        self.version = 0
        self._chance = random.Random(1)  # noqa: S311 - the same pods each time
        self.pods: dict[str, Json] = {}
        made: Json = {"uid": str(uuid.uuid4()), "creationTimestamp": self._some_time()}
        template = {"metadata": {"labels": {"app": "web"}}, "spec": SPEC}
        self.group: Json = {
            "apiVersion": "selfheal.dev/v1",
            "kind": "PodGroup",
            "metadata": {"name": GROUP, "namespace": NAMESPACE, **made, "generation": 0},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        }

    def scale(self, replicas: int) -> None:
        """Let the PodGroup ask for so many pods."""
        generation = self.group["metadata"]["generation"] + 1
        metadata, spec = self.group["metadata"] | {"generation": generation}, self.group["spec"]
        self.group = self._stamped(self.group | {"metadata": metadata, "spec": spec | {"replicas": replicas}})

    def change(self, image: str) -> None:
        """Let the PodGroup ask for pods with another image."""
        container = SPEC["containers"][0] | {"image": image}
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
        self.group = self.group | {"spec": self.group["spec"] | {"template": template}}
        self.scale(self.group["spec"]["replicas"])

    def make(self, manifest: Json) -> Json:
        """Make a pod that has been Ready for long, or, if the server is slow, is not."""
        born = self._some_time()
        ready = {"type": "Ready", "status": "False" if self.slow else "True", "lastTransitionTime": born}
        metadata = {"namespace": NAMESPACE, "uid": str(uuid.uuid4()), "creationTimestamp": born, **manifest["metadata"]}
        spec = manifest["spec"] | {"nodeName": f"node-{self.version % NODES}"}
        status = {"phase": "Running", "conditions": [ready]}
        pod = self._stamped({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status})
        self.pods[metadata["name"]] = pod
        return pod

    def dying(self, name: str) -> Json:
        """Mark a pod as one that somebody has deleted and that has yet to end."""
        pod = self.pods.pop(name)
        marks = {"deletionTimestamp": self._some_time(), "deletionGracePeriodSeconds": 30}
        return self._stamped(pod | {"metadata": pod["metadata"] | marks})

    def _some_time(self) -> str:
        return datetime.fromtimestamp(FIRST + self._chance.randrange(AGES), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _stamped(self, body: Json) -> Json:
        self.version += 1
        return body | {"metadata": body["metadata"] | {"resourceVersion": str(self.version)}}

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:  # noqa: ARG002 - there is but one
        """Read the PodGroup, the only object that is read."""
        return self.group

    async def send(self, method: str, path: str, body: Json, *_: object, **options: Any) -> Json:
        """Take a write: a pod's creation or deletion, the PodGroup's status, or a revision of its template."""
        if path.rpartition("/")[2] == "controllerrevisions":
            sent = orjson.loads(orjson.dumps(body))  # a template is sent as text
            return self._stamped(sent | {"metadata": sent["metadata"] | {"uid": str(uuid.uuid4())}})
        if method == "PATCH":
            self.group = self._stamped(self.group | {"status": self.group.get("status", {}) | body["status"]})
            return self.group
        if method == "DELETE":
            del self.pods[path.rpartition("/")[2]]
            return {"kind": "Status", "status": "Success"}
        return body if (options.get("params") or {}).get("dryRun") else self.make(body)

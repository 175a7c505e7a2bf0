"""The operator as its user installs it: by the README's own commands, once for all tests of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from e2e.waiting import wait_for
from installed.shell import readme

if TYPE_CHECKING:
    from installed.shell import Shell

Json = dict[str, Any]

NAMESPACE = "podgroup-system"
REPLICAS = 2
SELECTOR = "app.kubernetes.io/name=podgroup-operator"


class Installation:
    """The operator in the cluster, perhaps installed: a test may remove it, and the next one that asks has it again."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.said = ""
        """What the last `helm install` printed."""

    def install(self) -> None:
        """Install it with helm, as the README says, unless it is installed."""
        if not self.releases():
            self.said = self._shell.run(readme()["helm-install"])

    def uninstall(self) -> None:
        """Uninstall it with helm, as the README says, if it is installed, and wait until its pods are gone."""
        if self.releases():
            self._shell.run(readme()["helm-uninstall"])
            wait_for("the operator's pods to be gone", lambda: not self.pods(), 60.0)

    def releases(self) -> list[str]:
        """The names of the releases that helm knows."""
        return [release["name"] for release in json.loads(self._shell.run("helm list --all-namespaces --output json"))]

    def pods(self, namespace: str = NAMESPACE) -> list[Json]:
        """The operator's pods."""
        answer = self._shell.run(f"kubectl get pods --namespace {namespace} --selector {SELECTOR} --output json")
        found: list[Json] = json.loads(answer)["items"]
        return found

    def ready(self) -> list[Json]:
        """The operator's pods, once there are as many as the chart asks for, and all are Ready and stay."""

        def find() -> list[Json] | None:
            pods = self.pods()
            conditions = [{each["type"]: each["status"] for each in told(pod)} for pod in pods]
            stay = not any("deletionTimestamp" in pod["metadata"] for pod in pods)
            well = all(each.get("Ready") == "True" for each in conditions)
            return pods if stay and well and len(pods) == REPLICAS else None

        return wait_for("the operators to be ready", find, 90.0)

    def uids(self) -> set[str]:
        """The UIDs of the operator's pods, once they are ready."""
        return {pod["metadata"]["uid"] for pod in self.ready()}

    def leader(self) -> Json:
        """The pod that leads."""
        path = f"kubectl get lease podgroup-operator --namespace {NAMESPACE} --output jsonpath={{.spec.holderIdentity}}"

        def find() -> Json | None:
            holder = self._shell.run(path)
            return next((pod for pod in self.pods() if holder.startswith(pod["metadata"]["name"])), None)

        return wait_for("one of them to lead", find, 30.0)


def told(pod: Json) -> list[Json]:
    """A pod's conditions; one that was created this moment has none."""
    found: list[Json] = pod["status"].get("conditions") or []
    return found

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

    def pod(self) -> Json:
        """The one pod of the operator that is Ready and stays."""

        def find() -> Json | None:
            staying = [pod for pod in self.pods() if "deletionTimestamp" not in pod["metadata"]]
            conditions = {each["type"]: each["status"] for pod in staying for each in pod["status"]["conditions"]}
            return staying[0] if len(staying) == 1 and conditions.get("Ready") == "True" else None

        return wait_for("the operator to be ready", find, 90.0)

    def log(self) -> str:
        """What the operator's present pod has logged."""
        return self._shell.run(f"kubectl logs --namespace {NAMESPACE} {self.pod()['metadata']['name']}")

    def metrics(self) -> str:
        """What it tells Prometheus, through its Service."""
        path = f"/api/v1/namespaces/{NAMESPACE}/services/podgroup-operator:http/proxy/metrics"
        return self._shell.run(f"kubectl get --raw {path}")

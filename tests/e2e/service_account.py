"""A ServiceAccount, what it may do, and the kubeconfig of a program that is logged in as it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from e2e.api import Api, Refused
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_kind import KindCluster

Json = dict[str, Any]

RULES_FILE = Path(__file__).parents[2] / "deploy" / "helm" / "podgroup-operator" / "rules.yaml"

WIDE_RULES_FILE = RULES_FILE.with_name("wide-rules.yaml")

LEASE_RULES_FILE = RULES_FILE.with_name("lease-rules.yaml")

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

TOKEN_SECONDS = 86400
"""How long a login is good for: longer than a run of all tests."""


@dataclass(frozen=True, order=True)
class Permission:
    """A verb on a resource, or on a subresource as `podgroups/status`, of an API group."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "")


def operator_rules() -> list[Json]:
    """The rules that the operator is installed with."""
    rules: list[Json] = yaml.safe_load(RULES_FILE.read_text())
    return rules


def node_rules() -> list[Json]:
    """The rule by which it sees nodes, where it serves all namespaces."""
    rules: list[Json] = yaml.safe_load(WIDE_RULES_FILE.read_text())
    return [rule for rule in rules if "nodes" in rule["resources"]]


def lease_rules() -> list[Json]:
    """The rules by which it is elected, in its own namespace."""
    rules: list[Json] = yaml.safe_load(LEASE_RULES_FILE.read_text())
    return rules


def permissions(rules: Iterable[Json]) -> set[Permission]:
    """What rules allow, one by one."""
    return {
        Permission(verb, group, resource)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def rules_without(*missing: Permission) -> list[Json]:
    """The operator's rules, without some permissions."""
    return [
        {"apiGroups": [each.group], "resources": [each.resource], "verbs": [each.verb]}
        for each in sorted(permissions(operator_rules()) - set(missing))
    ]


def ensure(api: Api, path: str, manifest: Json) -> None:
    """Create an object, or replace the one that is there."""
    try:
        api.request("POST", path, manifest)
    except Refused as refusal:
        if refusal.code != HTTPStatus.CONFLICT:
            raise
        api.request("PUT", f"{path}/{manifest['metadata']['name']}", manifest)


class ServiceAccount:
    """A ServiceAccount and its one role; where it is there already it is taken as it is."""

    def __init__(self, cluster: KindCluster, api: Api, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self._cluster = cluster
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        if not api.exists(f"{self._path}/{name}"):
            api.request("POST", self._path, {"metadata": {"name": name}})

    @property
    def user(self) -> str:
        """Its name as the API server knows it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    def write_kubeconfig(self, path: Path, server: str = "") -> Path:
        """Write a kubeconfig that is logged in as it, by a token of its own.

        Args:
            path: where.
            server: another way to the API server than the cluster's own.
        """
        config = json.loads(self._cluster.kubectl("config", "view", "--raw", "--flatten", "--minify", "--output=json"))
        request = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        token = self._api.request("POST", f"{self._path}/{self.name}/token", request)["status"]["token"]
        config["users"][0]["user"] = {"token": token}
        if server:
            config["clusters"][0]["cluster"]["server"] = server
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path

    def allow(self, rules: list[Json]) -> None:
        """Let it do this in its own namespace, and nothing else."""
        self._bind(f"{RBAC}/namespaces/{self.namespace}/", "Role", self.name, rules)

    def allow_everywhere(self, rules: list[Json], role: str) -> None:
        """Let it do this in all namespaces, by a ClusterRole of this name."""
        self._bind(f"{RBAC}/cluster", "ClusterRole", role, rules)

    def _bind(self, prefix: str, kind: str, role: str, rules: list[Json]) -> None:
        ensure(self._api, f"{prefix}roles", {"metadata": {"name": role}, "rules": rules})
        subject = {"kind": "ServiceAccount", "name": self.name, "namespace": self.namespace}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
        ensure(
            self._api,
            f"{prefix}rolebindings",
            {"metadata": {"name": role}, "roleRef": reference, "subjects": [subject]},
        )

    def forbid_everywhere(self, role: str) -> None:
        """Remove that ClusterRole and its binding."""
        for plural in ("clusterrolebindings", "clusterroles"):
            self._api.request("DELETE", f"{RBAC}/{plural}/{role}")

    def may(self, permission: Permission) -> bool:
        """Whether the API server would let it do something in its own namespace."""
        resource, _, subresource = permission.resource.partition("/")
        attributes = {"namespace": self.namespace, "verb": permission.verb, "group": permission.group}
        attributes |= {"resource": resource, "subresource": subresource}
        review = {"spec": {"user": self.user, "resourceAttributes": attributes}}
        return bool(self._api.request("POST", REVIEWS, review)["status"]["allowed"])

    def await_loss(self, permission: Permission) -> None:
        """Wait until the API server has taken note that it may not do something any more."""
        wait_for(f"the loss of: {permission}", lambda: not self.may(permission))

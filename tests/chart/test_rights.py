"""Who may do what once the chart is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chart.rendered import LEASE_RULES, NAMESPACE, RULES, WIDE_RULES, Json, Rendered
from podgroup_operator.core.lease import NARROW, WIDE
from podgroup_operator.preflight import NEEDED, WANTED, needed_to_lead

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[..., Rendered]

AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
READS = {"get", "list", "watch"}


def test_the_operator_gets_the_rules_and_no_more(render: Render) -> None:
    """The ClusterRole has exactly the rules of rules.yaml, and sees which namespaces others serve."""
    roles = {role["metadata"]["name"]: role["rules"] for role in render().all("ClusterRole")}
    assert roles["podgroup-operator"] == RULES + WIDE_RULES


def test_the_rules_are_narrow() -> None:
    """No wildcard, no Secret, nothing that gives rights away."""
    for rule in RULES:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert {"secrets", "serviceaccounts/token", "pods/exec"}.isdisjoint(rule["resources"])
        assert {"escalate", "bind", "impersonate", "deletecollection"}.isdisjoint(rule["verbs"])


def test_the_rules_are_what_the_operator_asks_for_at_its_start() -> None:
    """What it waits for is granted; finalizers are granted too, which only some clusters ask for."""
    granted = {
        (verb, group, resource)
        for rule in RULES
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    asked = {
        (each.verb, each.group, f"{each.resource}/{each.subresource}" if each.subresource else each.resource)
        for each in (*NEEDED, *WANTED)
    }
    assert granted - asked == {("update", "selfheal.dev", "podgroups/finalizers")}
    assert asked <= granted


def test_the_lease_rules_are_what_it_takes_to_be_elected(render: Render) -> None:
    """In its own namespace the operator may do with its Lease what it asks for, and has no right on any other."""
    (role,) = render().all("Role")
    assert (role["metadata"]["namespace"], role["rules"]) == (NAMESPACE, lease_rules(WIDE))
    for lease in (WIDE, NARROW):
        granted = {
            (verb, *rule["apiGroups"], *rule["resources"], *rule.get("resourceNames", [""]))
            for rule in lease_rules(lease)
            for verb in rule["verbs"]
        }
        assert granted == {(each.verb, each.group, each.resource, each.name) for each in needed_to_lead(lease)}


def lease_rules(lease: str) -> list[Json]:
    """The rules of lease-rules.yaml for one of the Leases."""
    return [rule | {"resourceNames": [lease]} if "resourceNames" in rule else rule for rule in LEASE_RULES]


def test_for_some_namespaces_there_are_roles_only(render: Render) -> None:
    """With `namespaces` each has a Role, with a Lease of its own; there is no ClusterRole, and the operator is told."""
    rendered = render("namespaces={shop,office}")
    assert {"ClusterRole", "ClusterRoleBinding"}.isdisjoint(rendered.kinds)
    assert {role["metadata"]["namespace"]: role["rules"] for role in rendered.all("Role")} == {
        "shop": RULES + lease_rules(NARROW),
        "office": RULES + lease_rules(NARROW),
        NAMESPACE: lease_rules(WIDE),
    }
    assert {each["metadata"]["namespace"] for each in rendered.all("RoleBinding")} == {"shop", "office", NAMESPACE}
    environment = rendered.one("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "PODGROUP_NAMESPACE", "value": "shop,office"} in environment


def test_only_the_operator_gets_a_token(render: Render) -> None:
    """The ServiceAccount gives its token to no pod that does not ask, and the chart's test does not."""
    rendered = render()
    assert rendered.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert rendered.one("Pod")["spec"]["automountServiceAccountToken"] is False
    assert rendered.one("Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True


def test_the_built_in_roles_are_extended(render: Render) -> None:
    """Viewers read PodGroups, editors and administrators write them, and nobody writes their status or sees more."""
    roles = {role["metadata"]["name"].rpartition("-")[2]: role for role in render().all("ClusterRole")}
    to = {
        name: {label.removeprefix(AGGREGATE) for label in roles[name]["metadata"]["labels"] if AGGREGATE in label}
        for name in ("view", "edit")
    }
    assert to == {"view": {"view", "edit", "admin"}, "edit": {"edit", "admin"}}
    assert verbs(roles["view"]["rules"], "podgroups") == READS
    assert (
        verbs(roles["view"]["rules"], "podgroups/status") == verbs(roles["view"]["rules"], "podgroups/scale") == {"get"}
    )
    assert verbs(roles["edit"]["rules"], "podgroups") == {"create", "update", "patch", "delete", "deletecollection"}
    assert verbs(roles["edit"]["rules"], "podgroups/scale") == {"update", "patch"}
    assert verbs(roles["edit"]["rules"], "podgroups/status") == set()
    assert {group for name in to for rule in roles[name]["rules"] for group in rule["apiGroups"]} == {"selfheal.dev"}


def verbs(rules: list[dict[str, list[str]]], resource: str) -> set[str]:
    """What the rules allow to do with a resource."""
    return {verb for rule in rules if resource in rule["resources"] for verb in rule["verbs"]}

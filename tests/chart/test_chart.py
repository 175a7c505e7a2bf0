"""What the chart installs, and what its values change; that it works is shown on a real cluster (tests/installed)."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chart.rendered import CHART, ROOT, RULES, Rendered
from podgroup_operator.preflight import NEEDED

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Render = Callable[..., Rendered]

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())

EVERYTHING = (
    "networkPolicy.enabled=true",
    "serviceMonitor.enabled=true",
    "priorityClass.create=true",
    "priorityClass.name=operators",
    "imagePullSecrets[0].name=registry",
    "podLabels.team=a",
    "podAnnotations.note=b",
    "nodeSelector.disk=ssd",
    "tolerations[0].operator=Exists",
    "serviceMonitor.labels.release=prometheus",
    "serviceAccount.annotations.role=c",
    f"image.digest=sha256:{'0' * 64}",
)


def test_by_default_it_installs_exactly_this(render: Render) -> None:
    """Nothing is installed that is not in this list."""
    name = "podgroup-operator"
    assert render().names == {
        ("CustomResourceDefinition", "podgroups.selfheal.dev"),
        ("ServiceAccount", name),
        ("ClusterRole", name),
        ("ClusterRoleBinding", name),
        ("ClusterRole", f"{name}-view"),
        ("ClusterRole", f"{name}-edit"),
        ("Deployment", name),
        ("Service", name),
        ("ValidatingAdmissionPolicy", f"{name}.selfheal.dev"),
        ("ValidatingAdmissionPolicyBinding", f"{name}.selfheal.dev"),
        ("Pod", f"{name}-test"),
    }


def test_everything_can_be_switched_on(render: Render) -> None:
    """With every switch on the manifests are well-formed, and have what was asked for."""
    rendered = render(*EVERYTHING)
    assert {"NetworkPolicy", "ServiceMonitor", "PriorityClass"} <= rendered.kinds
    template = rendered.one("Deployment")["spec"]["template"]
    assert (template["metadata"]["labels"]["team"], template["metadata"]["annotations"]) == ("a", {"note": "b"})
    assert template["spec"]["priorityClassName"] == "operators"
    assert template["spec"]["containers"][0]["image"] == f"podgroup-operator@sha256:{'0' * 64}"
    assert template["spec"]["nodeSelector"] == {"disk": "ssd"}
    assert template["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_nearly_everything_can_be_switched_off(render: Render) -> None:
    """What remains is the operator with its rights."""
    off = ("crds.enabled=false", "rbac.aggregate=false", "admissionPolicy.enabled=false", "serviceAccount.create=false")
    rendered = render(*off)
    assert rendered.kinds == {"ClusterRole", "ClusterRoleBinding", "Deployment", "Service", "Pod"}
    assert rendered.one("Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "default"


def test_its_version_is_the_projects() -> None:
    """Chart, image and package agree."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_the_operator_gets_the_rules_and_no_more(render: Render) -> None:
    """The ClusterRole has exactly the rules of rules.yaml."""
    roles = {role["metadata"]["name"]: role["rules"] for role in render().all("ClusterRole")}
    assert roles["podgroup-operator"] == RULES


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
        for each in NEEDED
    }
    assert granted - asked == {("update", "selfheal.dev", "podgroups/finalizers")}
    assert asked <= granted


def test_for_some_namespaces_there_are_roles_only(render: Render) -> None:
    """With `namespaces` each has a Role of the same rules, there is no ClusterRole, and the operator is told."""
    rendered = render("namespaces={shop,office}")
    assert {"ClusterRole", "ClusterRoleBinding"}.isdisjoint(rendered.kinds)
    assert {role["metadata"]["namespace"]: role["rules"] for role in rendered.all("Role")} == {
        "shop": RULES,
        "office": RULES,
    }
    assert {each["metadata"]["namespace"] for each in rendered.all("RoleBinding")} == {"shop", "office"}
    environment = rendered.one("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "PODGROUP_NAMESPACE", "value": "shop,office"} in environment


@pytest.mark.parametrize(("keep", "annotations"), [("true", {"helm.sh/resource-policy": "keep"}), ("false", None)])
def test_the_crd_is_kept_unless_told_otherwise(render: Render, keep: str, annotations: object) -> None:
    """Helm leaves the CRD alone when it uninstalls, for all PodGroups would go with it."""
    crd = render(f"crds.keep={keep}").one("CustomResourceDefinition")
    assert crd["metadata"].get("annotations") == annotations


def test_the_crd_is_the_projects(render: Render) -> None:
    """What the chart installs is crds/podgroups.yaml; whoever deletes all that is labelled as the operator keeps it."""
    crd = render().one("CustomResourceDefinition")
    assert crd["spec"] == yaml.safe_load((ROOT / "crds/podgroups.yaml").read_text())["spec"]
    assert "app.kubernetes.io/name" not in crd["metadata"]["labels"]


def test_every_pod_is_restricted(render: Render) -> None:
    """The operator and the chart's test run as the restricted Pod Security Standard asks, with a read-only root."""
    pods = render().pods
    assert len(pods) == 2
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
            assert not container["image"].endswith(":latest")


def test_only_the_operator_gets_a_token(render: Render) -> None:
    """The ServiceAccount gives its token to no pod that does not ask, and the chart's test does not."""
    rendered = render()
    assert rendered.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert rendered.one("Pod")["spec"]["automountServiceAccountToken"] is False
    assert rendered.one("Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True


def test_there_are_never_two_operators(render: Render) -> None:
    """Until there is leader election one ends before the next begins."""
    spec = render().one("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def paths(node: dict[str, Any], inner: str) -> set[str]:
    """The paths of all values in values.yaml ("" for `inner`) or of the schema ("properties")."""
    found: set[str] = set()
    for key, value in (node.get(inner, {}) if inner else node).items():
        nested = paths(value, inner) if isinstance(value, dict) and key not in LEAVES else set()
        found |= {f"{key}.{path}" for path in nested} or {key}
    return found


LEAVES = {"resources", "affinity", "annotations", "labels", "nodeSelector", "podAnnotations", "podLabels", "global"}


def test_every_value_has_a_schema() -> None:
    """values.yaml and values.schema.json know the same values."""
    assert paths(VALUES, "") == paths(SCHEMA, "properties") - {"global"}


def test_every_value_is_explained() -> None:
    """Each value in values.yaml has a comment before it, which the chart's README repeats."""
    lines = (CHART / "values.yaml").read_text().splitlines()
    told = {line.strip().removeprefix("# -- ") for line in lines if "# -- " in line}
    readme = (CHART / "README.md").read_text()
    assert len(told) == len(paths(VALUES, ""))
    assert [sentence for sentence in told if sentence not in readme] == []


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("imagee.tag=1", "additional properties 'imagee' not allowed"),
        ("logLevel=LOUD", "value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'"),
        ("image.tag=latest", "'not' failed"),
        ("namespaces={Shop}", "does not match pattern"),
        ("priorityClass.create=true", "minLength"),
    ],
)
def test_a_wrong_value_is_refused(
    helm: Callable[..., subprocess.CompletedProcess[str]], value: str, complaint: str
) -> None:
    """Helm says which value is wrong and why."""
    answer = helm("template", "podgroup-operator", str(CHART), f"--set={value}")
    assert answer.returncode != 0
    assert complaint in answer.stderr


def test_the_notes_name_the_next_commands(helm: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """They are for this release and its namespace, and warn when uninstalling would delete the PodGroups."""
    command = ("install", "podgroup-operator", str(CHART), "--namespace=here", "--dry-run=client")
    notes = helm(*command).stdout.partition("NOTES:")[2]
    assert "kubectl --namespace here logs deployment/podgroup-operator" in notes
    assert "helm uninstall podgroup-operator --namespace here" in notes
    assert "CAREFUL" not in notes
    assert "CAREFUL" in helm(*command, "--set=crds.keep=false").stdout


def test_another_release_name_is_kept_apart(helm: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """What a release makes bears its name."""
    answer = helm("template", "mine", str(CHART), "--set=crds.enabled=false")
    names = re.findall(r"^  name: (\S+)$", answer.stdout, re.MULTILINE)
    assert [name for name in names if not name.startswith("mine-podgroup-operator")] == []

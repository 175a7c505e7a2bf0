"""What the chart installs, and what its values change; that it works is shown on a real cluster (tests/installed)."""

from __future__ import annotations

import re
import tomllib
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
import pytest
import yaml

from chart.rendered import CHART, EVERYTHING, ROOT, Json, Rendered
from podgroup_operator.settings import read_settings
from podgroup_operator.tell.endpoints import Endpoints, Health

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Render = Callable[..., Rendered]


def operator_pod(rendered: Rendered) -> Json:
    """The spec of the operator's pod."""
    spec: Json = rendered.one("Deployment")["spec"]["template"]["spec"]
    return spec


def test_by_default_it_installs_exactly_this(render: Render) -> None:
    """Nothing is installed that is not in this list."""
    name = "podgroup-operator"
    assert render().names == {
        ("CustomResourceDefinition", "podgroups.selfheal.dev"),
        ("ServiceAccount", name),
        ("ClusterRole", name),
        ("ClusterRoleBinding", name),
        ("Role", f"{name}-lease"),
        ("RoleBinding", f"{name}-lease"),
        ("PodDisruptionBudget", name),
        ("ClusterRole", f"{name}-view"),
        ("ClusterRole", f"{name}-edit"),
        ("Deployment", name),
        ("Service", name),
        ("ValidatingAdmissionPolicy", f"{name}.selfheal.dev"),
        ("ValidatingAdmissionPolicyBinding", f"{name}.selfheal.dev"),
        ("ValidatingAdmissionPolicy", f"{name}-revisions.selfheal.dev"),
        ("ValidatingAdmissionPolicyBinding", f"{name}-revisions.selfheal.dev"),
        ("Pod", f"{name}-test"),
    }


def test_everything_can_be_switched_on(render: Render) -> None:
    """With every switch on the manifests are well-formed, and have what was asked for."""
    rendered = render(file=EVERYTHING)
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
    rendered = render(*off, "serviceAccount.name=theirs", "podDisruptionBudget.enabled=false")
    rights = {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    assert rendered.kinds == rights | {"Deployment", "Service", "Pod"}
    assert rendered.one("Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "theirs"


def test_its_version_is_the_projects() -> None:
    """Chart, image and package agree."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


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


async def test_the_probes_ask_what_the_operator_serves(render: Render) -> None:
    """The kubelet's probes go to the port where the operator listens by default, and to paths that it answers."""
    (container,) = operator_pod(render())["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "readiness")}
    assert probes == {
        "liveness": {"path": "/healthz", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }
    endpoints = Endpoints("127.0.0.1:0", Health({}))
    port = await endpoints.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            for probe in probes.values():
                assert (await session.get(probe["path"])).status == HTTPStatus.OK
    finally:
        await endpoints.stop()


def test_the_operator_understands_its_environment(render: Render) -> None:
    """What the chart sets in the environment is what the operator then does; it listens where the Service leads."""
    (container,) = operator_pod(render("namespaces={shop,office}", "logLevel=DEBUG", "logFormat=json"))["containers"]
    settings = read_settings(["run"], {each["name"]: each.get("value", "uid") for each in container["env"]})
    assert (settings.namespaces, settings.log_level, settings.http) == (("shop", "office"), "DEBUG", ":8080")
    assert settings.log_format == "json"


def test_annotations_of_pods_reach_the_operator(render: Render) -> None:
    """What `podGroups.podAnnotations` says, in whatever letters, is what the operator then gives its pods."""
    wanted = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true", "note": 'a=b, "c"'}
    values = (
        r"podGroups.podAnnotations.cluster-autoscaler\.kubernetes\.io/safe-to-evict=true",
        r'podGroups.podAnnotations.note=a=b\, "c"',
    )
    (container,) = operator_pod(render(*values))["containers"]
    settings = read_settings(["run"], {each["name"]: each.get("value", "uid") for each in container["env"]})
    assert settings.pod_annotations == wanted


def test_the_charts_own_labels_stay(render: Render) -> None:
    """A label of `podLabels` that the Deployment selects by does not take the place of the chart's."""
    deployment = render(r"podLabels.app\.kubernetes\.io/name=mine").one("Deployment")
    selected = deployment["spec"]["selector"]["matchLabels"].items()
    assert selected <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_helm_test_leaves_nothing_behind(render: Render) -> None:
    """A test pod that succeeded is deleted, for `helm uninstall` would leave it."""
    policy = render().one("Pod")["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
    assert policy.split(",") == ["before-hook-creation", "hook-succeeded"]


def test_one_stands_by(render: Render) -> None:
    """There are two operators, spread over nodes and zones; a drain takes one at a time; one alone has no budget."""
    rendered = render()
    assert rendered.one("Deployment")["spec"]["replicas"] == 2
    spread = operator_pod(rendered)["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    selector = rendered.one("Deployment")["spec"]["selector"]
    assert [each["labelSelector"] for each in spread] == [selector, selector]
    budget = rendered.one("PodDisruptionBudget")["spec"]
    assert (budget["maxUnavailable"], budget["selector"]) == (1, selector)
    assert "PodDisruptionBudget" not in render("replicas=1").kinds


def test_the_notes_name_the_next_commands(helm: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """They are for this release and its namespace, and warn when uninstalling would delete the PodGroups."""
    command = ("install", "podgroup-operator", str(CHART), "--namespace=here", "--dry-run=client")
    notes = helm(*command).stdout.partition("NOTES:")[2]
    assert "kubectl --namespace here logs deployment/podgroup-operator" in notes
    assert "helm uninstall podgroup-operator --namespace here" in notes
    assert "kubectl wait --for=condition=Ready pgrp/web" in notes
    assert "CAREFUL" not in notes
    assert "CAREFUL" in helm(*command, "--set=crds.keep=false").stdout


def test_another_release_name_is_kept_apart(helm: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """What a release makes bears its name."""
    answer = helm("template", "mine", str(CHART), "--set=crds.enabled=false")
    names = re.findall(r"^  name: (\S+)$", answer.stdout, re.MULTILINE)
    assert [name for name in names if not name.startswith("mine-podgroup-operator")] == []


def test_tenants_with_one_release_name_share_nothing_but_the_crd(
    helm: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Of two releases for some namespaces each, what lies in no namespace is called after the release's own."""
    made = []
    for tenant in ("team-a", "team-b"):
        flags = (f"--namespace={tenant}", f"--set=namespaces={{{tenant}}}")
        manifests = yaml.safe_load_all(helm("template", "pg", str(CHART), *flags).stdout)
        made.append({(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in manifests})
    assert made[0] & made[1] == {("CustomResourceDefinition", None, "podgroups.selfheal.dev")}


def test_a_tenants_policy_is_for_his_namespaces(render: Render) -> None:
    """With `namespaces` the admission policies bind those only; without, all."""
    for binding in render("namespaces={shop,office}").all("ValidatingAdmissionPolicyBinding"):
        (served,) = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert (served["key"], served["values"]) == ("kubernetes.io/metadata.name", ["shop", "office"])
    for binding in render().all("ValidatingAdmissionPolicyBinding"):
        assert "matchResources" not in binding["spec"]


def test_an_upgrade_without_the_crd_never_deletes_it(helm: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """What is not marked to be kept would go when it leaves the release: that is refused, with the way to do it."""
    values = ("--set=crds.enabled=false", "--set=crds.keep=false")
    refused = helm("template", "podgroup-operator", str(CHART), "--is-upgrade", *values)
    assert "Helm would delete the CRD, and with it all PodGroups and their pods; set crds.keep=true" in refused.stderr
    assert helm("template", "podgroup-operator", str(CHART), *values).returncode == 0

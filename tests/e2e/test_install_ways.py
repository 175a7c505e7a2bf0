"""helm on a real API server, where something is there already: the CRD, another release, today's or an older one.

A CRD belongs to one release, or to none, and there is one of it in a cluster; with it all PodGroups would go. So each
way in, out and up is tried with a PodGroup that must still be there afterwards.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from chart.rendered import CHART, ROOT, RULES
from controlplane.build import build
from controlplane.programs import HELM, KUBECTL
from e2e.waiting import wait_for
from installed.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pytest_kind import KindCluster

CRD = "crd/podgroups.selfheal.dev"
CRD_FILE = ROOT / "crds/podgroups.yaml"
WEB = ROOT / "deploy/examples/web.yaml"
RBAC = "rbac.authorization.k8s.io/v1"
CAREFUL = "CAREFUL: the CRD podgroups.selfheal.dev is not this release's"

ALWAYS_RENDERED = """\
{{- if .Values.crds.enabled }}
{{- $crd := .Files.Get "files/podgroups.yaml" | fromYaml }}
{{- $_ := set $crd.metadata "labels" (dict "app.kubernetes.io/managed-by" .Release.Service) }}
{{- if .Values.crds.keep }}
{{- $_ := set $crd.metadata "annotations" (dict "helm.sh/resource-policy" "keep") }}
{{- end }}
{{ toYaml $crd }}
{{- end }}
"""
"""templates/crd.yaml as it was in the first chart 0.1.0."""


@pytest.fixture(scope="module")
def cluster(local_cluster: Callable[..., AbstractContextManager[KindCluster]]) -> Iterator[KindCluster]:
    """A cluster for these tests alone: they delete the CRD."""
    with local_cluster("ways", "--nodes=1") as made:
        yield made


@pytest.fixture(scope="module")
def terminal(cluster: KindCluster, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A terminal with kubectl and helm."""
    build([HELM])
    programs = {"kubectl": KUBECTL.path, "helm": HELM.path}
    return Shell(cluster.kubeconfig_path, programs, tmp_path_factory.mktemp("home"))


@pytest.fixture
def shell(terminal: Shell) -> Iterator[Shell]:
    """The terminal of a cluster in which nothing of ours is, before and after."""
    yield terminal
    for release in json.loads(terminal.run("helm list --all-namespaces --output json")):
        terminal.run(f"helm uninstall {release['name']} --namespace {release['namespace']} --wait")
    ours = "--selector app.kubernetes.io/name=podgroup-operator --ignore-not-found"
    terminal.run("kubectl delete namespace podgroup-system --ignore-not-found")
    terminal.run(f"kubectl delete clusterrole,clusterrolebinding {ours}")
    terminal.run(f"kubectl delete validatingadmissionpolicy,validatingadmissionpolicybinding {ours}")
    terminal.run(f"kubectl delete {CRD} --ignore-not-found")


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart as it was, with a CRD that lacks a column and the mark that it is to be kept."""
    chart = tmp_path_factory.mktemp("older") / "podgroup-operator"
    shutil.copytree(CHART, chart)
    (chart / "templates/crd.yaml").write_text(ALWAYS_RENDERED)
    (chart / "templates/NOTES.txt").write_text("Older.")
    crd = yaml.safe_load(CRD_FILE.read_bytes())
    del crd["metadata"]["annotations"]
    (version,) = crd["spec"]["versions"]
    del version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["ready"]
    version["additionalPrinterColumns"].pop(0)
    (chart / "files/podgroups.yaml").write_text(yaml.safe_dump(crd))
    return chart


def install(shell: Shell, name: str, namespace: str, *flags: str, chart: Path = CHART, verb: str = "install") -> str:
    """What helm says to `helm install`, which must succeed."""
    create = ("--create-namespace",) if verb == "install" else ()
    return shell.run(" ".join(["helm", verb, name, str(chart), "--namespace", namespace, *create, *flags]))


def upgrade(shell: Shell, name: str, namespace: str, *flags: str, chart: Path = CHART) -> str:
    """What helm says to `helm upgrade`, which must succeed."""
    return install(shell, name, namespace, *flags, chart=chart, verb="upgrade")


def create_group(shell: Shell) -> str:
    """Create a PodGroup, and give what tells it and the CRD from any that would be made anew."""
    wait_for("PodGroups to be served", lambda: "created" in tried(shell, f"kubectl create --filename {WEB}"))
    return identity(shell)


def identity(shell: Shell) -> str:
    """The UIDs of the CRD and of the PodGroup."""
    return shell.run(f"kubectl get {CRD} pgrp/web --output jsonpath='{{.items[*].metadata.uid}}'")


def tried(shell: Shell, command: str) -> str:
    """What a command says, whether it succeeds or not."""
    return shell.run(f"{command} || true")


def is_current(shell: Shell) -> bool:
    """Whether the CRD in the cluster is that of this version."""
    (ours,) = yaml.safe_load(CRD_FILE.read_bytes())["spec"]["versions"]
    (theirs,) = json.loads(shell.run(f"kubectl get {CRD} --output json"))["spec"]["versions"]
    fields = ("schema", "additionalPrinterColumns")
    return [ours[field] for field in fields] == [theirs[field] for field in fields]


def test_the_crd_was_applied_by_kubectl(shell: Shell) -> None:
    """The chart installs beside it, is upgraded and uninstalled, and leaves it alone; it has nothing to warn of."""
    shell.run(f"kubectl apply --filename {CRD_FILE}")
    before = create_group(shell)
    said = install(shell, "podgroup-operator", "here")
    said += upgrade(shell, "podgroup-operator", "here", "--set logLevel=DEBUG")
    shell.run("helm uninstall podgroup-operator --namespace here --wait")
    assert "CAREFUL" not in said
    assert identity(shell) == before


def command(notes: str, beginning: str) -> str:
    """The line of the notes that begins so."""
    (line,) = (line.strip() for line in notes.splitlines() if line.strip().startswith(beginning))
    return line


def test_an_older_crd_is_given_to_a_release(shell: Shell, older: Path) -> None:
    """Over it the chart installs and says so; after the two commands that it names, an upgrade brings it up to date."""
    shell.run(f"kubectl apply --filename {older / 'files/podgroups.yaml'}")
    before = create_group(shell)
    said = install(shell, "mine", "here")
    assert CAREFUL in said
    for beginning in ("kubectl label crd", "kubectl annotate crd"):
        shell.run(command(said, beginning))
    assert CAREFUL not in upgrade(shell, "mine", "here", "--force-conflicts")
    assert is_current(shell)
    assert identity(shell) == before


def test_the_crd_was_kept_of_another_release(shell: Shell, older: Path) -> None:
    """Under another name, in another namespace, an operator is installed over what an older one has left."""
    install(shell, "one", "a", chart=older)
    before = create_group(shell)
    shell.run("helm uninstall one --namespace a --wait")
    said = install(shell, "two", "b")
    assert CAREFUL in said
    shell.run(command(said, "kubectl apply --server-side"))
    assert "CAREFUL" not in upgrade(shell, "two", "b")
    assert is_current(shell)
    assert identity(shell) == before


def test_a_release_of_the_same_name_takes_its_crd_back(shell: Shell, older: Path) -> None:
    """Uninstalled and installed again, it brings the CRD up to date."""
    install(shell, "one", "a", chart=older)
    before = create_group(shell)
    shell.run("helm uninstall one --namespace a --wait")
    assert "CAREFUL" not in install(shell, "one", "a")
    assert is_current(shell)
    assert identity(shell) == before


def test_two_tenants_have_releases_of_one_name(shell: Shell) -> None:
    """Each serves its own namespace under its own policy; when one goes, the other has all that it had."""
    install(shell, "pg", "team-a", "--set 'namespaces={team-a}'")
    install(shell, "pg", "team-b", "--set 'namespaces={team-b}'")
    before = shell.run("helm get manifest pg --namespace team-b | kubectl get --filename - --output name")
    assert "validatingadmissionpolicy.admissionregistration.k8s.io/pg-podgroup-operator.team-b.selfheal.dev" in before
    shell.run("helm uninstall pg --namespace team-a --wait")
    assert shell.run("helm get manifest pg --namespace team-b | kubectl get --filename - --output name") == before
    assert "CAREFUL" not in upgrade(shell, "pg", "team-b", "--set 'namespaces={team-b}'")


def test_a_tenant_installs_with_no_right_outside_his_namespace(shell: Shell) -> None:
    """With the role `admin` there and the rights that he passes on, and with what lies in no namespace switched off."""
    shell.run(f"kubectl apply --filename {CRD_FILE}")
    shell.run("kubectl create namespace tenant")
    role = {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "passes-on"}, "rules": RULES}
    shell.run(f"kubectl create --namespace tenant --filename - <<< '{json.dumps(role)}'")
    for granted in ("clusterrole=admin", "role=passes-on"):
        shell.run(f"kubectl create rolebinding --namespace tenant {granted.split('=')[1]} --{granted} --user=ten")
    flags = (
        "--kube-as-user ten",
        "--set 'namespaces={tenant}'",
        "--set crds.enabled=false,admissionPolicy.enabled=false",
    )
    shell.run(" ".join(["helm install pg", str(CHART), "--namespace tenant", *flags]))
    assert "deployed" in upgrade(shell, "pg", "tenant", *flags)


def test_a_second_operator_for_all_namespaces_is_refused(shell: Shell) -> None:
    """Two of one name would serve the same PodGroups: the second is not installed, and the first is as it was."""
    install(shell, "pg", "team-a")
    before = shell.run("helm get manifest pg --namespace team-a | kubectl get --filename - --output name")
    refused = tried(shell, f"helm install pg {CHART} --namespace team-b --create-namespace")
    assert "invalid ownership metadata" in refused
    assert shell.run("helm get manifest pg --namespace team-a | kubectl get --filename - --output name") == before


@pytest.mark.parametrize("keep", ["true", "false"])
def test_an_upgrade_from_the_first_chart_keeps_the_crd(shell: Shell, older: Path, keep: str) -> None:
    """The CRD, which was one of its templates, is the same one, brought up to date; the PodGroup is still there."""
    install(shell, "podgroup-operator", "here", f"--set crds.keep={keep}", chart=older)
    before = create_group(shell)
    assert "CAREFUL: the CRD" not in upgrade(shell, "podgroup-operator", "here", f"--set crds.keep={keep}")
    assert is_current(shell)
    assert identity(shell) == before


def test_no_upgrade_deletes_a_crd_that_lost_its_marks(shell: Shell, older: Path) -> None:
    """A CRD of a release, replaced by kubectl, bears neither the release's name nor that it is to be kept."""
    install(shell, "podgroup-operator", "here", chart=older)
    before = create_group(shell)
    shell.run(f"kubectl replace --filename {older / 'files/podgroups.yaml'}")
    upgrade(shell, "podgroup-operator", "here", "--force-conflicts")
    assert is_current(shell)
    assert identity(shell) == before


def test_a_crd_that_leaves_its_release_stays(shell: Shell, older: Path) -> None:
    """With `crds.enabled=false` the release has no CRD any more; it is marked to be kept, and so it is."""
    install(shell, "podgroup-operator", "here", chart=older)
    before = create_group(shell)
    upgrade(shell, "podgroup-operator", "here", "--set crds.enabled=false")
    assert identity(shell) == before


def test_a_release_is_made_of_what_kubectl_applied(shell: Shell) -> None:
    """`--take-ownership` makes a release of deploy/install.yaml, which at its end takes all of it along but the CRD."""
    shell.run(f"kubectl apply --server-side --filename {ROOT / 'deploy/install.yaml'}")
    before = create_group(shell)
    flags = "--namespace podgroup-system"
    assert "invalid ownership metadata" in tried(shell, f"helm install podgroup-operator {CHART} {flags}")
    shell.run(f"helm install podgroup-operator {CHART} {flags} --take-ownership --force-conflicts")
    shell.run(f"helm uninstall podgroup-operator {flags} --wait")
    left = "deployment,clusterrole,validatingadmissionpolicy --selector app.kubernetes.io/name=podgroup-operator"
    assert shell.run(f"kubectl get {left} {flags} --output name") == ""
    assert identity(shell) == before

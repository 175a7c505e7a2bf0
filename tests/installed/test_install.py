"""Installing, upgrading, uninstalling: what it takes, what it leaves, and that nothing is lost on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from e2e.pod import names, uids
from e2e.waiting import eventually, stays, wait_for
from installed.installation import NAMESPACE, SELECTOR
from installed.shell import ROOT, readme

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from installed.installation import Installation
    from installed.shell import Shell

GROUP = ROOT / "deploy/examples/a-pod-can-die/web.yaml"
SLOW = 60.0
CHART = "deploy/helm/podgroup-operator"


def start(shop: Namespace) -> set[str]:
    """Create a group and give its pods' UIDs once it is complete."""
    shop.kubectl("apply", f"--filename={GROUP}")
    return uids(shop.complete("mortal"))


def heals(shop: Namespace) -> None:
    """Kill a pod of the group, and see it replaced."""
    victim = shop.complete("mortal")[0]
    shop.kill(victim)
    shop.complete("mortal", without=[victim])


def test_it_runs_where_pod_security_is_restricted(installed: Installation, shell: Shell) -> None:
    """In a namespace that enforces `restricted` and warns of it, the installation and its test print no warning."""
    shell.run(f"kubectl label namespace {NAMESPACE} --overwrite {RESTRICTED}")
    said = shell.run(f"helm upgrade podgroup-operator {CHART} --namespace {NAMESPACE} --set logLevel=DEBUG --wait")
    said += shell.run(f"kubectl rollout restart deployment/podgroup-operator --namespace {NAMESPACE}")
    shell.run(f"kubectl rollout status deployment/podgroup-operator --namespace {NAMESPACE} --timeout=90s")
    installed.ready()
    said += shell.run(f"helm test podgroup-operator --namespace {NAMESPACE} --logs")
    assert "warning" not in (installed.said + said).lower()
    assert "Phase:          Succeeded" in said


RESTRICTED = " ".join(f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn", "audit"))


def test_an_upgrade_leaves_the_pods_alone(installed: Installation, shop: Namespace, shell: Shell) -> None:
    """`helm upgrade` replaces the operator's pods and no others; the new ones go on healing."""
    before, operators = start(shop), installed.uids()
    shell.run(f"helm upgrade podgroup-operator {CHART} --namespace {NAMESPACE} --set podAnnotations.again=yes --wait")
    assert installed.uids().isdisjoint(operators)
    assert uids(shop.complete("mortal")) == before
    heals(shop)


def test_a_reinstalled_operator_takes_over(
    installation: Installation, installed: Installation, shop: Namespace
) -> None:
    """Uninstalling keeps the CRD, the PodGroups and their pods; what dies meanwhile is replaced after a reinstall."""
    before = start(shop)
    installation.uninstall()
    assert uids(shop.live()) == before
    assert shop.groups() == ["mortal"]
    victim = shop.live()[0]
    shop.kill(victim, gracePeriodSeconds=0)
    stays(2, lambda: len(shop.live()), 2.0)
    installation.install()
    after = shop.complete("mortal", without=[victim])
    assert len(uids(after) & before) == 2


def test_kubectl_installs_it_as_well(installation: Installation, shop: Namespace, shell: Shell) -> None:
    """deploy/install.yaml needs kubectl only, can be applied twice, and its uninstallation keeps PodGroups and pods."""
    installation.uninstall()
    commands = readme()
    try:
        said = shell.run(commands["kubectl-install"]) + shell.run(commands["kubectl-install"])
        assert "warning" not in said.lower()
        before = start(shop)
        heals(shop)
        now = uids(shop.complete("mortal"))
        assert len(now & before) == 2
    finally:
        shell.run(commands["kubectl-uninstall"])
    eventually([], installation.pods, SLOW)
    assert uids(shop.live()) == now
    left = shell.run(f"kubectl get clusterrole,clusterrolebinding,validatingadmissionpolicy -l {SELECTOR} -o name")
    assert left.strip() in {"", "No resources found"}


def test_one_namespace_needs_no_cluster_role(
    installation: Installation, shop: Namespace, shell: Shell, namespace: str
) -> None:
    """With `namespaces` set there are Roles only; the groups of other namespaces are left alone."""
    installation.uninstall()
    try:
        said = shell.run(
            f"helm install podgroup-operator {CHART} --namespace {NAMESPACE} --create-namespace --wait"
            f" --set 'namespaces={{{namespace}}}'"
        )
        assert "warning" not in said.lower()
        assert shell.run(f"kubectl get clusterrole,clusterrolebinding -o name -l {SELECTOR}").strip() in NOTHING
        start(shop)
        heals(shop)
        other = shell.run(f"kubectl apply --namespace default -f {GROUP}")
        assert "created" in other
        pods = "kubectl get pods --namespace default -l app=mortal -o name"
        stays("", lambda: shell.run(pods).replace(*NO_RESOURCES).strip(), 3.0)
    finally:
        shell.run("kubectl delete pgrp mortal --namespace default --ignore-not-found")
        installation.uninstall()


NO_RESOURCES = ("No resources found in default namespace.", "")
NOTHING = {"", "No resources found"}


def test_the_first_podgroup_of_the_readme(installed: Installation, shell: Shell) -> None:
    """The README's first PodGroup comes up, is hurt and heals, as it says."""
    try:
        said = shell.run(readme()["first-podgroup"])
        assert "podgroup.selfheal.dev/web created" in said

        def healed() -> bool:
            status = json.loads(shell.run("kubectl get pgrp web -o json"))["status"]
            return bool(status["readyReplicas"] == 3 and status["healing"]["total"] == 3)

        wait_for("the three pods to be replaced", healed, SLOW)
    finally:
        shell.run("kubectl delete pgrp web --ignore-not-found --cascade=foreground")


@pytest.mark.parametrize("example", sorted((ROOT / "deploy/examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_comes_up(example: object, installed: Installation, shop: Namespace) -> None:
    """Each example is a PodGroup whose pods become Ready."""
    name = shop.kubectl("apply", f"--filename={example}", "--output=jsonpath={.metadata.name}")
    shop.complete(name)
    assert names(shop.live())

"""An older Role, without the rights that rollouts take: pods are kept all the same, and rolled once it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.deployments import apply, as_group, deploy, manifest, orphan_pods
from e2e.operator_process import OperatorProcess
from e2e.pod import uids
from e2e.service_account import Permission, ServiceAccount, operator_rules, permissions, rules_without
from e2e.test_revisions import revisions, seen
from e2e.versions import change, rolled, start, version_of
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_kind import KindCluster

    from e2e.api import Api
    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator_away", "podgroup_crd")

REVISIONS = [each for each in permissions(operator_rules()) if each.resource == "controllerrevisions"]
TEMPLATES = Permission("create", "", "podtemplates")
RECOVERY = 130.0
"""Seconds within which it has found out that it may: it asks once a minute."""


@pytest.fixture
def account(kind_cluster: KindCluster, api: Api, shop: Namespace) -> ServiceAccount:
    """An operator's ServiceAccount for this namespace."""
    return ServiceAccount(kind_cluster, api, shop.name, "operator")


@pytest.fixture
def process(account: ServiceAccount, shop: Namespace, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator for this namespace, which is yet to be started."""
    kubeconfig = account.write_kubeconfig(tmp_path / "kubeconfig")
    with OperatorProcess(kubeconfig, tmp_path / "log", [f"--namespace={shop.name}"]) as made:
        yield made


def test_without_them_pods_are_kept_and_with_them_rolled(
    shop: Namespace, account: ServiceAccount, process: OperatorProcess
) -> None:
    """What is lost is replaced of the new template, nothing rolls, it is told once; granted, the next change rolls."""
    account.allow(rules_without(*REVISIONS, TEMPLATES))
    process.start()
    old = start(shop, 3)
    change(shop, "2")
    wait_for("the spec to be seen", lambda: seen(shop))
    shop.kill(old[0])
    shop.complete(without=old[:1])
    shop.quiet()
    assert uids(old[1:]) < uids(shop.live())
    assert sorted(map(version_of, shop.live())) == ["1", "1", "2"]
    assert shop.condition("Progressing")["reason"] == "HeldSinceUpgrade"
    assert shop.condition("ReplicaFailure")["status"] == "False"
    assert "controllerrevisions.apps" in process.readiness()[1]
    assert "create podtemplates" in process.readiness()[1]
    assert process.logged().count("create podtemplates") == 1
    account.allow(operator_rules())
    eventually(1, lambda: len(revisions(shop)), RECOVERY)
    eventually((200, "ok\n"), process.readiness, RECOVERY)
    assert uids(old[1:]) < uids(shop.live())
    change(shop, "3")
    rolled(shop, "3")


@pytest.mark.parametrize("missing", [[*REVISIONS, TEMPLATES], [TEMPLATES]], ids=["both", "podtemplates"])
def test_without_them_pods_are_taken_in(
    shop: Namespace, account: ServiceAccount, process: OperatorProcess, missing: list[Permission]
) -> None:
    """The pods of a Deployment are the group's, none is restarted, and a lost one is replaced."""
    account.allow(rules_without(*missing))
    process.start()
    before = deploy(shop)
    orphan_pods(shop)
    apply(shop, as_group(manifest()))
    shop.complete()
    shop.quiet()
    assert uids(shop.pods()) == uids(before)
    assert shop.condition("Ready")["status"] == "True"
    shop.kill(before[0])
    shop.complete(without=before[:1])

"""The API server dies, or its etcd does, and comes back: the operator waits, says so, and goes on where it was.

Or it comes back with another past, for its etcd was restored from a backup: then the operator begins anew.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from urllib3.exceptions import HTTPError

from controlplane import processes
from controlplane.cluster import directory_of
from controlplane.programs import APISERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER
from e2e.api import Api, Refused
from e2e.local_cluster import WITH_CRDS
from e2e.namespace import Namespace
from e2e.operator_fixtures import new_namespace
from e2e.operator_process import OperatorProcess
from e2e.pod import uids
from e2e.service_account import ServiceAccount, lease_rules, operator_rules
from e2e.waiting import eventually, stays, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pytest_kind import KindCluster

    from controlplane.programs import Program

CLIENTS = (CONTROLLER_MANAGER, SCHEDULER, KWOK)
REPLICAS = 5
RECOVERY = 20.0
"""Seconds after the API server is back within which the operator must have noticed."""

NOTICE = 12.0
"""Seconds that one that begins anew to lead a namespace leaves to an operator of all namespaces to notice it."""


@pytest.fixture(scope="module")
def cluster(local_cluster: Callable[..., AbstractContextManager[KindCluster]]) -> Iterator[KindCluster]:
    """A cluster whose programs may be killed."""
    with local_cluster("outage", "--nodes=2", *WITH_CRDS) as made:
        yield made


@pytest.fixture
def shop(cluster: KindCluster) -> Iterator[Namespace]:
    """A namespace of that cluster."""
    with Api(cluster.kubeconfig_path) as api, new_namespace(api) as name:
        yield Namespace(cluster, api, name)


@pytest.fixture
def operator(shop: Namespace, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OperatorProcess]:
    """An operator that is elected, unless the test's parameter says otherwise, and works."""
    account = ServiceAccount(shop.cluster, shop.api, shop.name, "operator")
    account.allow(operator_rules() + lease_rules())
    options = [f"--namespace={shop.name}", f"--lease-namespace={shop.name}"]
    login = account.write_kubeconfig(tmp_path / "kubeconfig")
    with OperatorProcess(login, tmp_path / "log", options, elect=getattr(request, "param", True)) as process:
        process.start()
        yield process


class Outage:
    """One of a cluster's programs, killed on entry and started again, as it was, on exit."""

    def __init__(self, cluster: KindCluster, program: Program) -> None:
        self._directory = directory_of(cluster.name)
        self._program = program

    def __enter__(self) -> None:
        pid = processes.running(self._directory)[self._program.name]
        self._arguments = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[1:-1]
        os.kill(pid, signal.SIGKILL)
        wait_for("its end", lambda: self._program.name not in processes.running(self._directory))

    def __exit__(self, *_: object) -> None:
        # Not our child: the cluster's end is to kill it, and nobody waits for it here.
        with (self._directory / f"{self._program.name}.log").open("ab") as log:
            subprocess.run(  # noqa: S603 - the cluster's own program
                ["/usr/bin/setsid", "--fork", str(self._program.path), *self._arguments],
                cwd=self._directory,
                env={"PATH": os.defpath, "HOME": str(self._directory)},
                stdout=log,
                stderr=log,
                check=True,
            )


def answers(shop: Namespace) -> bool:
    """Whether the API server can read what is stored."""
    try:
        return bool(shop.pods())
    except (Refused, HTTPError):
        return False


@pytest.mark.parametrize("program", [APISERVER, ETCD], ids=["kube-apiserver", "etcd"])
def test_an_outage_is_waited_for(
    shop: Namespace, operator: OperatorProcess, cluster: KindCluster, program: Program
) -> None:
    """Killed in the midst of a burst and started again: the same process heals, no pod too many, none too few.

    Nobody waits for the new pods to be Ready: kwok never repeats a status that it could not write, as a kubelet does.
    """
    before = shop.start_group(replicas=REPLICAS)
    born = operator.pid
    for pod in before[:2]:
        shop.kill(pod, gracePeriodSeconds=0)
    with Outage(cluster, program):
        eventually(503, lambda: operator.readiness()[0])
        assert "It is tried again." in operator.readiness()[1]
        stays((200, "ok\n"), lambda: operator.get("/healthz"), 3.0)
    wait_for("the API server", lambda: answers(shop))
    with shop.record() as recording:
        eventually((200, "ok\n"), operator.readiness, RECOVERY)
        after = shop.filled(without=before[:2])
        assert len(uids(after) - uids(before)) == 2
        for pod in after[:2]:
            shop.kill(pod, gracePeriodSeconds=0)
        shop.filled(without=after[:2])
        assert recording.most_live() <= REPLICAS
    assert (operator.pid, operator.runs) == (born, True)
    assert "Traceback" not in operator.logged()


def nothing_but_the_group(shop: Namespace) -> None:
    """Change the PodGroup alone: of that only its own watch can tell."""
    shop.patch_group({"metadata": {"annotations": {"since": "the backup"}}})


def all_of_it(shop: Namespace) -> None:
    """Let the group grow and lose pods."""
    before = shop.filled(without=())
    shop.patch_group({"spec": {"replicas": REPLICAS + 2}})
    for pod in before[:2]:
        shop.kill(pod, gracePeriodSeconds=0)
    shop.filled(without=before[:2])


@pytest.mark.parametrize(
    ("operator", "since"),
    [(True, all_of_it), (False, nothing_but_the_group)],
    indirect=["operator"],
    ids=["all of it, elected", "nothing but the group, not elected"],
)
def test_an_etcd_may_be_restored_from_a_backup(
    shop: Namespace,
    operator: OperatorProcess,
    cluster: KindCluster,
    tmp_path: Path,
    since: Callable[[Namespace], None],
) -> None:
    """What came after the backup never happened: the same process forgets it, makes no pod too many, and heals."""
    before = shop.start_group(replicas=REPLICAS)
    born, data = operator.pid, directory_of(cluster.name) / "etcd"
    with Outage(cluster, ETCD):
        shutil.copytree(data, tmp_path / "backup")
    wait_for("the API server", lambda: answers(shop))
    eventually((200, "ok\n"), operator.readiness, RECOVERY)
    since(shop)
    with ExitStack() as others:
        for program in CLIENTS:  # they are started anew as well, as Kubernetes advises; but nobody does that to us
            others.enter_context(Outage(cluster, program))
        with Outage(cluster, APISERVER), Outage(cluster, ETCD):
            shutil.rmtree(data)
            shutil.copytree(tmp_path / "backup", data)
        wait_for("the API server", lambda: answers(shop))
    with shop.record() as recording:
        eventually(2, lambda: operator.logged().count("http on port"), RECOVERY)
        assert "its store was restored from a backup" in operator.logged()
        eventually((200, "ok\n"), operator.readiness, RECOVERY + NOTICE)
        shop.kill(before[0], gracePeriodSeconds=0)
        after = shop.filled(without=before[:1])
        assert uids(before[1:]) < uids(after)
        assert recording.most_live() <= REPLICAS
    assert (operator.pid, operator.runs) == (born, True)
    assert "Traceback" not in operator.logged()

"""The local control plane keeps what deploy/local/README.md promises.

Everything goes through kind's command line, as pytest-kind and people use it; /proc tells what is really there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_kind import KindCluster

from backend import Backend, choose
from controlplane import processes
from controlplane.abandoned import own_name
from controlplane.cluster import directory_of
from controlplane.components import AUDIT_LOG
from controlplane.programs import APISERVER, ETCD, KUBECTL, MODULES, SERVERS, cache
from e2e.audit_log import OPERATOR_USER

LocalCluster = Callable[..., AbstractContextManager[KindCluster]]

OTHERS_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: production
  cluster: {server: "https://192.0.2.1:6443"}
"""


@pytest.fixture(autouse=True)
def _only_on_the_local_control_plane(backend: Backend) -> None:
    if backend.name != "local":
        pytest.skip("the chosen cluster is not a local control plane")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home directory with a kubeconfig that is dear to its owner."""
    home = tmp_path_factory.mktemp("home")
    (home / ".kube").mkdir()
    (home / ".kube" / "config").write_text(OTHERS_KUBECONFIG)
    return home


@pytest.fixture(scope="module")
def second(local_cluster: LocalCluster, home: Path) -> Iterator[KindCluster]:
    """Return a cluster beside `kind_cluster`, with an audit log and 2 nodes, made by a user who has a kubeconfig."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PODGROUP_CACHE", str(cache()))
            patch.setenv("HOME", str(home))
            patch.setenv("KUBECONFIG", str(home / ".kube" / "config"))
            cluster = stack.enter_context(local_cluster("second", "--nodes=2", "--audit=Metadata"))
        yield cluster


def kind(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run kind's command line for the local control plane."""
    command = [sys.executable, "-m", "controlplane", *arguments]
    env = {**os.environ, "PYTHONPATH": str(MODULES), **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603 -- ours


@contextmanager
def half_started(name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a `create cluster` that has started the API server and waits for it; wait for its end afterwards."""
    command = [sys.executable, "-m", "controlplane", "create", "cluster", f"--name={name}"]
    env = {**os.environ, "PYTHONPATH": str(MODULES)}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as create:  # noqa: S603 -- ours
        wait_for(lambda: APISERVER.name in processes.running(directory_of(name)), "the API server's process")
        yield create


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Return when the condition holds; fail the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.01)


def all_listening() -> dict[str, tuple[str, int]]:
    """Return the TCP sockets of the machine that are listened on: /proc's name of each, its address and port."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A":
                address, port = local.split(":")
                found[f"socket:[{inode}]"] = (address, int(port, 16))
    return found


def listening(directory: Path) -> dict[str, tuple[str, int]]:
    """Return those of them on which the cluster's processes listen."""
    handles = {
        str(handle.readlink())
        for pid in processes.running(directory).values()
        for handle in Path(f"/proc/{pid}/fd").iterdir()
    }
    return {socket: address for socket, address in all_listening().items() if socket in handles}


def names(cluster: KindCluster, kind: str) -> list[str]:
    """Return the names of all objects of that kind."""
    return str(cluster.kubectl("get", kind, "--output=name", "--all-namespaces")).split()


def test_two_clusters_do_not_disturb_each_other(kind_cluster: KindCluster, second: KindCluster) -> None:
    """What is created in one cluster is not in the other, and each has its own nodes."""
    second.kubectl("create", "namespace", "only-here")
    assert "namespace/only-here" in names(second, "namespaces")
    assert "namespace/only-here" not in names(kind_cluster, "namespaces")
    assert names(second, "nodes") == ["node/node-0", "node/node-1"]
    assert set(names(kind_cluster, "nodes")) > set(names(second, "nodes"))


def test_only_loopback_is_listened_on(second: KindCluster) -> None:
    """A cluster has 5 ports, all on 127.0.0.1: two of etcd, one each of API server, controllers and scheduler."""
    sockets = listening(directory_of(second.name))
    assert {address for address, _ in sockets.values()} == {"0100007F"}
    assert len(sockets) == 5


def test_the_users_kubeconfig_is_untouched(second: KindCluster, home: Path) -> None:
    """Creating a cluster neither changes the user's kubeconfig nor puts anything into the home directory."""
    assert (home / ".kube" / "config").read_text() == OTHERS_KUBECONFIG
    assert [str(path.relative_to(home)) for path in home.rglob("*")] == [".kube", ".kube/config"]


def test_a_kubeconfig_of_another_cluster_is_not_overwritten(tmp_path: Path) -> None:
    """Asked to write into a kubeconfig that knows another cluster, `create` refuses before it starts anything."""
    target = tmp_path / "config"
    target.write_text(OTHERS_KUBECONFIG)
    refused = kind("create", "cluster", "--name=refused", f"--kubeconfig={target}")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"{target} holds another cluster's kubeconfig and stays as it is; name another file with --kubeconfig.\n"
    )
    assert target.read_text() == OTHERS_KUBECONFIG
    assert not directory_of("refused").exists()


def test_the_audit_log_has_every_request(second: KindCluster) -> None:
    """With --audit a request is in the log when it has been answered."""
    second.kubectl("create", "configmap", "audited", "--namespace=default")
    log = directory_of(second.name) / AUDIT_LOG
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    seen = [(entry["verb"], entry["user"]["username"]) for entry in entries if is_create_of(entry, "audited")]
    assert seen == [("create", "kubernetes-admin")]


@pytest.mark.usefixtures("operator")
def test_the_audit_log_can_be_of_one_user(kind_cluster: KindCluster) -> None:
    """With PODGROUP_AUDIT_USER, here the operator's, what others ask for is not in the log."""
    kind_cluster.kubectl("get", "namespaces")
    entries = [json.loads(line) for line in (directory_of(kind_cluster.name) / AUDIT_LOG).read_text().splitlines()]
    assert {entry["user"]["username"] for entry in entries} == {OPERATOR_USER}
    assert {entry["level"] for entry in entries} == {"Metadata"}


def is_create_of(entry: dict[str, Any], name: str) -> bool:
    """Whether an audit entry is about the answered creation of an object with that name."""
    return bool(entry.get("objectRef", {}).get("name") == name and entry["stage"] == "ResponseComplete")


def test_a_pod_becomes_ready_and_is_gone_after_its_deletion(second: KindCluster) -> None:
    """A pod runs at once; deleted gracefully it is Terminating for as long as its template says, then it is gone."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "annotations": {"pod-delete.stage.kwok.x-k8s.io/delay": "500ms"}},
        "spec": {"containers": [{"name": "web", "image": "busybox"}]},
    }
    second.kubectl("create", "--filename=-", input=json.dumps(pod))
    second.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s")
    second.kubectl("delete", "pod/web", "--wait=false")
    assert second.kubectl("get", "pod/web", "--output=jsonpath={.metadata.deletionTimestamp}") != ""
    wait_for(lambda: "pod/web" not in names(second, "pods"), "the pod to be gone")


def test_a_status_that_a_test_sets_stays(second: KindCluster) -> None:
    """A pod set Failed through the status subresource stays Failed: nothing pretends it back to life."""
    second.kubectl("run", "broken", "--image=busybox")
    second.kubectl("wait", "--for=condition=Ready", "pod/broken", "--timeout=30s")
    failed = json.dumps({"status": {"phase": "Failed", "reason": "Evicted"}})
    second.kubectl("patch", "pod/broken", "--subresource=status", f"--patch={failed}")
    # Another pod that was made Ready afterwards shows that kwok has seen the change.
    second.kubectl("run", "later", "--image=busybox")
    second.kubectl("wait", "--for=condition=Ready", "pod/later", "--timeout=30s")
    assert second.kubectl("get", "pod/broken", "--output=jsonpath={.status.phase}") == "Failed"


def test_a_node_without_its_label_falls_silent(second: KindCluster) -> None:
    """A node that loses kwok's label ends no pod any more, and goes on where it was when the label is back."""
    on_node = json.dumps({"spec": {"nodeName": "node-1"}})
    second.kubectl("run", "stuck", "--image=busybox", f"--overrides={on_node}")
    second.kubectl("wait", "--for=condition=Ready", "pod/stuck", "--timeout=30s")
    second.kubectl("label", "node/node-1", "kwok.x-k8s.io/node-")
    second.kubectl("delete", "pod/stuck", "--wait=false")
    second.kubectl("run", "elsewhere", "--image=busybox", "--overrides", on_node.replace("node-1", "node-0"))
    second.kubectl("wait", "--for=condition=Ready", "pod/elsewhere", "--timeout=30s")
    assert "pod/stuck" in names(second, "pods")
    second.kubectl("label", "node/node-1", "kwok.x-k8s.io/node=fake")
    wait_for(lambda: "pod/stuck" not in names(second, "pods"), "the pod to be gone")


def test_a_running_cluster_is_found_again_but_not_with_other_options(second: KindCluster) -> None:
    """`create` takes a running cluster with the same options as it is, and refuses when the options differ."""
    before = processes.running(directory_of(second.name))
    create = ("create", "cluster", f"--name={second.name}", "--audit=Metadata")
    assert kind(*create, "--nodes=2").returncode == 0
    refused = kind(*create, "--nodes=4")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Cluster {second.name} runs already, with other options. Delete it first:")
    assert processes.running(directory_of(second.name)) == before


def test_delete_leaves_nothing(local_cluster: LocalCluster) -> None:
    """After `delete` there is no process, no file, no kubeconfig and no port of the cluster."""
    with local_cluster("deleted") as cluster:
        directory = directory_of(cluster.name)
        sockets = set(listening(directory))
        pids = processes.running(directory)
        assert set(pids) == {program.name for program in SERVERS}
        cluster.delete()
        assert processes.running(directory) == {}
        assert not directory.exists()
        assert not cluster.kubeconfig_path.exists()
        assert sockets.isdisjoint(all_listening())


def test_a_start_that_was_killed_half_way_is_cleared_away() -> None:
    """`delete` finds the processes of a `create` that was itself killed in the middle, and ends them."""
    name = own_name("e2e", "half")
    directory = directory_of(name)
    with half_started(name) as create:
        create.kill()
    assert set(processes.running(directory)) == {ETCD.name, APISERVER.name}
    assert name not in kind("get", "clusters").stdout.split()
    assert kind("delete", "cluster", f"--name={name}").returncode == 0
    assert processes.running(directory) == {}
    assert not directory.exists()


def test_an_interrupted_start_clears_up_itself() -> None:
    """`create` that is asked to end takes with it what it had started."""
    name = own_name("e2e", "interrupted")
    directory = directory_of(name)
    with half_started(name) as create:
        create.send_signal(signal.SIGTERM)
    assert create.returncode == 143
    assert processes.running(directory) == {}
    assert not directory.exists()


def test_a_program_that_does_not_start_is_named_with_its_last_words() -> None:
    """When the scheduler ends at once, the message says so and shows why, and nothing else is left running."""
    name = own_name("e2e", "broken")
    failed = kind("create", "cluster", f"--name={name}", "--kube-scheduler-arg=--no-such-flag")
    assert failed.returncode == 1
    first, *tail = failed.stderr.splitlines()
    assert first == "kube-scheduler ended while the cluster was starting. Its last words:"
    assert any("unknown flag: --no-such-flag" in line for line in tail)
    assert processes.running(directory_of(name)) == {}
    assert not directory_of(name).exists()


def test_a_given_cluster_is_used_and_never_deleted(
    kind_cluster: KindCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """For the cluster of KUBECONFIG pytest-kind gets a copy of the way to it, and only that copy is deleted."""
    monkeypatch.setenv("KUBECONFIG", str(kind_cluster.kubeconfig_path.resolve()))
    monkeypatch.delenv("PODGROUP_CLUSTER", raising=False)
    monkeypatch.chdir(tmp_path)
    backend = choose()
    assert backend.name == "existing"
    given = KindCluster("given", kind_path=backend.kind, kubectl_path=KUBECTL.path)
    given.create()
    given.kubectl("create", "namespace", "through-the-copy")
    given.delete()
    assert not given.kubeconfig_path.exists()
    monkeypatch.undo()
    assert "namespace/through-the-copy" in names(kind_cluster, "namespaces")

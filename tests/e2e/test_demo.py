"""`make demo` on a real cluster: it heals and says so, and whatever happens it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controlplane import cluster as local
from demo import story
from demo.cli import main
from e2e.demo_process import NAMESPACE, ROOT, ROW, operators, read_until, start
from e2e.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_kind import KindCluster

    from backend import Backend
    from demo.scene import Scene
    from e2e.operator_process import OperatorProcess

pytestmark = pytest.mark.timeout(240)  # garbage collection of a new kind alone may take Kubernetes a minute


@pytest.fixture(autouse=True)
def alone(operator_process: OperatorProcess) -> None:
    """The operator of the other tests serves all namespaces; here the demo's own has to do the work."""
    stop(operator_process)


def stop(operator_process: OperatorProcess) -> None:
    """Stop the operator of the other tests, if it runs."""
    if operator_process.runs:
        operator_process.stop()


def environment(cluster: KindCluster) -> dict[str, str]:
    """What a user would set to have the demo on this cluster, without pauses."""
    return {"KUBECONFIG": str(Path(cluster.kubeconfig_path).resolve()), "PODGROUP_DEMO_PACE": "0"}


def assert_nothing_is_left(cluster: KindCluster, output: str) -> None:
    """Neither the namespace that the output names nor an operator for it is there."""
    namespace = NAMESPACE.search(output)
    assert namespace, output
    eventually("", lambda: cluster.kubectl("get", "namespace", namespace[0], "--ignore-not-found"))
    assert operators(namespace[0]) == []


@pytest.fixture(scope="module")
def played(kind_cluster: KindCluster, operator_process: OperatorProcess) -> str:
    """What the demo prints when all goes well."""
    stop(operator_process)
    demo = start(environment(kind_cluster))
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    return output


def test_it_heals_and_prints_the_times(played: str) -> None:
    """Four pods were killed, and for each the operator noticed before it created before the pod was ready."""
    rows = ROW.findall(played)
    assert [row[0] for row in rows] == ["1", "0", "1", "2"]
    for _, killed, replacement, noticed, created, ready in rows:
        assert killed != replacement
        assert 0 < float(noticed) < float(created) <= float(ready)
    assert re.search(r"median.*\n.*worst", played)
    assert "4 pods killed, 4 healed" in played


def test_it_leaves_nothing_behind(kind_cluster: KindCluster, played: str) -> None:
    """Namespace and operator are gone when it ends."""
    assert_nothing_is_left(kind_cluster, played)


def test_a_pipe_gets_plain_lines(played: str) -> None:
    """No escape codes, no redrawn screen, and each command in one line, ready to be copied."""
    namespace = NAMESPACE.search(played)
    assert namespace
    commands = re.findall(r"^ +\$ (.*)$", played, re.MULTILINE)
    assert f"kubectl -n {namespace[0]} scale pgrp/web --replicas=5" in commands
    assert len(commands) == 8
    assert re.search(r"[\x1b\r]", played) is None


def test_it_stops_at_once_when_told_to_and_still_cleans_up(kind_cluster: KindCluster) -> None:
    """SIGTERM in the middle of the story: the exit code is a shell's for that signal, and nothing is left."""
    demo = start(environment(kind_cluster))
    begun = read_until(demo, "2. Kill one pod")
    demo.send_signal(signal.SIGTERM)
    rest, _ = demo.communicate()
    assert demo.returncode == 128 + signal.SIGTERM, begun + rest
    assert_nothing_is_left(kind_cluster, begun + rest)


def test_it_fails_with_a_sentence_when_nothing_can_heal(
    kind_cluster: KindCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no room for pods it does not claim success: it says what did not come true and shows why."""

    def without_room(scene: Scene) -> None:
        quota = {"metadata": {"name": "no-room"}, "spec": {"hard": {"pods": "0"}}}
        scene.api.core.create_namespaced_resource_quota(scene.namespace, quota)
        read = scene.api.core.read_namespaced_resource_quota
        eventually({"pods": "0"}, lambda: read("no-room", scene.namespace).status.hard)
        story.tell(scene)

    code = main(environment(kind_cluster), without_room, patience=3)
    output = capsys.readouterr().out
    assert code == 1
    assert "✗ The new PodGroup did not get its 3 pods within 3 s. Ready pods of the group: 0." in output
    assert "exceeded quota: no-room" in output
    assert re.search(r"podgroup\S+/web +0/3", output), "what kubectl shows"
    assert_nothing_is_left(kind_cluster, output)


def test_it_fails_with_a_sentence_when_the_operator_ends(
    kind_cluster: KindCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator that dies is told from one that is slow: nobody waits for the deadline."""

    def with_a_dead_operator(scene: Scene) -> None:
        story.create(scene)
        for process in operators(scene.namespace):
            os.kill(process, signal.SIGKILL)
        story.kill_one(scene)

    code = main(environment(kind_cluster), with_a_dead_operator, patience=60)
    output = capsys.readouterr().out
    assert code == 1
    assert "✗ The operator has ended, with exit code -9, although nobody stopped it." in output
    assert_nothing_is_left(kind_cluster, output)


def test_a_cluster_that_does_not_answer_is_told_in_a_sentence(
    tmp_path: Path, kind_cluster: KindCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: what is wrong, and where to look."""
    config = re.sub(r"server: .*", "server: https://127.0.0.1:1", Path(kind_cluster.kubeconfig_path).read_text())
    (tmp_path / "config").write_text(config)
    code = main({"KUBECONFIG": str(tmp_path / "config")})
    output = capsys.readouterr().out
    assert code == 1
    assert "✗ The API server does not answer: " in output
    assert "Check that the cluster of KUBECONFIG runs, or take another: make demo CLUSTER=local" in output


def test_the_crd_that_it_brought_goes_with_it(
    local_cluster: Callable[..., AbstractContextManager[KindCluster]], capsys: pytest.CaptureFixture[str]
) -> None:
    """On a cluster that knew no PodGroups the demo brings the CRD and removes it, unless somebody uses it by then."""

    def used_by_another(made: KindCluster, scene: Scene) -> None:
        story.create(scene)
        made.kubectl("apply", "--namespace=default", "--filename", str(ROOT / "deploy/demo/web.yaml"))

    with local_cluster("demo") as made:
        find = partial(made.kubectl, "get", "crd", "podgroups.selfheal.dev", "--ignore-not-found", "--output=name")
        assert main(environment(made), story.create) == 0
        assert find() == ""
        assert main(environment(made), partial(used_by_another, made)) == 0
        assert "The CRD stays: there are PodGroups of others." in capsys.readouterr().out
        assert find() != ""


def test_it_starts_and_removes_a_cluster_of_its_own(backend: Backend) -> None:
    """The whole story from nothing to nothing, in less than a minute, and no cluster of the demo's is left."""
    if backend.name != "local":
        pytest.skip("needs the programs of the local control plane")
    demo = start({"CLUSTER": "local", "PODGROUP_DEMO_PACE": "0"})
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, output
    assert "Cluster: a local control plane, with pretended nodes (CLUSTER=local); to choose another: " in output
    assert not local.directory_of(f"demo-{demo.pid}").exists()

"""A cluster's life as pytest-kind sees it, and that nothing remains of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from controlplane.programs import KUBECTL
from e2e.waiting import wait_for
from kindnode.leftovers import KERNEL, NETWORK
from kindnode.programs import COMMAND

if TYPE_CHECKING:
    from kindnode.engine import Engine

SCRATCH = """
def test_node(kind_cluster):
    kind_cluster.kubectl("wait", "node", "--all", "--for=condition=Ready", "--timeout=120s")
    assert kind_cluster.kubectl("get", "nodes", "-o=jsonpath={.items[*].kind}") == "Node"
    kind_cluster.load_docker_image("podgroup-busybox:1")
"""


def belongings(engine: Engine, name: str) -> dict[str, object]:
    """What the machine has of the cluster with that name; and, if it was the only one, of any."""
    mine = f"label=io.x-k8s.kind.cluster={name}"
    found: dict[str, object] = {
        "containers": engine.ask("ps", "--all", "--quiet", f"--filter={mine}"),
        "volumes": engine.ask("volume", "ls", "--quiet", "--filter=dangling=true"),
    }
    if engine.ask("ps", "--all", "--quiet") == "":
        found["networks"] = engine.ask("network", "ls", "--quiet", f"--filter=name=^{NETWORK}$")
    return found


NOTHING = {"", None}


def test_pytest_kinds_own_fixture(engine: Engine, tmp_path: Path) -> None:
    """pytest-kind's unmodified `kind_cluster` creates a cluster, loads an image, and deletes it without a trace."""
    name = f"fixture-{os.getpid()}"
    (tmp_path / "test_scratch.py").write_text(SCRATCH)
    kernel = [Path("/proc/sys", setting).read_text() for setting in KERNEL]
    options = [f"--cluster-name={name}", f"--kind-bin={COMMAND}", f"--kind-kubectl-bin={KUBECTL.path}"]
    alone = not engine.ask("ps", "--all", "--quiet")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--noconftest",
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
        *options,
    ]
    subprocess.run([*command, "test_scratch.py"], cwd=tmp_path, check=True)  # noqa: S603 -- our own program
    assert set(belongings(engine, name).values()) <= NOTHING
    if alone:
        assert kernel == [Path("/proc/sys", setting).read_text() for setting in KERNEL]


def test_a_create_that_is_cut_short_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    """SIGTERM while the node starts ends `create` and everything it had started."""
    name = f"cut-{os.getpid()}"
    command = [str(COMMAND), "create", "cluster", f"--name={name}", f"--kubeconfig={tmp_path / 'kubeconfig'}"]
    with subprocess.Popen(command) as create:  # noqa: S603 -- our own program
        wait_for("the node", lambda: belongings(engine, name)["containers"] or None, 120.0)
        create.send_signal(signal.SIGTERM)
    assert create.returncode == 143
    assert set(belongings(engine, name).values()) <= NOTHING


def test_a_create_that_fails_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    """When the node image is no node, kind gives up with its own message, and nothing is left."""
    name = f"bad-{os.getpid()}"
    flags = [
        f"--name={name}",
        f"--kubeconfig={tmp_path / 'kubeconfig'}",
        "--image=docker.io/library/podgroup-busybox:1",
    ]
    create = subprocess.run([COMMAND, "create", "cluster", *flags], capture_output=True, text=True, check=False)  # noqa: S603 -- our own program
    assert create.returncode == 1
    assert "ERROR: failed to create cluster" in create.stderr
    assert set(belongings(engine, name).values()) <= NOTHING


def test_an_unknown_image_is_named(engine: Engine) -> None:
    """Loading an image that does not exist says so."""
    load = subprocess.run([COMMAND, "load", "docker-image", "no-such:1"], capture_output=True, text=True, check=False)  # noqa: S603 -- our own program
    assert load.returncode == 1
    assert 'image: "no-such:1" not present locally' in load.stderr

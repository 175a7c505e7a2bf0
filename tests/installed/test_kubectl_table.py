"""The rows of the README's table for kubectl that need containers; the others are in tests/e2e."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.kubectl_table import table
from e2e.terminal import Terminal
from installed.shell import readme

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("installed")

ROWS = table()
BEFORE = readme()["pod-and-template"]

TALKS = """
trap 'exit 0' TERM
httpd -p 8080 -h /etc
while echo "$HOSTNAME is here"; do sleep 1 & wait $!; done
"""


@pytest.fixture
def pods(shop: Namespace) -> list[Pod]:
    """A group whose two pods serve /etc and say every second that they are there."""
    container = {"name": "web", "image": "busybox:1.37", "command": ["sh", "-c", TALKS]}
    return shop.start_group(replicas=2, template={"spec": {"containers": [container]}})


@pytest.fixture
def terminal(kind_cluster: KindCluster, shop: Namespace, tmp_path: Path) -> Terminal:
    """A terminal in the test's namespace."""
    return Terminal(kind_cluster, shop, tmp_path)


def type_row(terminal: Terminal, verb: str) -> str:
    """Type a row's command and return what it prints."""
    return terminal.type(f"{BEFORE}\n{ROWS[verb]}")


def test_logs(terminal: Terminal, pods: list[Pod]) -> None:
    """The lines of all pods, each with its pod's name."""
    said = type_row(terminal, "logs")
    assert all(f"[pod/{pod.name}/web] {pod.name} is here" in said for pod in pods)


def test_exec(terminal: Terminal, pods: list[Pod]) -> None:
    """It runs in one of the pods, also by way of a Service."""
    assert type_row(terminal, "exec").strip() in {pod.name for pod in pods}
    type_row(terminal, "expose")
    assert terminal.type(ROWS["exec"].replace("$pod", "svc/web")).strip() in {pod.name for pod in pods}


def test_attach(terminal: Terminal, pods: list[Pod]) -> None:
    """What one of the pods prints from now on is shown, until somebody stops it."""
    said = terminal.type(f"{BEFORE}\ntimeout 4 {ROWS['attach']} || [ $? = 124 ]")
    assert any(f"{pod.name} is here" in said for pod in pods)


FETCH = """
trap "kill $!" EXIT
until grep -q 'from 127.0.0.1' forwarded; do sleep 0.1; done
exec 3<> /dev/tcp/127.0.0.1/$(sed -n 's/.*from 127.0.0.1:\\([0-9]*\\) .*/\\1/p' forwarded)
printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' >&3
cat <&3
"""


@pytest.mark.parametrize("what", ["$pod :8080", "svc/web :80"])
def test_port_forward(terminal: Terminal, pods: list[Pod], what: str) -> None:
    """A port of this machine is one of a pod's, also by way of a Service; here any that is free."""
    assert ROWS["port-forward"] == "kubectl port-forward $pod 8080"
    type_row(terminal, "expose")
    said = terminal.type(f"{BEFORE}\nkubectl port-forward {what} > forwarded &\n{FETCH}")
    assert any(pod.name in said for pod in pods)


def test_cp(terminal: Terminal, pods: list[Pod], tmp_path: Path) -> None:
    """A file of a pod is here."""
    type_row(terminal, "cp")
    assert (tmp_path / "hostname").read_text().strip() in {pod.name for pod in pods}


WHERE = """
kubectl get pods -o jsonpath='{range .items[*]}{.metadata.name} {.spec.ephemeralContainers[*].name}{"\\n"}{end}'
"""


def test_debug(terminal: Terminal, pods: list[Pod]) -> None:
    """Another container runs in one of the pods.

    What it prints is in its log in any case: kubectl shows nothing of what has ended just when it attaches.
    """
    type_row(terminal, "debug")
    (found,) = [line.split() for line in terminal.type(WHERE).splitlines() if len(line.split()) > 1]
    assert found[0] in {pod.name for pod in pods}
    assert terminal.type(f"kubectl logs {found[0]} -c {found[1]}").strip() == found[0]

"""The stage: cluster, PodGroup CRD, namespace and operator, put up in this order and taken down in the opposite one.

Each is a context manager, so however the demo ends (well, with an error, by Ctrl-C or SIGTERM) what was put up is
taken down and nothing else is: the user's own cluster keeps its CRD if it had it, or if somebody uses it by now.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from controlplane import cluster
from controlplane.build import build
from controlplane.options import Options
from controlplane.programs import KUBECTL
from demo.api import Api, read_manifest
from demo.trouble import Trouble

ROOT = Path(__file__).resolve().parents[2]
CRD = ROOT / "crds" / "podgroups.yaml"

SET_UP_SECONDS = 30
TAKE_DOWN_SECONDS = 90
STOP_SECONDS = 10
POLL_SECONDS = 0.05

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story is played."""

    api: Api
    kubeconfig: str
    namespace: str
    operator: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raise Trouble if the operator has ended."""
        code = self.operator.poll()
        if code is not None:
            message = f"The operator has ended, with exit code {code}, although nobody stopped it."
            raise Trouble(message)

    def await_operator(self) -> None:
        """Wait until the operator says that it is ready, at the port that its log names.

        Raises:
            Trouble: it has ended, or it is not ready in time.
        """

        def ready() -> bool:
            self.check()
            port = re.search(r"http on port (\d+)", self.log.read_text(errors="replace"))
            return port is not None and is_ready(int(port[1]))

        await_that(ready, SET_UP_SECONDS, "The operator is not ready")


@contextmanager
def stage(given: str, say: Say, before_take_down: Callable[[], None]) -> Iterator[Stage]:
    """Put up everything; take it down at the end.

    Args:
        given: the kubeconfig of the cluster to use; "" for a cluster of our own.
        say: told what is being done.
        before_take_down: called when the play is over, however it ended.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="podgroup-demo-")))
        kubeconfig = given or stack.enter_context(own_cluster(say))
        api = stack.enter_context(closing(Api(kubeconfig)))
        namespace = f"podgroup-demo-{secrets.token_hex(2)}"
        log = folder / "operator.log"
        say(f"Cluster: Kubernetes {api.version()} at {api.server}")
        stack.enter_context(crd(api, say, tidy=bool(given)))
        stack.enter_context(own_namespace(api, namespace, say, tidy=bool(given)))
        operator = stack.enter_context(running_operator(kubeconfig, namespace, log))
        say(f"Operator: process {operator.pid}, for this namespace only")
        stack.callback(before_take_down)
        yield Stage(api, kubeconfig, namespace, operator, log)


@contextmanager
def own_cluster(say: Say) -> Iterator[str]:
    """Start a local control plane under a name of its own; its programs are built first, if they are not yet.

    Raises:
        ControlPlaneError: Go is missing, or a program did not start.
    """
    delete_clusters_of_dead_demos()
    name = f"demo-{os.getpid()}"
    try:
        build()
        say("Cluster: a local control plane with pretended nodes is started ...")
        kubeconfig = cluster.create(name, Options(crds=[str(CRD)])) / "admin.kubeconfig"
        say(f"To look on from another terminal: export KUBECONFIG={kubeconfig}")
        if shutil.which("kubectl") is None:
            say(f"There is no kubectl on PATH; one is here: {KUBECTL.path}")
        yield str(kubeconfig)
    finally:
        cluster.delete(name)


def delete_clusters_of_dead_demos() -> None:
    """End what a demo left that was killed before it could clean up."""
    for name in cluster.running_clusters():
        demo = re.fullmatch(r"demo-(\d+)", name)
        if demo and not Path("/proc", demo[1]).exists():
            cluster.delete(name)


@contextmanager
def crd(api: Api, say: Say, *, tidy: bool) -> Iterator[None]:
    """Make PodGroups known to the cluster, unless they are; tidy up by forgetting them again if that harms nobody."""
    if api.has_crd():
        say("CRD: podgroups.selfheal.dev is there already")
        yield
        return
    try:
        api.create_crd(read_manifest(CRD))
        await_that(
            api.serves_podgroups, SET_UP_SECONDS, "The API server does not serve PodGroups after the CRD was created"
        )
        say("CRD: podgroups.selfheal.dev from crds/podgroups.yaml")
        yield
    finally:
        if tidy:
            remove_crd(api, say)


def remove_crd(api: Api, say: Say) -> None:
    """Remove the CRD that we put up, unless somebody uses it by now."""
    if api.has_crd() and api.podgroups():
        say("The CRD stays: there are PodGroups of others.")
    elif api.has_crd():
        api.delete_crd()
        await_that(lambda: not api.has_crd(), TAKE_DOWN_SECONDS, "The CRD was deleted and is still there")
        say("The CRD is removed.")


@contextmanager
def own_namespace(api: Api, name: str, say: Say, *, tidy: bool) -> Iterator[None]:
    """Make a namespace that pods can be made in; tidy up by deleting it, unless the whole cluster goes."""
    try:
        api.create_namespace(name)
        await_that(lambda: api.has_service_account(name), SET_UP_SECONDS, f"Namespace {name} gets no ServiceAccount")
        say(f"Namespace: {name}")
        yield
    finally:
        if tidy and api.has_namespace(name):
            api.delete_namespace(name)
            still = f"Namespace {name} was deleted and is still there; why is in: kubectl get namespace {name} -o yaml"
            await_that(lambda: not api.has_namespace(name), TAKE_DOWN_SECONDS, still)
            say(f"Namespace {name} is gone.")


@contextmanager
def running_operator(kubeconfig: str, namespace: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the operator of this working copy, away from the terminal's Ctrl-C: it is we who stop it."""
    command = [sys.executable, "-m", "podgroup_operator", "run", f"--kubeconfig={kubeconfig}"]
    command += [f"--namespace={namespace}", "--http=127.0.0.1:0", "--no-leader-elect"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_ready(port: int) -> bool:
    """Ask an operator on this machine whether it is ready to work."""
    connection = HTTPConnection("127.0.0.1", port, timeout=STOP_SECONDS)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    return False


def await_that(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Ask again and again until it holds.

    Raises:
        Trouble: it did not within the time; `otherwise` is the sentence.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            message = f"{otherwise} (waited {seconds:.0f} s)."
            raise Trouble(message)
        time.sleep(POLL_SECONDS)

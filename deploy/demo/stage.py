"""The stage: cluster, PodGroup CRD, namespace and operator, put up in this order and taken down in the opposite one.

Each is a context manager, so however the demo ends (well, with an error, by Ctrl-C or SIGTERM) what was put up is
taken down and nothing else is: the user's own cluster keeps its CRD if it had it, or if somebody uses it by now.
"""

import os
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from backend import choose
from controlplane.programs import any_kubectl
from demo.api import Api, read_manifest
from demo.cluster import CRD, Cluster, Say, local_cluster
from demo.kind import kind_cluster
from demo.operator_process import is_ready, running_operator
from demo.trouble import Trouble
from demo.wait import await_that

SET_UP_SECONDS = 30
TAKE_DOWN_SECONDS = 90
KUBECTL_SECONDS = 15

WISH = "CLUSTER"
"""The variable that asks for a certain cluster: one of `backend.CHOICES`."""

LOG = "operator.log"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story is played.

    Attributes:
        folder: for what must not outlive the demo.
    """

    api: Api
    cluster: Cluster
    namespace: str
    operator: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def log(self) -> Path:
        """What the operator writes."""
        return self.folder / LOG

    def kubectl(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run kubectl in the namespace, as a person would.

        Raises:
            Trouble: there is none, or it has no answer in time.
        """
        command = [str(any_kubectl()), f"--namespace={self.namespace}"]
        # KUBECONFIG may name several files, --kubeconfig only one; and else it would keep what it learns in the home.
        settings = {"KUBECONFIG": self.cluster.kubeconfig, "KUBECACHEDIR": str(self.folder / "kubectl")}
        try:
            return subprocess.run(  # noqa: S603 - a program that we chose, with our own arguments
                [*command, *arguments],
                env={**os.environ, **settings},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=KUBECTL_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            message = "There is no kubectl on PATH."
        except subprocess.TimeoutExpired:
            message = f"kubectl {arguments[0]} had no answer after {KUBECTL_SECONDS} s."
        raise Trouble(message)

    def check(self) -> None:
        """Raise Trouble if the operator has ended."""
        code = self.operator.poll()
        if code is not None:
            last = self.log.read_text(errors="replace").rstrip().rpartition("\n")[2]
            message = f"The operator has ended, with exit code {code}, although nobody stopped it. It said last: {last}"
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
def stage(environment: Mapping[str, str], say: Say, before_take_down: Callable[[], None]) -> Iterator[Stage]:
    """Put up everything; take it down at the end.

    Args:
        environment: its CLUSTER, KUBECONFIG and PATH choose the cluster.
        say: told what is being done.
        before_take_down: called when the play is over, however it ended.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="podgroup-demo-")))
        cluster = stack.enter_context(chosen_cluster(environment, folder, say))
        api = stack.enter_context(closing(Api(cluster.kubeconfig)))
        namespace = f"podgroup-demo-{secrets.token_hex(2)}"
        say(f"Kubernetes {api.version()} at {api.server}")
        stack.enter_context(crd(api, say, tidy=not cluster.ours))
        stack.enter_context(own_namespace(api, namespace, say, tidy=not cluster.ours))
        operator = stack.enter_context(running_operator(cluster.kubeconfig, namespace, folder / LOG))
        say(f"Operator: process {operator.pid}, for this namespace only")
        stack.callback(before_take_down)
        yield Stage(api, cluster, namespace, operator, folder)


def chosen_cluster(environment: Mapping[str, str], folder: Path, say: Say) -> AbstractContextManager[Cluster]:
    """Return the cluster that CLUSTER asks for, or else the quickest at hand, and say which that is.

    Raises:
        ControlPlaneError: CLUSTER asks for what is not there, or what a cluster of our own takes is missing.
        Trouble: the cluster does not start.
    """
    backend = choose(environment, variable=WISH)
    say(f"Cluster: {backend.explained('make demo', WISH)}")
    if backend.name == "kind":
        return kind_cluster(backend, folder, say)
    if backend.name == "local":
        return local_cluster(backend, say)
    return nullcontext(Cluster(environment.get("KUBECONFIG") or str(Path.home() / ".kube/config")))


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

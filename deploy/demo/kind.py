"""A kind cluster of the demo's own, for real containers: made, given the demo's image, and removed without a trace."""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backend import Backend
from controlplane.abandoned import abandoned, own_name
from demo.cluster import PATIENT_SECONDS, RUN, Cluster, Say, show_the_way
from demo.manifests import ON_KIND
from demo.trouble import Trouble
from kindnode.busybox import build_busybox_image

NODE_READY = "2m"
"""How long kind waits for its node; a pod that is made earlier would wait for it too, and spoil the times."""

END_SECONDS = 60
"""How long kind may take to end when told to; ours removes what it has begun."""

ERROR_LINES = 20

INSTEAD = "Without kind, and without real containers: make demo CLUSTER=local"


@contextmanager
def kind_cluster(backend: Backend, folder: Path, say: Say) -> Iterator[Cluster]:
    """Make a kind cluster under a name of its own; what that takes is built first, if it is not yet.

    Raises:
        ControlPlaneError: something that it takes cannot be built.
        Trouble: kind failed.
    """
    backend.prepare(kubectl=False)
    kind = Kind(backend.kind, folder / "kubeconfig")
    for dead in abandoned(kind.clusters(), RUN):
        kind.delete(dead)
    say("kind is started; it takes about half a minute, and longer where its node image has to be pulled ...")
    try:
        kind.create(own_name(RUN), say)
        if backend.engine:
            kind.load(own_name(RUN), build_busybox_image(backend.engine))
        show_the_way(kind.kubeconfig, say)
        yield Cluster(str(kind.kubeconfig), ours=True, manifests=ON_KIND, patience=PATIENT_SECONDS)
    finally:
        kind.delete(own_name(RUN))


class Kind:
    """kind's command line.

    Args:
        program: whatever understands it.
        kubeconfig: the file for the way to the cluster; the user's own is not touched.
    """

    def __init__(self, program: Path, kubeconfig: Path) -> None:
        self._program = program
        self.kubeconfig = kubeconfig

    def clusters(self) -> list[str]:
        """List the clusters that there are."""
        return self._do("get", "clusters").split()

    def create(self, name: str, say: Say) -> None:
        """Create a cluster and wait for its node, telling each thing that is done.

        When we are told to end meanwhile, kind is told so and ends first: else it would go on creating behind our back.
        """
        command = [str(self._program), "create", "cluster", f"--name={name}", f"--kubeconfig={self.kubeconfig}"]
        with subprocess.Popen(  # noqa: S603 - kind, with our own arguments
            [*command, f"--wait={NODE_READY}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # a terminal's Ctrl-C is for us alone
        ) as process:
            try:
                last = _follow(process.stderr or (), say)
                code = process.wait()
            except BaseException:  # above all KeyboardInterrupt and SystemExit: whatever ends us must end kind too
                _end(process)
                raise
        if code:
            message = f"kind could not create a cluster; it ended with code {code} and these words:\n{last}\n{INSTEAD}"
            raise Trouble(message)

    def load(self, name: str, image: str) -> None:
        """Load an image into a cluster."""
        self._do("load", "docker-image", image, f"--name={name}")

    def delete(self, name: str) -> None:
        """Delete a cluster, if it is there."""
        self._do("delete", "cluster", f"--name={name}", f"--kubeconfig={self.kubeconfig}")

    def _do(self, *arguments: str) -> str:
        """Run a command to its end and return what it prints.

        Raises:
            Trouble: it failed.
        """
        command = [str(self._program), *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - as above
        if answer.returncode:
            message = f"`{' '.join(command)}` ended with code {answer.returncode}:\n{answer.stderr.strip()}"
            raise Trouble(message)
        return answer.stdout


def _follow(lines: Iterable[str], say: Say) -> str:
    """Tell what is done as soon as it is; return the last lines."""
    last = deque[str](maxlen=ERROR_LINES)
    for line in lines:
        last.append(line.rstrip())
        if line.startswith(" ✓"):
            say(f" {line.rstrip()}")
    return "\n".join(last)


def _end(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)

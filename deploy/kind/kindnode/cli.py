"""kind's own command line, with podman and our node image put in place.

The real kind does the work. Added are: the node image, built when a cluster needs it and passed to `create cluster`;
an end to what a cut-short create or a delete leaves behind; and what kind does not have: `build` for the two images
that are loaded into a cluster, and `create kwok-nodes`.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from controlplane.build import build
from controlplane.errors import ControlPlaneError
from kindnode import kwok, podman
from kindnode.busybox import build_busybox_image
from kindnode.leftovers import creating, remove_leftovers
from kindnode.node import build_node
from kindnode.operator_image import build_operator_image
from kindnode.programs import KIND

KERNEL_MODULES = Path("/lib/modules")
"""kind shows it to its nodes, and podman does not start without it; a machine without modules may lack it."""

IMAGES: dict[str, Callable[[], str]] = {
    "node-image": build_node,
    "operator-image": lambda: build_operator_image(podman.engine()),
    "busybox-image": lambda: build_busybox_image(podman.engine()),
}
"""What `build` can make."""

PATIENCE_SECONDS = 10
"""How long kind may take to end when told to."""


def main(arguments: list[str]) -> int:
    """Run one of kind's commands and return the exit code: kind's own, or 1 after a sentence on standard error."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a cut-short create clears up
    try:
        return _run(arguments)
    except ControlPlaneError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130


def _run(arguments: list[str]) -> int:
    match arguments:
        case ["build", what] if what in IMAGES:
            sys.stdout.write(f"{IMAGES[what]()}\n")
            return 0
        case ["create", "kwok-nodes", *rest]:
            return _create_kwok_nodes(rest)
        case ["create", "cluster", *rest] if not {"-h", "--help"} & set(rest):
            return _create(arguments, _known(rest))
        case ["delete", "cluster" | "clusters", *rest]:
            return _delete(arguments, _known(rest))
        case _:
            build([KIND])
            return _kind(arguments)


def _known(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the flags that matter to us; kind reads them all again."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--name", "-n", default=os.environ.get("KIND_CLUSTER_NAME", "kind"))
    parser.add_argument("--image")
    parser.add_argument("--kubeconfig")
    parser.add_argument("--retain", action="store_true")
    return parser.parse_known_args(arguments)[0]


def _create(arguments: list[str], flags: argparse.Namespace) -> int:
    image = [] if flags.image else [f"--image={build_node()}"]
    KERNEL_MODULES.mkdir(parents=True, exist_ok=True)
    complete = False
    try:
        with creating():
            before = _clusters()
            code = _kind([*arguments, *image])
            complete = code == 0 or flags.retain or flags.name in before
    finally:
        if not complete:
            kubeconfig = [f"--kubeconfig={flags.kubeconfig}"] if flags.kubeconfig else []
            _kind(["delete", "cluster", f"--name={flags.name}", *kubeconfig])
            remove_leftovers()
    return code


def _delete(arguments: list[str], flags: argparse.Namespace) -> int:
    build([KIND])
    names = [flags.name] if arguments[1] == "cluster" else _clusters()
    for name in names:
        kwok.stop(name)
    try:
        return _kind(arguments)
    finally:
        remove_leftovers()


def _clusters() -> list[str]:
    answer = subprocess.run(  # noqa: S603 -- our own program
        [KIND.path, "get", "clusters"], env=podman.engine().environment, capture_output=True, text=True, check=False
    )
    return answer.stdout.split()


def _create_kwok_nodes(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="kind create kwok-nodes", description=kwok.__doc__)
    parser.add_argument("--name", default="kind", help="the cluster's name (default: %(default)s)")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the cluster's kubeconfig file")
    parser.add_argument("--nodes", type=int, default=3, help="how many (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    kwok.join(chosen.name, chosen.kubeconfig, chosen.nodes)
    return 0


def _kind(arguments: Sequence[str]) -> int:
    """Run the real kind; when we are interrupted it ends before we do, and all that it started."""
    command = [str(KIND.path), *arguments]
    with subprocess.Popen(command, env=podman.engine().environment, start_new_session=True) as kind:  # noqa: S603 -- ours
        try:
            return kind.wait()
        except BaseException:
            _end(kind)
            raise


def _end(kind: "subprocess.Popen[bytes]") -> None:
    os.killpg(kind.pid, signal.SIGTERM)
    try:
        kind.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(kind.pid, signal.SIGKILL)

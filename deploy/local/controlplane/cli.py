"""kind's command line, as far as pytest-kind uses it, for the local control plane.

The same words as kind has, so that its users need nothing new, plus `build`. What kind does with containers is
either done with processes or, like loading an image, has nothing to do and says so.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from controlplane import cluster, kubeconfig
from controlplane.build import build
from controlplane.components import AUDIT_LOG
from controlplane.errors import ControlPlaneError
from controlplane.options import Options
from controlplane.programs import KUBECTL, SERVERS, kubernetes_version

AUDIT_LEVELS = ("None", "Metadata", "Request", "RequestResponse")


Command = Callable[[argparse.Namespace], None]


def main(arguments: list[str] | None = None, commands: Mapping[str, Command] | None = None) -> int:
    """Run one command and return the exit code: 0, or 1 after a sentence on standard error.

    Args:
        arguments: The command line; by default the process's own.
        commands: What does the work, by the first word of the command; by default the local control plane.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a cut-short create clears up
    chosen = _parser().parse_args(arguments)
    try:
        (commands or LOCAL)[chosen.command](chosen)
    except ControlPlaneError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="kind", description="A local Kubernetes control plane with pretended nodes.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("build", help="compile the programs into the cache")
    create = _noun(commands, "create", "cluster", "start a cluster")
    _add_name(create)
    _add_options(create)
    _add_name(_noun(commands, "delete", "cluster", "stop a cluster and remove all it has"))
    _noun(commands, "get", "clusters", "list the running clusters")
    load = _noun(commands, "load", "docker-image", "nothing to do: pretended nodes run no image")
    load.add_argument("images", nargs="+", metavar="IMAGE")
    load.add_argument("--name")
    return top


def _noun(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", verb: str, noun: str, text: str
) -> argparse.ArgumentParser:
    """Add one of kind's commands of two words."""
    nouns = commands.add_parser(verb, help=f"{verb} {noun}: {text}").add_subparsers(required=True, metavar=noun)
    return nouns.add_parser(noun, help=text, description=text)


def _add_name(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", default="podgroup", help="the cluster's name (default: %(default)s)")
    command.add_argument("--kubeconfig", type=Path, help="the file for the cluster's kubeconfig; no other is touched")


def _add_options(command: argparse.ArgumentParser) -> None:
    default = Options()
    command.add_argument("--image", help="accepted for kind's sake and ignored: there are no containers")
    command.add_argument(
        "--config", action=_ConfigFile, metavar="FILE", help="a file with more of these flags, one a line"
    )
    command.add_argument("--nodes", type=int, default=default.nodes, help="pretended nodes (default: %(default)s)")
    command.add_argument("--pods-per-node", type=int, default=default.pods_per_node, help="default: %(default)s")
    # pytest-kind's fixture passes no options of its own: its user is asked for through the environment.
    user = os.environ.get("PODGROUP_AUDIT_USER", default.audit_user)
    level = "Metadata" if user else default.audit
    command.add_argument("--audit", choices=AUDIT_LEVELS, default=level, help=f"fill {AUDIT_LOG} (default: {level})")
    command.add_argument("--audit-user", default=user, metavar="NAME", help="with the requests of this user only")
    command.add_argument("--fsync", action="store_true", help="let etcd wait for the disk, as it does in production")
    command.add_argument(
        "--crd", action="append", default=[], metavar="FILE", help="install this CRD before the controllers start"
    )
    for program in SERVERS:
        flag, example = f"--{program.name}-arg", "--v=4"
        command.add_argument(
            flag, action="append", default=[], metavar=example, help=f"one more argument of {program.name}"
        )


class _ConfigFile(argparse.Action):
    """Reads flags from a file, one a line, as if they stood on the command line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,  # noqa: ARG002 -- argparse's interface
    ) -> None:
        lines = Path(str(values)).read_text().splitlines()
        parser.parse_args([line.strip() for line in lines if line.strip()], namespace)


def _options(chosen: argparse.Namespace) -> Options:
    extra = {program.name: getattr(chosen, f"{program.name}_arg".replace("-", "_")) for program in SERVERS}
    return Options(
        nodes=chosen.nodes,
        pods_per_node=chosen.pods_per_node,
        audit=chosen.audit,
        audit_user=chosen.audit_user,
        fsync=chosen.fsync,
        crds=chosen.crd,
        arguments={name: values for name, values in extra.items() if values},
    )


def _build(_: argparse.Namespace) -> None:
    build()
    say(f"Kubernetes {kubernetes_version()} is built: {KUBECTL.path.parent}")


def _create(chosen: argparse.Namespace) -> None:
    options = _options(chosen)
    if chosen.kubeconfig:
        kubeconfig.check_ours(chosen.name, chosen.kubeconfig)
    build()
    say(f"Starting Kubernetes {kubernetes_version()} with {options.nodes} pretended nodes as cluster {chosen.name} ...")
    started = time.monotonic()
    directory = cluster.create(chosen.name, options)
    target = chosen.kubeconfig or directory / "admin.kubeconfig"
    if chosen.kubeconfig:
        kubeconfig.export(directory, target)
    say(f"Ready after {time.monotonic() - started:.1f} s. Its logs and data: {directory}")
    if shutil.which("kubectl") is None:
        say(f"A kubectl for it: {KUBECTL.path}")
    say(f"export KUBECONFIG={target.resolve()}")


def _delete(chosen: argparse.Namespace) -> None:
    cluster.delete(chosen.name)
    if chosen.kubeconfig:
        kubeconfig.remove(chosen.name, chosen.kubeconfig)
    say(f"Cluster {chosen.name} is gone.")


def _get(_: argparse.Namespace) -> None:
    for name in cluster.running_clusters():
        say(name)


def _load(chosen: argparse.Namespace) -> None:
    say(f"Nothing to load: the nodes of a local cluster are pretended and run no image ({', '.join(chosen.images)}).")


def say(line: str) -> None:
    """Tell the user."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


LOCAL: dict[str, Command] = {"build": _build, "create": _create, "delete": _delete, "get": _get, "load": _load}
"""What each command does for the local control plane."""

"""The configuration of one run, read once at the start from the command line and the environment.

Each option has an environment variable of the same name in capitals with the prefix PODGROUP_, for use in a
Deployment. Only `login.py`, which has to find the API server as every client does, reads the environment too.
"""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from podgroup_operator.core.names import GROUP

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("text", "json")
LAST_PORT = 65535
LARGEST = 1_000_000
ANNOTATION = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""The key of an annotation, near enough."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run was told.

    Attributes:
        namespaces: the namespaces to serve; empty means all.
        kubeconfig: path of a kubeconfig file; empty means in-cluster, or KUBECONFIG, or the default file.
        leader_elect: whether to act only while holding the Lease.
        lease_namespace: where the Lease is; empty means the operator's own, outside a cluster the kubeconfig's.
        http: address of /healthz, /readyz and /metrics, as `host:port` or `:port`.
        log_level: DEBUG, INFO, WARNING or ERROR.
        log_format: text, or json: an object in each line.
        pod_annotations: what each pod that is made gets besides its template's annotations, which win.
        pod_uid: of the pod that we run in; empty outside a pod. Only a pod knows it: there is no option for it.
        storm_percent: if so many per cent of the nodes are lost at once, at least two, no pod is moved for that.
        storm_cooldown: for how many seconds after that none is either.
    """

    namespaces: tuple[str, ...] = ()
    kubeconfig: str = ""
    leader_elect: bool = True
    lease_namespace: str = ""
    http: str = ":8080"
    log_level: str = "INFO"
    log_format: str = "text"
    pod_annotations: Mapping[str, str] = field(default_factory=dict)
    pod_uid: str = ""
    storm_percent: int = 55
    storm_cooldown: int = 60


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="podgroup-operator",
        description="Keeps the pods of PodGroups (podgroups.selfheal.dev) alive.",
        epilog="Every option of `run` can also be given as an environment variable, such as PODGROUP_LOG_LEVEL.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the operator until SIGTERM")
    run.add_argument("--namespace", action="append", default=[], metavar="NS", help="serve only this namespace")
    run.add_argument("--kubeconfig", metavar="F", help="kubeconfig file; default: in-cluster, then KUBECONFIG")
    run.add_argument(
        "--no-leader-elect", action="store_true", help="act without holding a Lease: for development, beside no other"
    )
    run.add_argument(
        "--lease-namespace",
        metavar="NS",
        help="where the Lease is; default: the operator's own namespace, outside a cluster the kubeconfig's",
    )
    run.add_argument("--http", metavar="ADDRESS", help="serve /healthz, /readyz, /metrics here (default :8080)")
    run.add_argument("--log-level", choices=LOG_LEVELS)
    run.add_argument("--log-format", choices=LOG_FORMATS, help="json: an object in each line (default text)")
    run.add_argument(
        "--storm-percent",
        metavar="N",
        help="if so many per cent of the nodes are lost at once, at least two, their pods are left (default 55)",
    )
    run.add_argument("--storm-cooldown", metavar="SECONDS", help="and for so long after that (default 60)")
    run.add_argument(
        "--pod-annotation",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an annotation for every pod that is made; the template's win; in the environment one on each line",
    )
    return top


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read the settings of `podgroup-operator run`; the command line wins over the environment."""
    top = parser()
    given = top.parse_args(arguments)
    listed = environment.get("PODGROUP_NAMESPACE", "")
    no_election = environment.get("PODGROUP_NO_LEADER_ELECT", "").lower() in {"1", "true", "yes"}
    http = given.http or environment.get("PODGROUP_HTTP") or ":8080"
    log_level = given.log_level or environment.get("PODGROUP_LOG_LEVEL") or "INFO"
    log_format = given.log_format or environment.get("PODGROUP_LOG_FORMAT") or "text"
    if not is_address(http):
        top.error(f"{http!r} is no address to listen on: write host:port or :port, such as 127.0.0.1:8080")
    annotations = given.pod_annotation or environment.get("PODGROUP_POD_ANNOTATION", "").splitlines()
    if wrong := next((each for each in annotations if not is_annotation(each)), ""):
        top.error(f"{wrong!r} is no annotation for pods: write key=value; the key may not begin with {GROUP}/")
    return Settings(
        namespaces=tuple(dict.fromkeys(given.namespace or filter(None, (part.strip() for part in listed.split(","))))),
        kubeconfig=given.kubeconfig or environment.get("PODGROUP_KUBECONFIG", ""),
        leader_elect=not (given.no_leader_elect or no_election),
        lease_namespace=given.lease_namespace or environment.get("PODGROUP_LEASE_NAMESPACE", ""),
        http=http,
        log_level=choice(top, "log level", log_level, LOG_LEVELS),
        log_format=choice(top, "log format", log_format, LOG_FORMATS),
        pod_annotations=as_mapping(annotations),
        pod_uid=environment.get("PODGROUP_POD_UID", ""),
        storm_percent=number(top, environment, "storm-percent", given.storm_percent, 55),
        storm_cooldown=number(top, environment, "storm-cooldown", given.storm_cooldown, 60),
    )


def choice(top: argparse.ArgumentParser, what: str, word: str, known: Sequence[str]) -> str:
    """Read one of some words; another one ends the program with a sentence."""
    if word not in known:
        top.error(f"{word!r} is no {what}: choose one of {', '.join(known)}")
    return word


def number(
    top: argparse.ArgumentParser, environment: Mapping[str, str], option: str, given: str | None, default: int
) -> int:
    """Read a whole number, 1 or more; what is none ends the program with a sentence."""
    text = given or environment.get(f"PODGROUP_{option.upper().replace('-', '_')}")
    if not text:
        return default
    if not text.isdecimal() or not 0 < int(text) < LARGEST:
        top.error(f"--{option}: {text!r} is no whole number, 1 or more")
    return int(text)


def is_annotation(text: str) -> bool:
    """Tell whether a text is key=value, the key one that pods may have from somebody else."""
    key, equals, _ = text.partition("=")
    return bool(equals and ANNOTATION.fullmatch(key)) and not key.startswith(f"{GROUP}/")


def as_mapping(annotations: Iterable[str]) -> dict[str, str]:
    """Give what stands before each first equals sign with what stands behind it."""
    return {key: value for key, _, value in (each.partition("=") for each in annotations)}


def is_address(text: str) -> bool:
    """Tell whether a text ends in a port."""
    port = text.rpartition(":")[2]
    return port.isdecimal() and int(port) <= LAST_PORT

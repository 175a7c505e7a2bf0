"""A cluster's life: created, listed, deleted.

Everything a cluster has is in one directory of the cache: keys, data, logs. `cluster.json` is written there last,
when all works; so a cluster counts as running when that file exists and all its programs live, and anything less is
a leftover that the next create or delete of that name clears away.
"""

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from controlplane import components, crds, nodes, processes
from controlplane.api import Api
from controlplane.credentials import write_credentials
from controlplane.errors import ControlPlaneError
from controlplane.options import Options
from controlplane.ports import LOOPBACK, reserved_ports
from controlplane.programs import APISERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER, SERVERS, Program, cache

START_SECONDS = 90
"""When a start is given up; it takes about 4 s, on a busy machine several times that."""

POLL_SECONDS = 0.05

DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
"""Without it the API server refuses pods."""

NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?")


def directory_of(name: str) -> Path:
    """Return the directory of the cluster with that name, whether it exists or not."""
    if not NAME.fullmatch(name):
        message = f"{name!r} cannot name a cluster: use small letters, digits, dots and dashes, at most 63 of them."
        raise ControlPlaneError(message)
    return cache() / "clusters" / name


def running_clusters() -> list[str]:
    """Return the names of the clusters that run."""
    return sorted(path.name for path in (cache() / "clusters").glob("*") if is_running(path.name))


def is_running(name: str) -> bool:
    """Whether the cluster was created completely and all its programs still run."""
    directory = directory_of(name)
    complete = (directory / "cluster.json").exists()
    return complete and len(processes.running(directory)) == len(SERVERS)


def create(name: str, options: Options) -> Path:
    """Start a cluster, or find it running with the same options, and return its directory.

    It returns when a pod created now would run: API server, controllers and scheduler work, nodes are Ready and the
    `default` ServiceAccount exists. If that fails, nothing is left.

    Raises:
        ControlPlaneError: A program did not start, or the cluster runs with other options.
    """
    directory = directory_of(name)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _claimed(directory):
        if is_running(name):
            _check_same(name, directory, options)
            return directory
        _clear(directory)
        try:
            _start(name, directory, options)
        except BaseException:
            processes.kill(directory)
            shutil.rmtree(directory)
            raise
    return directory


def delete(name: str) -> None:
    """Stop the cluster, whatever state it is in, and remove all it has; without one there is nothing to do."""
    directory = directory_of(name)
    if not directory.exists():
        processes.kill(directory)
        return
    with _claimed(directory):
        processes.kill(directory)
        shutil.rmtree(directory)


@contextmanager
def _claimed(directory: Path) -> Iterator[None]:
    """Keep others from creating or deleting the same cluster meanwhile."""
    claim = os.open(directory, os.O_RDONLY)
    try:
        _lock(claim, directory.name)
        yield
    finally:
        os.close(claim)


def _lock(claim: int, name: str) -> None:
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = f"Cluster {name} is being created or deleted by another process; try again when that is done."
        raise ControlPlaneError(message) from None


def _check_same(name: str, directory: Path, options: Options) -> None:
    if json.loads((directory / "cluster.json").read_text()) != asdict(options):
        message = f"Cluster {name} runs already, with other options. Delete it first: kind delete cluster --name={name}"
        raise ControlPlaneError(message)


def _clear(directory: Path) -> None:
    """Remove what an earlier cluster of this name left, but not the claimed directory itself."""
    processes.kill(directory)
    for leftover in directory.iterdir():
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _start(name: str, directory: Path, options: Options) -> None:
    with reserved_ports(len(components.PORTS)) as free:
        ports = dict(zip(components.PORTS, free, strict=True))
        write_credentials(directory, f"local-{name}", f"https://{LOOPBACK}:{ports[APISERVER.name]}")
        (directory / components.AUDIT_POLICY).write_text(components.audit_policy(options))
        lines = components.arguments(ports, options)
        wait = _Wait(directory)

        api = Api(directory, ports[APISERVER.name])
        for program in (ETCD, APISERVER):
            processes.start(program, lines[program], directory)
        wait.until("the API server to be ready", lambda: api.answers("/readyz"), [ETCD, APISERVER])

        for file in options.crds:
            served = crds.install(api, Path(file))
            wait.until(f"the resources of {file}", partial(api.answers, served), [ETCD, APISERVER])

        # Not earlier: they would be refused at first and then wait longer than this takes.
        for program in (CONTROLLER_MANAGER, SCHEDULER, KWOK):
            processes.start(program, lines[program], directory)
        for manifest in nodes.manifests(options):
            api.post("/api/v1/nodes", manifest)
        for program in (CONTROLLER_MANAGER, SCHEDULER):
            own = Api(directory, ports[program.name])
            wait.until(f"{program.name} to be healthy", partial(own.answers, "/healthz"), SERVERS)
        wait.until("the ServiceAccount `default`", lambda: api.answers(DEFAULT_ACCOUNT), SERVERS)
        wait.until("the nodes to be ready", lambda: _nodes_ready(api), SERVERS)
    (directory / "cluster.json").write_text(json.dumps(asdict(options)))


def _nodes_ready(api: Api) -> bool:
    answer = api.get("/api/v1/nodes")
    return answer is not None and all(nodes.is_ready(node) for node in answer["items"])


class _Wait:
    """Waits for one thing after the other until all of START_SECONDS are used up."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._deadline = time.monotonic() + START_SECONDS

    def until(self, what: str, holds: Callable[[], bool], alive: Sequence[Program]) -> None:
        """Return when it holds; raise when a program that must live does not, or when the time is up."""
        while not holds():
            processes.check_alive(self._directory, alive)
            if time.monotonic() > self._deadline:
                logs = "\n".join(f"{program.name}:\n{processes.tail(program, self._directory)}" for program in alive)
                message = (
                    f"Waited {START_SECONDS} s in vain for {what}. Is the machine overloaded? The logs end:\n{logs}"
                )
                raise ControlPlaneError(message)
            time.sleep(POLL_SECONDS)

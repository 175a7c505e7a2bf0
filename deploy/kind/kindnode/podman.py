"""podman, told how to run a kind node, and kept apart from the user's own.

Its images, containers, networks and locks all lie in our cache; the user's podman neither sees them nor is changed.
The settings say why they are needed; most of them only matter in a machine that is itself confined.
"""

import hashlib
import os
import resource
import shutil
from pathlib import Path

from controlplane.errors import ControlPlaneError
from controlplane.programs import cache
from kindnode.engine import Engine

PACKAGES = {"podman": "podman", "runc": "runc", "debootstrap": "debootstrap", "iptables": "iptables"}
"""The Debian package of each program that is needed."""

PROCESSES = 20_000
"""How many processes a node may have; podman, when it builds, keeps no more than 32,768 for itself."""

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where some of them are; not every PATH has it."""


def home() -> Path:
    """Return the folder for everything that podman keeps on disk."""
    return cache().resolve() / "podman"


def unusable() -> str | None:
    """Return a sentence that says why there can be no kind cluster here and what to do, or None if there can."""
    if os.geteuid() != 0:
        return "kind without Docker needs root, because its node is a privileged container: run this with sudo."
    missing = [package for program, package in PACKAGES.items() if shutil.which(program, path=_path()) is None]
    if missing:
        return f"kind without Docker needs some Debian packages: apt-get install {' '.join(missing)}"
    return None


def engine() -> Engine:
    """Return podman with our settings and our storage; kind in the same environment uses them too.

    Raises:
        ControlPlaneError: It cannot be used here.
    """
    if sentence := unusable():
        raise ControlPlaneError(sentence)
    home().mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": f"{_docker()}:{_path()}",
        "CONTAINERS_CONF": _written("containers.conf", _containers_conf()),
        "CONTAINERS_STORAGE_CONF": _written("storage.conf", _storage_conf()),
        # So that a name without a registry means what it means to Docker and to Kubernetes.
        "CONTAINERS_REGISTRIES_CONF": _written("registries.conf", 'unqualified-search-registries = ["docker.io"]\n'),
        "KIND_EXPERIMENTAL_PROVIDER": "podman",
    }
    return Engine("podman", {**os.environ, **environment})


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}"


def _docker() -> Path:
    """Return a folder in which `docker` is podman: `kind load docker-image` calls it by that name."""
    folder = home() / "bin"
    folder.mkdir(exist_ok=True)
    link = folder / "docker"
    program = shutil.which("podman", path=_path())
    if program and not link.is_symlink():
        link.symlink_to(program)
    return folder


def _written(name: str, content: str) -> str:
    path = home() / name
    if not path.exists() or path.read_text() != content:
        unfinished = path.with_name(f".{name}.{os.getpid()}")
        unfinished.write_text(content)
        unfinished.rename(path)
    return str(path)


def _run_folder() -> Path:
    """Return the folder for what must not outlive the machine's current run."""
    return Path("/run") / f"podgroup-{hashlib.sha256(str(home()).encode()).hexdigest()[:8]}"


def _containers_conf() -> str:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return f"""\
[containers]
# No more than podman has itself: without CAP_SYS_RESOURCE a limit cannot be raised, and it would try.
default_ulimits = ["nofile={files}:{files}", "nproc={PROCESSES}:{PROCESSES}"]

[engine]
# crun refuses the hybrid layout of cgroups.
runtime = "runc"
# There may be no systemd outside the node.
cgroup_manager = "cgroupfs"
events_logger = "file"
# What a node would save in its last ten seconds is about to be removed.
stop_timeout = 1
# In shared memory the locks would be those of the user's own podman.
lock_type = "file"
tmp_dir = "{_run_folder()}/libpod"

[network]
network_config_dir = "{home()}/networks"
"""


def _storage_conf() -> str:
    return f"""\
[storage]
driver = "overlay"
graphroot = "{home()}/storage"
runroot = "{_run_folder()}/storage"
"""

"""The programs of a control plane: which Go module builds each, and where the result is kept.

Versions are written in one place only, the go.mod files beside this package; everything here is read from them. A
compiled program lies in the cache under a hash of what made it, so that another version never takes its place and
two working copies share one build.
"""

import hashlib
import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent.parent
"""The folder that holds the Go modules."""


def cache() -> Path:
    """Return the folder, outside the tree, for compiled programs and for the state of clusters."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podgroup"
    return Path(os.environ.get("PODGROUP_CACHE") or default).expanduser().resolve()


@dataclass(frozen=True)
class Program:
    """One executable: its name, the Go module that pins its version, the package that is compiled."""

    name: str
    module: str
    package: str

    @property
    def source(self) -> Path:
        """The folder of the Go module."""
        return MODULES / self.module

    @property
    def flags(self) -> list[str]:
        """The arguments of `go build` that shape the program."""
        return ["-mod=readonly", "-trimpath", "-ldflags", " ".join(["-s -w", *_version_stamps(self)])]

    @property
    def path(self) -> Path:
        """Where the compiled program is, or will be once `build` has made it."""
        parts = [(self.source / name).read_text() for name in ("go.mod", "go.sum")]
        made_of = "\n".join([*parts, *self.flags, platform.system(), platform.machine()])
        key = hashlib.sha256(made_of.encode()).hexdigest()[:12]
        return cache() / "programs" / f"{self.module}-{key}" / self.name


def _version_stamps(program: Program) -> list[str]:
    """Return the linker flags that let programs know their version: without, Kubernetes' say v0.0.0 and helm v4.3."""
    if program.module == "helm":
        version = _pinned("helm", r"helm\.sh/helm/v4 (v\S+)")
        return [f"-X helm.sh/helm/v4/internal/version.version={version}"]
    if program.module != "kubernetes":
        return []
    major, minor, _ = kubernetes_version().removeprefix("v").split(".", 2)
    stamps = {"gitVersion": kubernetes_version(), "gitMajor": major, "gitMinor": minor}
    return [f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items()]


def kubernetes_version() -> str:
    """Return the version of Kubernetes that is built, such as v1.37.2."""
    return _pinned("kubernetes", r"k8s\.io/kubernetes (v\S+)")


def go_version(module: str) -> tuple[int, int]:
    """Return the oldest Go, as (major, minor), that can compile the module."""
    major, minor = _pinned(module, r"^go (\d+\.\d+)").split(".")
    return int(major), int(minor)


def _pinned(module: str, pattern: str) -> str:
    found = re.search(pattern, (MODULES / module / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        message = f"{module}/go.mod has nothing that looks like {pattern}"
        raise LookupError(message)
    return found.group(1)


ETCD = Program("etcd", "kubernetes", "go.etcd.io/etcd/server/v3")
APISERVER = Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver")
CONTROLLER_MANAGER = Program("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager")
SCHEDULER = Program("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler")
KUBECTL = Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl")
KWOK = Program("kwok", "kubernetes", "sigs.k8s.io/kwok/cmd/kwok")

HELM = Program("helm", "helm", "helm.sh/helm/v4/cmd/helm")
"""For the chart, not for a cluster."""

SERVERS = (ETCD, APISERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK)
"""What a running cluster consists of, one process each."""

PROGRAMS = (*SERVERS, KUBECTL)
"""Everything that is compiled."""


def any_kubectl(path: str | None = None) -> Path:
    """Return the kubectl on PATH, else our own."""
    return Path(shutil.which("kubectl", path=path) or KUBECTL.path)

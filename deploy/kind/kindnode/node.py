"""The node image: made once, found again by the hash of what goes into it.

`node/Dockerfile` says what it consists of. kubeadm runs the control plane as containers, so the images that it asks
for are built first, from our own programs, and put into the node's containerd; then nothing is pulled, ever.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from controlplane.build import build
from controlplane.programs import kubernetes_version
from kindnode import podman
from kindnode.debian import SUITE, debian
from kindnode.engine import Engine
from kindnode.programs import IN_IMAGES, KIND, KUBEADM, ON_THE_NODE, kind_source

SOURCE = Path(__file__).resolve().parent.parent / "node"
"""The Dockerfile of the node and our own files in it."""

MONTH = "720h"
"""When a new node image is made, images that nobody uses and that are older than this go."""

PROGRAMS = (KIND, *ON_THE_NODE, *IN_IMAGES)
"""All that is compiled for a cluster."""


def image() -> str:
    """Return the name of the node image, whether it is built or not."""
    files = sorted(path for path in SOURCE.rglob("*") if path.is_file())
    made_of = [SUITE, *(f"{program.path.parent.name}/{program.name}" for program in PROGRAMS)]
    made_of += [f"{path.relative_to(SOURCE)}\n{path.read_text()}" for path in files]
    key = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
    return f"localhost/podgroup-node:{kubernetes_version()}-{key}"


def build_node() -> str:
    """Build the programs and the node image if they are not in the cache, and return the image's name.

    Raises:
        ControlPlaneError: Something that is needed is missing, or a build failed.
    """
    engine = podman.engine()
    build(PROGRAMS)
    name = image()
    if engine.has_image(name):
        return name
    console = Console(stderr=True, highlight=False)
    with _one_at_a_time(console):
        if not engine.has_image(name):
            started = time.monotonic()
            _build(engine, name, console)
            console.print(f"Built the node image in {time.monotonic() - started:.0f} s: {name}")
    return name


@contextmanager
def _one_at_a_time(console: Console) -> Iterator[None]:
    with (podman.home() / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Waiting for another build of the node image to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(engine: Engine, name: str, console: Console) -> None:
    wanted = _images_of_kubeadm()
    steps = len(wanted) + 2
    console.print(f"Building the node image: a minimal Debian (1 of {steps}) ...")
    arguments = {"BASE_IMAGE": debian(engine)}
    with tempfile.TemporaryDirectory(dir=podman.home()) as folder:
        context = Path(folder)
        _fill(context)
        for number, inner in enumerate(wanted, 2):
            stage = inner.rpartition("/")[2].partition(":")[0]
            console.print(f"Building the node image: {stage} ({number} of {steps}) ...")
            engine.build(context, inner, arguments, f"--target={stage}")
        engine.do("save", "--multi-image-archive", f"--output={context / 'images.tar'}", *wanted)
        console.print(f"Building the node image: the node itself ({steps} of {steps}) ...")
        arguments["KUBERNETES_VERSION"] = kubernetes_version()
        arguments["PAUSE_IMAGE"] = next(inner for inner in wanted if "/pause:" in inner)
        engine.build(context, name, arguments, "--target=node")
    engine.do("rmi", *wanted)
    engine.do("image", "prune", "--all", "--force", f"--filter=until={MONTH}")


def _images_of_kubeadm() -> list[str]:
    """Return the names of the images that kubeadm will run, such as registry.k8s.io/pause:3.10.2."""
    command = [str(KUBEADM.path), "config", "images", "list", f"--kubernetes-version={kubernetes_version()}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 -- ours


def _fill(context: Path) -> None:
    """Put into the build's context what the Dockerfile asks for."""
    shutil.copy(SOURCE / "Dockerfile", context)
    shutil.copytree(SOURCE / "rootfs", context / "rootfs")
    (context / "programs").mkdir()
    for program in (*ON_THE_NODE, *IN_IMAGES):
        (context / "programs" / program.name).hardlink_to(program.path)
    shutil.copytree(kind_source() / "images/base/files", context / "kind-files")
    for folder, _, _ in os.walk(context / "kind-files"):  # Go keeps the sources of modules read-only
        Path(folder).chmod(0o755)

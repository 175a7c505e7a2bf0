"""A minimal Debian, from Debian's package archive: what images start from where no image registry is within reach.

debootstrap makes it once, into a tar file in the cache; each engine then has it as an image, so that Dockerfiles look
as they always do. Their `BASE_IMAGE` says what else they may start from.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from controlplane.errors import ControlPlaneError
from controlplane.programs import cache
from kindnode.engine import Engine

SUITE = "bookworm"
"""Debian 12: its systemd (252) still starts on cgroup v1, and its Python is 3.11."""

IMAGES = Path(__file__).resolve().parent.parent / "images"
"""The folder of Dockerfiles that start from it."""

ERROR_LINES = 10


def debian(engine: Engine) -> str:
    """Return the name of an image with a minimal Debian, made if the engine does not have it."""
    name = f"localhost/podgroup-debian:{SUITE}"
    if not engine.has_image(name):
        tarball = _tarball()
        with tempfile.TemporaryDirectory(dir=tarball.parent) as folder:
            context = Path(folder)
            (context / tarball.name).hardlink_to(tarball)
            (context / "Dockerfile").write_text(f"FROM scratch\nADD {tarball.name} /\n")
            engine.build(context, name)
    return name


def python(engine: Engine) -> str:
    """Return the name of an image with Debian's Python, made if the engine does not have it."""
    name = f"localhost/podgroup-python:{SUITE}"
    if not engine.has_image(name):
        engine.build(IMAGES / "python", name, {"BASE_IMAGE": debian(engine)})
    return name


def _tarball() -> Path:
    """Return the tar file of a minimal Debian, made if it is not in the cache."""
    target = cache() / "debian" / f"{SUITE}.tar"
    if target.exists():
        return target
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        message = (
            "No image registry is within reach, and a base image can be made here only by root with debootstrap:"
            " apt-get install debootstrap, and run this with sudo."
        )
        raise ControlPlaneError(message)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        root, unfinished = Path(folder, "root"), Path(folder, target.name)
        # In a mount namespace of its own, so that nothing stays mounted, however it ends.
        _run(["unshare", "--mount", "debootstrap", "--variant=minbase", SUITE, str(root)])
        for leftover in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(root / leftover)
        _run(["tar", "--create", f"--file={unfinished}", f"--directory={root}", "--exclude=./dev/*", "."])
        unfinished.rename(target)
    return target


def _run(command: list[str]) -> None:
    answer = subprocess.run(  # noqa: S603 -- fixed arguments
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        last = "\n".join(answer.stdout.splitlines()[-ERROR_LINES:])
        message = f"A minimal Debian could not be made; `{' '.join(command[:4])}` ended with:\n{last}"
        raise ControlPlaneError(message)

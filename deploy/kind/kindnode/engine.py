"""Container engines, as far as building an image needs them: Docker, podman and buildah agree on nearly all of it."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.errors import ControlPlaneError

DOCKER_SECONDS = 10
"""How long a Docker engine may take to answer before it counts as not running."""

ERROR_LINES = 30


@dataclass(frozen=True)
class Engine:
    """One of docker, podman and buildah, with the environment that it is to run in."""

    program: str
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def ask(self, *arguments: str) -> str | None:
        """Run a command and return what it prints, or None if it fails."""
        answer = self._run(arguments, stderr=subprocess.DEVNULL)
        return answer.stdout.strip() if answer.returncode == 0 else None

    def do(self, *arguments: str) -> None:
        """Run a command; its output is shown only if it fails.

        Raises:
            ControlPlaneError: It failed.
        """
        answer = self._run(arguments, stderr=subprocess.STDOUT)
        if answer.returncode != 0:
            last = "\n".join(answer.stdout.splitlines()[-ERROR_LINES:])
            message = f"`{self.program} {arguments[0]}` failed:\n{last}"
            raise ControlPlaneError(message)

    def has_image(self, name: str) -> bool:
        """Whether the engine has an image of that name."""
        return self.ask("inspect", "--type=image", name) is not None

    def build(self, context: Path, name: str, arguments: Mapping[str, str] | None = None, *flags: str) -> None:
        """Build an image.

        Args:
            context: The folder with what goes into it and, unless the flags say otherwise, its Dockerfile.
            name: The image's name.
            arguments: The values of the Dockerfile's ARGs.
            flags: More flags of `build`, understood by all engines.
        """
        passed = [f"--build-arg={key}={value}" for key, value in (arguments or {}).items()]
        self.do("build", *self._confined(), f"--tag={name}", *passed, *flags, str(context))

    def _confined(self) -> Sequence[str]:
        """Return flags that let a build run where containers cannot have namespaces of their own."""
        return () if self.program == "docker" else ("--isolation=chroot", "--network=host")

    def _run(self, arguments: Sequence[str], stderr: int) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 -- arguments from our own code
            [self.program, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )


def users_engine() -> Engine:
    """Return the user's engine: Docker if it runs, else podman, else buildah.

    Raises:
        ControlPlaneError: There is none.
    """
    if docker_runs():
        return Engine("docker")
    for program in ("podman", "buildah"):
        if shutil.which(program):
            return Engine(program)
    message = "An image needs an engine to build it: start Docker, or install podman (Debian: apt-get install podman)."
    raise ControlPlaneError(message)


def docker_runs(path: str | None = None) -> bool:
    """Whether there is a docker on PATH and its engine answers."""
    docker = shutil.which("docker", path=path)
    if docker is None:
        return False
    try:
        answer = subprocess.run([docker, "info"], capture_output=True, timeout=DOCKER_SECONDS, check=False)  # noqa: S603 -- the user's docker
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0

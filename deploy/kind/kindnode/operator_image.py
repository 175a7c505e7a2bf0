"""The operator's image: `make image` for the user's own engine, `kind build operator-image` for a kind cluster.

The Dockerfile at the root of the project does the work with any engine. Here is what surrounds it: which engine there
is, a base image where none can be pulled, the certificates of a machine that has its own, and the labels' values.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from controlplane.errors import ControlPlaneError
from kindnode.debian import python
from kindnode.engine import Engine, users_engine

PROJECT = Path(__file__).resolve().parents[3]
"""The root of the project, where the Dockerfile is."""

NAME = "podgroup-operator"

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Where the base images look for certificate authorities."""


def version() -> str:
    """Return the version of the project, which is also the image's tag."""
    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"])


def official_base() -> str:
    """Return what the Dockerfile starts from unless told otherwise, as podman and docker both find it."""
    (default,) = re.findall(r"^ARG BASE_IMAGE=(\S+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    return f"docker.io/library/{default}"


def build_operator_image(engine: Engine) -> str:
    """Build the image in that engine and return its name.

    Raises:
        ControlPlaneError: There is no base image to be had, or the build failed.
    """
    name = f"docker.io/library/{NAME}:{version()}"
    arguments = {"BASE_IMAGE": _base(engine), "VERSION": version(), "REVISION": _revision()}
    engine.build(PROJECT, name, *_with_own_certificates(engine, arguments))
    return name


def _base(engine: Engine) -> str:
    """Return the base image: the one of BASE_IMAGE, else Python's official one, else our stand-in for that."""
    if given := os.environ.get("BASE_IMAGE"):
        return given
    official = official_base()
    if engine.has_image(official) or engine.ask("pull", official) is not None:
        return official
    return python(engine)


def _with_own_certificates(
    engine: Engine, arguments: dict[str, str]
) -> tuple[dict[str, str], str] | tuple[dict[str, str]]:
    """Let the build, but not the image, trust the authorities that SSL_CERT_FILE names on this machine."""
    own = os.environ.get("SSL_CERT_FILE")
    if not own or engine.program == "docker":
        return (arguments,)
    return {**arguments, "SSL_CERT_FILE": CERTIFICATES}, f"--volume={own}:{CERTIFICATES}:ro"


def _revision() -> str:
    """Return the commit that is built, or nothing where git does not know."""
    answer = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S607 -- the user's git
    return answer.stdout.strip()


def main() -> int:
    """Build the image with the user's engine and say what it is called."""
    try:
        engine = users_engine()
        name = build_operator_image(engine)
    except ControlPlaneError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Built {name} with {engine.program}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The source of a Go module, for what lies beside its code: an OpenAPI document, a Dockerfile."""

import json
import subprocess
from pathlib import Path

from controlplane.errors import ControlPlaneError
from controlplane.programs import Program


def module_source(program: Program, module: str) -> Path:
    """Return the folder of a module's source, of the very version that a program is built of.

    Raises:
        ControlPlaneError: it cannot be had.
    """
    answer = subprocess.run(  # noqa: S603 -- fixed arguments, and a module of our own table
        ["go", "mod", "download", "-json", module],  # noqa: S607 -- the Go that `build` found on PATH
        cwd=program.source,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        message = f"The source of {module} cannot be had: {answer.stdout}{answer.stderr}"
        raise ControlPlaneError(message)
    return Path(json.loads(answer.stdout)["Dir"])

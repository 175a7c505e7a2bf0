"""kind's command line for a cluster that exists already: the current context of KUBECONFIG.

`create` only copies what is needed to reach that cluster into the file that was asked for, so that nothing done
later, nor a change of the user's current context, leads to another; `delete` forgets the copy. The cluster itself
is the user's and stays.
"""

import argparse
import subprocess
import sys

from controlplane.build import build
from controlplane.cli import main, say
from controlplane.errors import ControlPlaneError
from controlplane.programs import KUBECTL, any_kubectl

ANSWER_SECONDS = 15
"""How long the cluster may take to answer the first question."""


def _create(chosen: argparse.Namespace) -> None:
    target = chosen.kubeconfig
    config = _kubectl("config", "view", "--raw", "--flatten", "--minify")
    target.touch(mode=0o600)
    target.write_text(config)
    _kubectl(f"--kubeconfig={target}", f"--request-timeout={ANSWER_SECONDS}s", "get", "--raw=/readyz")
    say(f"Using the cluster of KUBECONFIG; what is needed to reach it is in {target}")


def _kubectl(*arguments: str) -> str:
    program = any_kubectl()
    if program == KUBECTL.path:
        build([KUBECTL])
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    if answer.returncode != 0:
        message = f"The cluster of KUBECONFIG cannot be used; kubectl says: {answer.stderr.strip()}"
        raise ControlPlaneError(message)
    return answer.stdout


def _delete(chosen: argparse.Namespace) -> None:
    chosen.kubeconfig.unlink(missing_ok=True)
    say("The cluster of KUBECONFIG is not ours and stays as it is.")


def _get(_: argparse.Namespace) -> None:
    """List nothing: pytest-kind then asks for the cluster to be created, which is when it is looked at."""


def _load(chosen: argparse.Namespace) -> None:
    message = (
        f"An image cannot be loaded into the cluster of KUBECONFIG; push {chosen.images[0]} where it can be pulled."
    )
    raise ControlPlaneError(message)


if __name__ == "__main__":
    sys.exit(main(commands={"create": _create, "delete": _delete, "get": _get, "load": _load}))

"""The operator of this working copy, as a process of the demo's own beside the cluster."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

STOP_SECONDS = 10


@contextmanager
def running_operator(kubeconfig: str, namespace: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the operator of this working copy, away from the terminal's Ctrl-C: it is we who stop it."""
    command = [sys.executable, "-m", "podgroup_operator", "run", f"--kubeconfig={kubeconfig}"]
    command += [f"--namespace={namespace}", "--http=127.0.0.1:0", "--no-leader-elect"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_ready(port: int) -> bool:
    """Ask an operator on this machine whether it is ready to work."""
    connection = HTTPConnection("127.0.0.1", port, timeout=STOP_SECONDS)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    return False

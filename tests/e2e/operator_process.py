"""The operator as its user runs it: a process with a command line, a log, signals and an HTTP port."""

from __future__ import annotations

import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Self

from prometheus_client.parser import text_string_to_metric_families

from e2e.waiting import SECONDS, eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = Path(sys.executable).with_name("podgroup-operator")
LISTENS = re.compile(r"http on port (\d+)")


class OperatorProcess:
    """`podgroup-operator run`, started, stopped and killed as often as a test likes; one log for all its lives."""

    def __init__(self, kubeconfig: Path, log: Path, options: Sequence[str] = (), *, elect: bool = False) -> None:
        self._command = [str(PROGRAM), "run", f"--kubeconfig={kubeconfig}", "--http=127.0.0.1:0", *options]
        self._command += [] if elect else ["--no-leader-elect"]
        self._log = log
        self._log.touch()
        self._born = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.runs:
            self.kill()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process."""
        assert self._process, "the operator was never started"
        return self._process

    @property
    def runs(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def megabytes(self, what: str = "VmRSS") -> float:
        """How much memory it has resident; with VmHWM the most it ever had (proc(5))."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith(f"{what}:")]
        return int(line.split()[1]) * 1024 / 1e6

    def launch(self) -> None:
        """Start the process, whatever becomes of it."""
        self._born = len(self.log())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)  # noqa: S603 - our own program

    def start(self) -> None:
        """Start it, unless it runs, and wait until it says that it works, or that it stands by."""
        if not self.runs:
            self.launch()
        eventually((200, "ok"), lambda: (self.readiness()[0], self.readiness()[1].partition("\n")[0]))

    def stop(self) -> int:
        """Ask it to stop as Kubernetes does, by SIGTERM, and return its exit code."""
        self.process.terminate()
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for its end and return its exit code."""
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """Kill it by SIGKILL: it has no chance to put anything right."""
        self.process.kill()
        self.process.wait(SECONDS)

    def log(self) -> str:
        """Everything that it has logged, in all its lives."""
        return self._log.read_text(encoding="utf-8")

    def logged(self) -> str:
        """What it has logged since it was started last."""
        return self.log()[self._born :]

    def readiness(self) -> tuple[int, str]:
        """What /readyz answers: status and text."""
        return self.get("/readyz")

    def get(self, path: str) -> tuple[int, str]:
        """What it answers over HTTP: status and text."""
        connection = HTTPConnection("127.0.0.1", self._port(), timeout=SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """A metric of /metrics, summed up over its labels."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def _port(self) -> int:
        def find() -> int | None:
            assert self.runs, f"the operator has ended:\n{self.logged()}"
            ports = LISTENS.findall(self.logged())
            return int(ports[-1]) if ports else None

        return wait_for("the operator to say on which port it listens", find)

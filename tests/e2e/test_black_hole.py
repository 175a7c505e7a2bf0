"""A network that swallows everything: no reset, no error, only silence on the connections that are open."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

CAN = os.environ.get("CI") or (os.geteuid() == 0 and shutil.which("iptables"))

pytestmark = pytest.mark.skipif(not CAN, reason="needs root, and iptables (apt-get install iptables)")

SECONDS = 20.0
"""Eight until TCP gives a watch up, and as many for a line that is used then; by itself it tries for minutes."""


def run(*command: str) -> str:
    """Run a command; give what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words


def open_ports(pid: int) -> set[str]:
    """Find the local ports of a process's connections."""
    lines = run("ss", "--tcp", "--numeric", "--processes", "--no-header").splitlines()
    ours = [line for line in lines if f"pid={pid}," in line]
    return {found[1] for line in ours if (found := re.search(r":(\d+)\s", line))}


@contextmanager
def swallowed(ports: set[str]) -> Iterator[None]:
    """Let everything vanish that is sent from or to these local ports."""
    with ExitStack() as stack:
        for port in ports:
            for side in ("--sport", "--dport"):
                rule = ("OUTPUT", "--protocol", "tcp", "--out-interface", "lo", side, port, "--jump", "DROP")
                run("iptables", "--insert", *rule)
                stack.callback(run, "iptables", "--delete", *rule)
        yield


def test_a_network_that_swallows_everything_is_noticed(shop: Namespace, operator: OperatorProcess) -> None:
    """Every line that the operator has is dead, the watches too; a pod that is lost then is replaced all the same."""
    pods = shop.start_group()
    ports = open_ports(operator.pid)
    assert len(ports) >= 2
    with shop.record() as recording, swallowed(ports):
        killed = time.monotonic()
        shop.kill(pods[0], gracePeriodSeconds=0)
        assert recording.heir(pods[0]).heard - killed < SECONDS
        shop.complete(without=pods[:1])

"""The program as its user starts and ends it: exit codes, signals, and sentences instead of tracebacks."""

import asyncio
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fakeapi import FakeApi
from fakeapi.client import a_group
from podgroup_operator.cli import main
from shell.operating import free_address, write_kubeconfig

DEADLINE = 30.0  # a start takes two seconds, on a busy machine several times that
PROMPT = 5.0


@asynccontextmanager
async def process(*arguments: str | Path) -> AsyncIterator[Process]:
    """Run `python -m podgroup_operator run`, and see to it that it ends."""
    command = (sys.executable, "-m", "podgroup_operator", "run", "--http=127.0.0.1:0", *arguments)
    running = await asyncio.create_subprocess_exec(*command, stderr=PIPE)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def says(running: Process, words: str) -> str:
    """Read its log until a line has these words; give the line."""
    assert running.stderr
    async with asyncio.timeout(DEADLINE):
        async for line in running.stderr:
            if re.search(words, line.decode()):
                return line.decode()
    raise AssertionError(f"It never said: {words}")


async def test_sigterm_ends_it_well_and_soon(api: FakeApi, tmp_path: Path) -> None:
    """In the middle of its work: exit code 0, and the last word is that it stopped."""
    api.create("podgroups", a_group("web", 3))
    async with process("--kubeconfig", write_kubeconfig(tmp_path / "kubeconfig", api.url)) as running:
        await api.until(lambda: len(api.pods()) == 3, "three pods", DEADLINE)
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), PROMPT) == 0
        assert (await says(running, "Stopped")).rstrip().endswith("Stopped.")


async def test_control_c_ends_it_while_it_waits(tmp_path: Path) -> None:
    """There is no API server: it says so, waits, and ends well when it is told to."""
    server = f"http://{free_address()}"
    async with process("--kubeconfig", write_kubeconfig(tmp_path / "kubeconfig", server)) as running:
        await says(running, "The API server does not answer")
        running.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.wait(), PROMPT) == 0


def test_a_bad_kubeconfig_is_a_sentence_and_exit_code_1(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No traceback: it is the user's to put right."""
    assert main(["run", "--kubeconfig", str(tmp_path / "missing")]) == 1
    (record,) = caplog.records
    assert "cannot be used" in record.message
    assert record.exc_info is None


def test_a_port_that_is_taken_is_a_sentence_and_exit_code_1(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It names the address and the option."""
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["run", "--kubeconfig", str(kubeconfig), "--http", address]) == 1
    assert f"Cannot listen on {address}" in caplog.text
    assert "Choose another address with --http." in caplog.text


async def test_without_an_election_it_does_not_start_beside_a_leader(api: FakeApi, tmp_path: Path) -> None:
    """A sentence that says who leads and what to do, and exit code 1."""
    login = write_kubeconfig(tmp_path / "kubeconfig", api.url)
    async with process("--kubeconfig", login) as leading:
        await says(leading, "This operator leads")
        async with process("--kubeconfig", login, "--no-leader-elect") as lonely:
            words = await says(lonely, "leads by the Lease default/podgroup-operator, and renews it")
            assert words.rstrip().endswith("or leave --no-leader-elect out, so that this one stands by.")
            assert "Traceback" not in words
            assert await asyncio.wait_for(lonely.wait(), PROMPT) == 1

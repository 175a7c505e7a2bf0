"""The demo's choice of a cluster, and kind as it uses it: a stand-in program here, the real one in tests/kind."""

from __future__ import annotations

import os
import signal
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from controlplane.abandoned import abandoned, own_name
from demo.cli import main
from demo.kind import Kind
from demo.trouble import Trouble
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 10.0

A_KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: me, user: {{}}}}]
"""


def speaking(answer: bytes) -> type[BaseHTTPRequestHandler]:
    """A server's way to answer any GET with these bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def stand_in(folder: Path, script: str) -> Kind:
    """A program in kind's place; what it is called with goes to the file `calls`."""
    program = folder / "kind"
    program.write_text(f'#!/bin/sh\ncd {folder}\necho "$@" >> calls\n{script}\n')
    program.chmod(0o700)
    return Kind(program, folder / "kubeconfig")


def test_an_unknown_cluster_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip in CLUSTER starts nothing: a sentence says what can be said instead."""
    assert main({"CLUSTER": "kindd"}) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert "✗ CLUSTER=kindd is unknown; it can be one of existing, kind, local, or unset." in output


def test_a_machine_that_cannot_have_kind_is_told_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither Docker nor root: the sentence names both ways out."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main({"CLUSTER": "kind", "PATH": ""}) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert "✗ There can be no kind cluster: no Docker runs" in output
    assert "kind without Docker needs root" in output


UNREADABLE = {
    "missing": None,
    "empty": "",
    "no YAML": "[1,",
    "a list": "- a",
    "no context": "apiVersion: v1\nkind: Config\n",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_kubeconfig_that_cannot_be_used_is_named(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is wrong with it: a sentence with its name and a way out, and no traceback."""
    kubeconfig = tmp_path / "config"
    if content is not None:
        kubeconfig.write_text(content)
    assert main({"KUBECONFIG": str(kubeconfig)}) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert f"✗ The kubeconfig {kubeconfig} cannot be used: " in output
    assert "`make demo CLUSTER=local` takes no kubeconfig." in output


def test_the_users_own_kubeconfig_is_taken_if_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CLUSTER=existing without KUBECONFIG is the cluster that kubectl would take."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main({"CLUSTER": "existing"}) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert f"✗ The kubeconfig {tmp_path}/.kube/config cannot be used: " in output


@pytest.mark.parametrize("answer", [b"", b"<html>no Kubernetes</html>"], ids=["nobody answers", "somebody else"])
def test_a_cluster_that_is_none_is_told(answer: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At the address of the kubeconfig nobody answers, or something that is no API server: a sentence, at once."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(A_KUBECONFIG.format(port=server.server_port))
        if answer:
            server.RequestHandlerClass = speaking(answer)
            threading.Thread(target=server.handle_request, daemon=True).start()
        else:
            server.server_close()
        assert main({"KUBECONFIG": str(kubeconfig)}) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert ("✗ What answers at " if answer else "✗ The API server does not answer: ") in output
    assert "make demo CLUSTER=local" in output


def test_only_what_dead_demos_left_is_theirs() -> None:
    """A cluster is named after the process that made it; those of the living, and of others, stay."""
    clusters = [own_name("demo"), "demo-999999999", "demo", "demo-1x", "e2e-999999999"]
    assert abandoned(clusters, "demo") == ["demo-999999999"]


def test_each_thing_that_kind_has_done_is_told(tmp_path: Path) -> None:
    """What is begun, and kind's parting words, are left out."""
    told: list[str] = []
    kind = stand_in(tmp_path, 'echo " • Preparing nodes ..." >&2; echo " ✓ Preparing nodes" >&2; echo Bye >&2')
    kind.create("demo-1", told.append)
    assert told == ["  ✓ Preparing nodes"]
    call = (tmp_path / "calls").read_text()
    assert call == f"create cluster --name=demo-1 --kubeconfig={tmp_path}/kubeconfig --wait=2m\n"


def test_kinds_own_words_tell_why_it_failed(tmp_path: Path) -> None:
    """Its last lines and its exit code are in the sentence, whichever command it was, and a way without it."""
    kind = stand_in(tmp_path, 'echo "ERROR: no space left" >&2; exit 7')
    with pytest.raises(Trouble, match=r"ended with code 7 and these words:\nERROR: no space left\n.*CLUSTER=local"):
        kind.create("demo-1", print)
    with pytest.raises(Trouble, match=r"load docker-image web:1 --name=demo-1` ended with code 7:\nERROR: no space"):
        kind.load("demo-1", "web:1")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C is heard, also where the tests run in the background, whose processes begin deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_kind_ends_before_a_demo_that_is_interrupted(tmp_path: Path, ctrl_c: None) -> None:
    """Told to end while kind creates, the demo tells kind, and waits until it has put away what it had begun."""
    kind = stand_in(tmp_path, 'trap "sleep 0.3; touch cleared; exit 143" TERM; touch begun; sleep 60 & wait $!')

    def interrupt() -> None:
        wait_for("kind", lambda: (tmp_path / "begun").exists() or None, SECONDS)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        kind.create("demo-1", print)
    other.join()
    assert (tmp_path / "cleared").exists()

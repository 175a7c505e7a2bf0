"""A package with a known vulnerability, one without, and one that could not be asked about are three things."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from checks.audit import Answer, ask, read, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def pinned(*names: str) -> str:
    """Requirements as uv writes them."""
    return "".join(f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in names)


async def answer_as_osv(request: web.Request) -> web.Response:
    """Know a vulnerability of the package `flawed`, and of no other."""
    package = json.loads(await request.read())["package"]
    if package["name"] != "flawed":
        return web.json_response({})
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}]
    return web.json_response({"vulns": [{"id": "OSV-1", "affected": [{"package": package, "ranges": ranges}]}]})


@pytest.fixture
async def osv() -> AsyncIterator[str]:
    """The address of an OSV of our own."""
    application = web.Application()
    application.router.add_post("/v1/query", answer_as_osv)
    async with TestServer(application) as server:
        yield str(server.make_url("/v1/query"))


async def test_a_vulnerable_package_is_named_with_the_version_that_mends_it(osv: str) -> None:
    """It fails whether an answer is required or not."""
    answer = await asyncio.to_thread(ask, pinned("flawless", "flawed"), f"--osv-url={osv}")
    assert answer == Answer(packages=2, vulnerable=["flawed 1.0: OSV-1, fixed in 1.1"])
    assert verdict(answer, required=False)[0] == 1


async def test_packages_without_a_known_vulnerability_pass(osv: str) -> None:
    """What is told has their number, so that nobody takes nothing for all."""
    answer = await asyncio.to_thread(ask, pinned("flawless", "faultless"), f"--osv-url={osv}")
    assert verdict(answer, required=True) == (0, "None of 2 packages has a known vulnerability.")


async def test_where_osv_cannot_be_reached_nothing_is_called_well() -> None:
    """A network that is down is no vulnerability: it fails only where an answer is required, and is told everywhere."""
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        answer = await asyncio.to_thread(ask, pinned("flawed"), f"--osv-url=http://127.0.0.1:{port}/")
    assert answer.vulnerable == []
    assert "Connection refused" in answer.unknown[0]
    code, told = verdict(answer, required=False)
    assert (code, verdict(answer, required=True)[0]) == (0, 1)
    assert told.startswith("Could not ask")


def test_a_package_that_pip_audit_skips_is_not_called_well() -> None:
    """pip-audit itself says `No known vulnerabilities found` though it learnt nothing of what it skipped."""
    report = '{"dependencies": [{"name": "odd", "skip_reason": "not found: odd (1.0)"}], "fixes": []}'
    assert read(report, "No known vulnerabilities found") == Answer(packages=1, unknown=["not found: odd (1.0)"])


def test_no_package_at_all_is_not_called_well() -> None:
    """An export that came out empty asks nothing."""
    assert read('{"dependencies": [], "fixes": []}', "").unknown == ["any package: none was given"]

"""Answers as kopf gets them: what it cannot parse has been cut off, and all else is as it was."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio
from aiohttp import web

from podgroup_operator.observe.answers import Answer

DEEP = b'{"a":[' * 2000 + b"1" + b"]}" * 2000
ODD = b'{"metadata":{"name":"odd","managedFields":%b,"uid":"of-odd"}}' % DEEP
PLAIN = b'{"metadata":{"name":"web","annotations":{"a":"}]\\"{["}},"spec":{"sizeLimit":100000000000000000000}}'
WIDE = b'{"metadata":{"name":"wide"},"items":[%b]}' % b",".join([b'{"a":[]}'] * 1000)


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    """Give the address of a server that lists three objects, and tells of each on a watch in pieces of a few bytes."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if "watch" not in request.query:
            return web.Response(body=b'{"items":[%b]}' % b",".join([ODD, PLAIN, WIDE]), content_type="application/json")
        response = web.StreamResponse()
        await response.prepare(request)
        text = b"".join(b'{"type":"ADDED","object":%b}\n' % each for each in (ODD, PLAIN, WIDE))
        for start in range(0, len(text), 1013):
            await response.write(text[start : start + 1013])
        return response

    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}".format(*runner.addresses[0])
    await runner.cleanup()


def check(odd: dict[str, object], plain: object, wide: object) -> None:
    """Compare what is read with what was sent."""
    metadata = odd["metadata"]
    assert isinstance(metadata, dict)
    assert (metadata["name"], metadata["uid"]) == ("odd", "of-odd")
    assert (plain, wide) == (json.loads(PLAIN), json.loads(WIDE))


async def test_a_list_is_parsed(url: str) -> None:
    """Though it has an object that is nested too deep."""
    async with aiohttp.ClientSession(response_class=Answer) as session, session.get(url) as response:
        check(*(await response.json())["items"])


async def test_a_watch_is_parsed(url: str) -> None:
    """Line by line, however the lines arrive."""
    text = b""
    async with aiohttp.ClientSession(response_class=Answer) as session, session.get(f"{url}?watch=true") as response:
        async for data in response.content.iter_chunked(1 << 20):
            text += data
    check(*(json.loads(line)["object"] for line in text.splitlines()))

"""A connection to the API server whose other end has gone silently is given up."""

import socket

import aiohttp

from fakeapi import FakeApi
from podgroup_operator.api.sockets import connector


async def test_a_line_on_which_nothing_is_acknowledged_is_given_up(api: FakeApi) -> None:
    """After eight seconds, also when nothing is sent: TCP asks after two whether somebody is there."""
    watch = f"{api.url}/api/v1/pods?watch=true"
    async with aiohttp.ClientSession(connector=connector(None)) as session, session.get(watch) as response:
        assert response.connection
        assert response.connection.transport
        line = response.connection.transport.get_extra_info("socket")
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)
        assert [line.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [8_000, 2, 2]

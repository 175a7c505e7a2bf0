"""Connections to the API server, on which a dead line is told from a slow server.

A server that is slow acknowledges what it gets; a network that swallows everything does not. TCP by itself tries for a
quarter of an hour, and whoever waits for an answer, or for the news on a watch, cannot know which of the two it is.
"""

import socket
import ssl
from typing import Any

import aiohttp

UNACKNOWLEDGED = 8.0  # seconds after which a line is dead
PROBES = 2  # seconds without traffic before TCP asks whether somebody is there, and between two such questions


def connector(tls: ssl.SSLContext | None) -> aiohttp.TCPConnector:
    """Make connections: any number of them, kept for a while."""
    return aiohttp.TCPConnector(limit=0, ssl=tls or True, keepalive_timeout=75, socket_factory=watched_socket)


def watched_socket(address: tuple[int, int, int, str, Any]) -> socket.socket:
    """Make a socket for an address as `getaddrinfo` gives it; what the system does not know is left out."""
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", PROBES),
        ("TCP_KEEPINTVL", PROBES),
        ("TCP_USER_TIMEOUT", int(UNACKNOWLEDGED * 1000)),
    ):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made

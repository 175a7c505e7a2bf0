"""A line to the API server that can be cut, which ends every watch on it; who calls again is let through.

An API server asks whether a watch is allowed when it begins and not again, so that a permission that is taken away is
felt only when the watch has ended, minutes later by itself.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Self
from urllib.parse import urlsplit

CHUNK = 65536


class Line(ThreadingTCPServer):
    """Passes on what is sent in both directions, without understanding it: it is encrypted.

    Args:
        server: the URL of the API server.
    """

    daemon_threads = True

    def __init__(self, server: str) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self._url = urlsplit(server)
        self.far_end = (self._url.hostname or "", self._url.port or 443)
        self.ends: list[socket.socket] = []
        self.asked = 0
        """Bytes that have been sent to the API server."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self.cut()

    @property
    def url(self) -> str:
        """Where to reach the API server by this line; its certificate is good for 127.0.0.1 on any port."""
        return f"{self._url.scheme}://127.0.0.1:{self.server_address[1]}"

    def cut(self) -> None:
        """End all connections."""
        ends, self.ends = self.ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class _Call(BaseRequestHandler):
    """One connection."""

    server: Line

    def handle(self) -> None:
        """Pass on until one side ends it."""
        near: socket.socket = self.request
        with socket.create_connection(self.server.far_end) as far:
            self.server.ends += [near, far]
            back = threading.Thread(target=self._pour, args=(far, near), daemon=True)
            back.start()
            self._pour(near, far)
            back.join()

    def _pour(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if source is self.request:
                    self.server.asked += len(data)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

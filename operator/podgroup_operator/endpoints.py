"""/healthz, /readyz and /metrics over HTTP."""

import asyncio
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from podgroup_operator import metrics

FILLING = "The caches are being filled."


@dataclass
class Health:
    """What the operator says of itself.

    Attributes:
        waiting_for: why it does not work yet, a sentence; "" when it does.
    """

    waiting_for: str = FILLING


class Endpoints:
    """A small HTTP server for the kubelet and Prometheus.

    Args:
        address: `host:port` or `:port`; port 0 takes a free one.
        health: what to report.
    """

    def __init__(self, address: str, health: Health) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._health = health
        app = web.Application()
        app.add_routes(
            [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)

    async def start(self) -> int:
        """Listen; give the port.

        Raises:
            OSError: if the address is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host.strip("[]") or None, self._port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._health.waiting_for:
            return web.Response(status=503, text=f"{self._health.waiting_for}\n")
        return web.Response(text="ok\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        body = await asyncio.to_thread(generate_latest, metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

"""/healthz, /readyz and /metrics over HTTP.

/healthz is for what only a restart can mend: an event loop that is stuck answers nobody, and a watch that has asked for
nothing for minutes is dead. An API server that is away is neither; /readyz says that it is waited for.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from podgroup_operator import metrics
from podgroup_operator.observe.pulse import Pulse

FILLING = "The caches are being filled."
START = "start"
DEAD = 120.0
"""Seconds without a request after which a watch is dead; each asks anew after 20 s, however ill the API server is."""


@dataclass
class Health:
    """What the operator says of itself.

    Attributes:
        waits: what is waited for, a sentence, by where and who waits; "" is everywhere.
        pulses: of what has to go on for ever.
        scopes: the namespaces that are served; "" is all of them together.
        remarks: what else is worth knowing, sentences, by whose they are.
    """

    waits: dict[tuple[str, str], str] = field(default_factory=lambda: {("", START): FILLING})
    pulses: list[Pulse] = field(default_factory=list)
    scopes: Sequence[str] = ("",)
    remarks: dict[str, str] = field(default_factory=dict)

    def tell(self, who: str, what: str, scope: str = "") -> None:
        """Note what somebody waits for, perhaps in one of several scopes only; "" is nothing."""
        self.waits[scope, who] = what

    def remark(self, who: str, what: str) -> None:
        """Note what is worth knowing though all is well; "" is nothing."""
        self.remarks[who] = what

    def waits_for(self, who: str) -> str:
        """Say what somebody waits for everywhere; "" is nothing."""
        return self.waits.get(("", who), "")

    @property
    def waiting_for(self) -> str:
        """Say why the operator does not work, or not well; "" when it does, be it in some of its scopes only."""
        troubles = self._troubles()
        everywhere = self.scopes and all(scope in troubles for scope in self.scopes)
        return troubles[self.scopes[0]] if everywhere else troubles.get("", "")

    @property
    def worth_knowing(self) -> str:
        """Say what is wrong in some of its scopes, and what else is worth knowing, a sentence in each line."""
        return "".join(f"{what}\n" for what in (*self._troubles().values(), *self.remarks.values()) if what)

    def _troubles(self) -> dict[str, str]:
        """Give the first trouble of each scope; that the caches are being filled is the least of them."""
        troubles: dict[str, str] = {}
        for (scope, _), what in self.waits.items():
            if what and troubles.get(scope, FILLING) == FILLING:
                troubles[scope] = what
        return troubles

    @property
    def dead(self) -> str:
        """Say what has come to a standstill for good; "" when nothing has."""
        dead = (pulse for pulse in self.pulses if pulse.silence() > DEAD)
        return next((f"{pulse.whose} has asked for nothing for {pulse.silence():.0f} s." for pulse in dead), "")


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
        return well_unless(self._health.dead)

    async def _readyz(self, _: web.Request) -> web.Response:
        return well_unless(self._health.waiting_for, self._health.worth_knowing)

    async def _metrics(self, _: web.Request) -> web.Response:
        for pulse in self._health.pulses:
            metrics.watch_age.labels(pulse.whose.removeprefix("The watch of ")).set(pulse.silence())
        body = await asyncio.to_thread(generate_latest, metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def well_unless(trouble: str, worth_knowing: str = "") -> web.Response:
    """Answer a probe: all is well, and what is worth knowing; or a sentence says what is not."""
    return web.Response(status=503, text=f"{trouble}\n") if trouble else web.Response(text=f"ok\n{worth_knowing}")

"""/healthz, /readyz and /metrics, as the kubelet and Prometheus ask for them."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from podgroup_operator import __version__
from podgroup_operator.observe.pulse import Pulse
from podgroup_operator.tell.endpoints import Endpoints, Health
from shell.operating import free_address


@pytest.fixture
def health() -> Health:
    """Give what the operator says of itself."""
    return Health()


@pytest.fixture
async def client(health: Health) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client of the endpoints."""
    endpoints = Endpoints("127.0.0.1:0", health)
    port = await endpoints.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        yield client
    await endpoints.stop()


async def ask(client: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    """Give the status code and the text of an answer."""
    async with client.get(path) as response:
        return response.status, await response.text()


async def test_it_is_not_ready_until_it_works(client: aiohttp.ClientSession, health: Health) -> None:
    """And says what it waits for, in a sentence; alive it is all the time."""
    assert await ask(client, "/readyz") == (503, "The caches are being filled.\n")
    health.tell("start", "The CRD is missing.")
    health.tell("pods", "Pods cannot be read.")
    assert await ask(client, "/readyz") == (503, "The CRD is missing.\n")
    assert await ask(client, "/healthz") == (200, "ok\n")
    health.tell("start", "")
    assert await ask(client, "/readyz") == (503, "Pods cannot be read.\n")
    health.tell("pods", "")
    assert await ask(client, "/readyz") == (200, "ok\n")


async def test_one_of_several_namespaces_in_trouble_is_named_and_the_operator_is_ready(
    client: aiohttp.ClientSession, health: Health
) -> None:
    """It serves the others; only if all are in trouble is it not ready."""
    health.scopes = ("a", "b")
    health.tell("start", "")
    health.tell("preflight", "It may not read pods in b.", "b")
    assert await ask(client, "/readyz") == (200, "ok\nIt may not read pods in b.\n")
    health.tell("preflight", "It may not read pods in a.", "a")
    assert await ask(client, "/readyz") == (503, "It may not read pods in a.\n")
    health.tell("preflight", "", "b")
    assert (await ask(client, "/readyz"))[0] == 200


async def test_what_is_worth_knowing_follows_the_ok(client: aiohttp.ClientSession, health: Health) -> None:
    """A sentence in each line; who stands by is as ready as who leads."""
    health.tell("start", "")
    health.remark("lease", "Standing by: another one leads.")
    health.remark("events", "")
    assert await ask(client, "/readyz") == (200, "ok\nStanding by: another one leads.\n")


async def test_it_is_dead_when_what_must_go_on_does_not(client: aiohttp.ClientSession, health: Health) -> None:
    """A watch that has asked for nothing for two minutes; one that waits for a permission is not dead."""
    now = 1000.0
    pulse = Pulse("The watch of pods", lambda: now)
    health.pulses.append(pulse)
    assert await ask(client, "/healthz") == (200, "ok\n")
    pulse.beat()
    now += 60
    assert await ask(client, "/healthz") == (200, "ok\n")
    now += 70
    assert await ask(client, "/healthz") == (503, "The watch of pods has asked for nothing for 130 s.\n")
    pulse.rest()
    assert await ask(client, "/healthz") == (200, "ok\n")


async def test_the_metrics_are_prometheus_own_format(client: aiohttp.ClientSession) -> None:
    """Those of the process, of the queue and of the groups; no label names an object."""
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        families = {family.name: family for family in text_string_to_metric_families(await response.text())}
    assert {"podgroup_reconcile", "podgroup_heals", "workqueue_depth", "process_cpu_seconds"} <= set(families)
    (build,) = families["podgroup_build_info"].samples
    assert (build.labels, build.value) == ({"version": __version__}, 1)
    ours = [family for name, family in families.items() if name.startswith(("podgroup_", "workqueue_"))]
    labels = {label for family in ours for sample in family.samples for label in sample.labels}
    assert labels <= {"kind", "version", "result", "cause", "stage", "reason", "le", "watch", "name", "controller"}


async def test_an_unknown_path_is_not_found(client: aiohttp.ClientSession) -> None:
    """Nothing else is served."""
    assert (await ask(client, "/"))[0] == 404


async def test_an_address_that_is_taken_is_an_error() -> None:
    """Of the kind that the command line tells the user about."""
    address = free_address()
    first, second = Endpoints(address, Health()), Endpoints(address, Health())
    await first.start()
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()
    await first.stop()


@pytest.mark.parametrize("host", ["", "localhost", "[::1]"])
async def test_the_host_may_be_left_out_or_be_of_the_sixth_version(host: str) -> None:
    """`:8080` is every address of the machine."""
    if host == "[::1]" and not has_ipv6():
        pytest.skip("This machine has no IPv6.")
    endpoints = Endpoints(f"{host}:0", Health())
    assert await endpoints.start() > 0
    await endpoints.stop()


def has_ipv6() -> bool:
    """Whether one can listen on this machine's own IPv6 address."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True

"""kopf itself, unchanged, can live with the fake API."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import kopf
import pytest

from fakeapi import CutLine, ErrorEvent, FakeApi
from fakeapi.client import a_group

Seen = list[tuple[str | None, str, int]]


@asynccontextmanager
async def watching(api: FakeApi) -> AsyncIterator[Seen]:
    """Run a kopf operator that notes the type, name and replicas of every event of a PodGroup."""
    seen: Seen = []
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: object) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=api.url)

    @kopf.on.event("selfheal.dev", "v1", "podgroups", registry=registry)
    async def note(type: str | None, name: str, spec: kopf.Spec, **_: object) -> None:  # noqa: A002 - kopf's own name
        seen.append((type, name, spec["replicas"]))

    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.process.ultimate_exiting_timeout = None
    stop = asyncio.Event()
    operator = asyncio.create_task(
        kopf.operator(registry=registry, settings=settings, clusterwide=True, standalone=True, stop_flag=stop)
    )
    try:
        yield seen
    finally:
        stop.set()
        await api.stop()  # kopf waits 5 s for every task begun after it; the server's connections are such
        await operator


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="kopf")


async def test_kopf_sees_what_is_created_changed_and_deleted(api: FakeApi) -> None:
    """Kopf lists, watches and hands each event on; it writes nothing."""
    api.create("podgroups", a_group("old"))
    async with watching(api) as seen:
        await api.until(lambda: seen == [(None, "old", 1)], "kopf has listed")
        api.create("podgroups", a_group("new"))
        api.patch("podgroups", "new", {"spec": {"replicas": 3}})
        api.delete("podgroups", "new")
        await api.until(lambda: len(seen) == 4, "kopf has seen three events")
        assert seen[1:] == [("ADDED", "new", 1), ("MODIFIED", "new", 3), ("DELETED", "new", 3)]
        assert {request.user_agent for request in api.requests} == {"kopf/1.45.2"}
        assert api.writes == []


@pytest.mark.parametrize("fault", [CutLine(), ErrorEvent(410)])
async def test_kopf_comes_back_after_a_broken_watch(api: FakeApi, fault: CutLine | ErrorEvent) -> None:
    """After a cut line, and after 410, kopf watches again and sees the next event."""
    async with watching(api) as seen:
        await api.until(lambda: bool(api.watches("podgroups")), "kopf watches")
        (first,) = api.watches("podgroups")
        api.strike(fault, "podgroups")
        await api.until(lambda: first not in api.watches("podgroups"), "that watch is over")
        api.create("podgroups", a_group("new"))
        await api.until(lambda: bool(seen), "kopf has seen the new one")
        assert seen[0][1:] == ("new", 1)

"""Writes: how many may be under way, for how long, and when nothing is sent any more."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from fakeapi import FakeApi, Hold
from fakeapi.client import a_pod
from podgroup_operator.api import fence
from podgroup_operator.api.cluster import Cluster, pods_path
from podgroup_operator.api.refusals import NotLeading, Unreachable
from podgroup_operator.api.writer import Unlimited, Writer, Writes

PODS = pods_path("default")


@dataclass
class Reign:
    """An authority as a test wants it."""

    number: int = 1
    until: Callable[[], float] = lambda: 60.0

    def tenure(self, _: str) -> int:
        """Give what the test says."""
        return self.number

    def remaining(self, _: str) -> float:
        """Give what the test says."""
        return self.until()


def has_written(api: FakeApi, number: int) -> bool:
    """Whether so many writes have arrived."""
    return len(api.writes) >= number


async def test_a_write_may_take_as_long_as_the_fence_stands(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for as long as there is more time to write, and given up when there is no more."""
    monkeypatch.setattr(fence, "EXTENSION", 0.02)
    gate, until = asyncio.Event(), time.monotonic() + 0.05
    writer = Writes(cluster, Reign(until=lambda: until - time.monotonic())).writer("default", "web")
    api.faults.add(Hold(gate), verb="create", times=None)
    write = asyncio.create_task(writer.create(PODS, a_pod("a")))
    for _ in range(5):
        until = time.monotonic() + 0.2
        await asyncio.sleep(0.05)  # the time that passes is the subject
    assert not write.done()
    with pytest.raises(Unreachable, match="longer than this operator may write"):
        await asyncio.wait_for(write, 2)
    assert time.monotonic() >= until
    gate.set()


async def test_so_many_writes_are_under_way_and_no_more(api: FakeApi, cluster: Cluster) -> None:
    """Of one group 32, of one namespace 64, of all 96 that are not known to hang; reads do not wait for them."""
    gate = asyncio.Event()
    api.faults.add(Hold(gate), verb="create", times=None)
    writes, sent = Writes(cluster, Unlimited()), list[asyncio.Task[Any]]()
    arrivals = [("a", "1", 32), ("a", "2", 32), ("a", "3", 0), ("b", "1", 32), ("c", "1", 0)]
    for namespace, group, more in arrivals:
        writer, most = writes.writer(namespace, group), len(api.writes) + more
        sent += [asyncio.create_task(writer.create(PODS, a_pod(f"{namespace}{group}-{each}"))) for each in range(40)]
        await api.until(partial(has_written, api, most), "writes are under way")
        await cluster.get(PODS)
        assert len(api.writes) == most
    await api.until(partial(has_written, api, 96 + 32), "those that hang make room for c")
    gate.set()
    await asyncio.gather(*sent)
    assert len(api.pods()) == 200
    assert not writes._shares  # noqa: SLF001 - of a group that writes nothing, nothing is kept


async def test_it_tells_when_all_writes_are_answered(api: FakeApi, cluster: Cluster) -> None:
    """Before a write, while it is under way, and after it; once closed, only what is told last is sent any more."""
    release = asyncio.Event()
    api.faults.add(Hold(release), verb="create")
    writes = Writes(cluster, Unlimited())
    writer = writes.writer("default", "web")
    assert await writes.still(0)
    write = asyncio.create_task(writer.create(PODS, a_pod("a")))
    await api.until(lambda: len(api.requests) == 1, "the write is under way")
    writes.close()
    with pytest.raises(NotLeading):
        await writer.create(PODS, a_pod("b"))
    with pytest.raises(NotLeading):
        await writes.writer("default", "web").create(PODS, a_pod("c"))
    await writes.writer("default", "web", last=True).create(PODS, a_pod("d"))
    assert not await writes.still(0.01)
    release.set()
    await write
    assert await writes.still(1)


async def test_what_was_decided_in_an_earlier_tenure_is_not_sent(api: FakeApi, cluster: Cluster) -> None:
    """Another operator may have led in between; a look that hung all that time must not go on with its old plan."""
    reign = Reign()
    writes = Writes(cluster, reign)
    old: Writer = writes.writer("default", "web")
    reign.number += 1
    with pytest.raises(NotLeading):
        await old.create(PODS, a_pod("a"))
    await writes.writer("default", "web").create(PODS, a_pod("b"))
    assert [pod["metadata"]["name"] for pod in api.pods()] == ["b"]

"""The demo's outside watch: what it sees, in which order, and that nothing is lost when its stream breaks."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import yaml

from demo.api import Api
from demo.trouble import Trouble
from demo.watch import News, Watch
from fakeapi import CutLine, ErrorEvent
from fakeapi.client import PODS_PATH, a_pod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from demo.pods import Pod
    from fakeapi import FakeApi
    from fakeapi.client import Client
    from fakeapi.faults import WatchFault

SECONDS = 10


@pytest.fixture
def seen() -> list[News]:
    """All news that the watch has told."""
    return []


@pytest.fixture
def watch(api: FakeApi, seen: list[News], tmp_path: Path) -> Iterator[Watch]:
    """A watch of the namespace `default`, not yet begun."""
    kubeconfig = {
        "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        "clusters": [{"name": "fake", "cluster": {"server": api.url}}],
        "users": [{"name": "fake", "user": {}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(kubeconfig))
    with closing(Api(str(tmp_path / "config"))) as connection:
        yield Watch(connection, "default", seen.append)


async def until(watch: Watch, holds: Callable[[tuple[Pod, ...]], bool]) -> bool:
    """Wait as the demo does, while the fake API goes on."""
    return await asyncio.to_thread(watch.until, holds, SECONDS, lambda: None)


def are(*names: str) -> Callable[[tuple[Pod, ...]], bool]:
    """Make the question whether these are all pods."""
    return lambda pods: sorted(pod.name for pod in pods) == sorted(names)


def told(seen: list[News]) -> list[tuple[str, str]]:
    """What happened to whom."""
    return [("gone" if news.gone else "changed" if news.before else "new", news.pod.name) for news in seen]


async def end(watch: Watch) -> None:
    """Close the watch without standing in the fake API's way."""
    await asyncio.to_thread(watch.__exit__, None, None, None)


async def test_it_tells_what_is_there_and_what_comes_and_goes(watch: Watch, seen: list[News], client: Client) -> None:
    """A pod that was there before counts as new; each piece of news has the pod as it was before, and a later time."""
    await client.ask("POST", PODS_PATH, a_pod("a"))
    watch.__enter__()
    assert await until(watch, are("a"))
    await client.ask("POST", PODS_PATH, a_pod("b"))
    assert await until(watch, are("a", "b"))
    await client.ask("DELETE", f"{PODS_PATH}/a")
    assert await until(watch, are("b"))
    await end(watch)
    assert told(seen) == [("new", "a"), ("new", "b"), ("changed", "a"), ("gone", "a")]
    assert seen[2].before == seen[0].pod
    assert seen[3].before == seen[2].pod
    assert sorted(news.at for news in seen) == [news.at for news in seen]


@pytest.mark.parametrize("fault", [CutLine(), ErrorEvent(410)], ids=["a cut line", "an ERROR event"])
async def test_what_goes_while_the_stream_is_broken_is_told(
    watch: Watch, seen: list[News], api: FakeApi, client: Client, fault: WatchFault
) -> None:
    """After a break the list is compared with what was known: who is missing is gone, who is new is new."""
    await client.ask("POST", PODS_PATH, a_pod("a"))
    rule = api.faults.add(fault, verb="watch", resource="pods")
    watch.__enter__()
    assert await until(watch, are("a"))
    await client.ask("DELETE", f"{PODS_PATH}/a", {"gracePeriodSeconds": 0})
    await client.ask("POST", PODS_PATH, a_pod("b"))
    assert await until(watch, are("b"))
    await end(watch)
    assert rule.hits == 1
    assert [each for each in told(seen) if each[0] != "changed"] == [("new", "a"), ("gone", "a"), ("new", "b")]


async def test_waiting_ends_at_the_deadline(watch: Watch) -> None:
    """What does not come true in time is False, not a wait for ever."""
    watch.__enter__()
    assert not await asyncio.to_thread(watch.until, are("never"), 0.2, lambda: None)
    await end(watch)


async def test_waiting_ends_when_the_check_objects(watch: Watch) -> None:
    """An operator that has died is not waited for."""

    def object_to_it() -> None:
        message = "it has ended"
        raise Trouble(message)

    watch.__enter__()
    with pytest.raises(Trouble, match="it has ended"):
        await asyncio.to_thread(watch.until, are("never"), SECONDS, object_to_it)
    await end(watch)

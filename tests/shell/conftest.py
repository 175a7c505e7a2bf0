"""Fixtures of the shell's tests: a fake Kubernetes API on a loopback port, and its clients: a plain one and ours."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fakeapi import FakeApi
from fakeapi.client import Client
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.login import Connection
from podgroup_operator.api.writer import Unlimited, Writes
from podgroup_operator.observe import informer, lanes, told
from podgroup_operator.tell import report
from shell.informed import Informed, create, running
from shell.stage import Stage


@pytest_asyncio.fixture
async def api() -> AsyncIterator[FakeApi]:
    """Give a fake API of three Ready nodes, its kubelet and garbage collector switched off."""
    async with FakeApi() as api:
        yield api


@pytest_asyncio.fixture
async def client(api: FakeApi) -> AsyncIterator[Client]:
    """Give a client of the fake API."""
    async with Client(api.url) as client:
        yield client


@pytest_asyncio.fixture
async def cluster(api: FakeApi) -> AsyncIterator[Cluster]:
    """Give the operator's own client of the fake API."""
    async with Cluster(Connection(api.url, None, lambda: "")) as cluster:
        yield cluster


@pytest.fixture
def writes(cluster: Cluster) -> Writes:
    """Give the door through which the operator writes, always open."""
    return Writes(cluster, Unlimited())


@pytest.fixture
def stage(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give a reconciler that is moved by hand.

    It tells each status at once: that two are 250 ms apart is real time, and a fact of test_report.py alone. Its pauses
    are exact: that they are drawn is a fact of test_lanes.py.
    """
    monkeypatch.setattr(report, "STATUS_INTERVAL", 0.0)
    monkeypatch.setattr(told, "SETTLING", 0.0)
    monkeypatch.setattr(lanes, "JITTER", (1.0, 1.0))
    return Stage(api, cluster)


@pytest.fixture
def hurried_informer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the informer's pauses short: that they grow is a fact of its own, and seconds teach nothing more."""
    monkeypatch.setattr(informer, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(informer, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(informer, "RECONNECT_PAUSE", 0.0)


@pytest_asyncio.fixture
async def watching(api: FakeApi, cluster: Cluster, hurried_informer: None) -> AsyncIterator[Informed]:
    """Give an informer that has listed one pod, `a`, and watches."""
    create(api, "a")
    async with running(Informed(api, cluster)) as informed:
        await api.until(lambda: len(api.watches("pods")) == 1, "the informer watches")
        yield informed

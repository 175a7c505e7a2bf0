"""Fixtures of the shell's tests: a fake Kubernetes API on a loopback port, and its clients: a plain one and ours."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fakeapi import FakeApi
from fakeapi.client import Client
from podgroup_operator import report
from podgroup_operator.cluster import Cluster
from podgroup_operator.login import Connection
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
def stage(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give a reconciler that is moved by hand.

    It tells each status at once: that two are 250 ms apart is real time, and a fact of test_report.py alone.
    """
    monkeypatch.setattr(report, "STATUS_INTERVAL", 0.0)
    return Stage(api, cluster)

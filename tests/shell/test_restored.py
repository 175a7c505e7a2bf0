"""An etcd restored from a backup: whoever asks finds out, and the operator begins anew.

That nobody finds out without one is a fact of all other tests: no operator begins anew in any of them.
"""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from builders import pod
from fakeapi import FakeApi
from fakeapi.client import a_group
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.restored import Restored
from podgroup_operator.observe.pods import PodStore
from shell.informed import Informed, create
from shell.operating import write_kubeconfig
from shell.stage import Stage, names
from shell.test_process import DEADLINE, process, says

BUMPS = pytest.mark.parametrize("bump", [0, 1_000_000], ids=["with the old versions", "as etcd advises"])


async def test_a_watch_that_was_cut_begins_with_the_question(api: FakeApi, cluster: Cluster) -> None:
    """A server that has gone back has nothing to say to who has seen more: its watch would be silent."""
    informed, backup = Informed(api, cluster), api.version
    task = asyncio.create_task(informed.informer.run())
    create(api, "a", "b")
    await informed.has("a", "b")
    await api.until(lambda: bool(api.watches("pods")), "the informer watches")
    await api.go_down()
    api.store.restore(backup)
    await api.come_up()
    with pytest.raises(Restored, match="/api/v1/pods has gone back from resourceVersion"):
        await asyncio.wait_for(task, DEADLINE)
    assert informed.pods() == ["a", "b"]


def test_a_new_list_with_an_older_pod_is_of_another_history() -> None:
    """Where the backup's versions were raised only the objects tell."""
    seen = pod("web-0")
    store = PodStore(lambda *_: True, lambda: 0.0)
    store.replace("", [seen], 100)
    store.replace("", [seen], 200)
    with pytest.raises(Restored, match="Pod shop/web-0 has gone back"):
        store.replace("", [replace(seen, version=seen.version - 1)], 300)


@BUMPS
async def test_a_group_that_has_gone_back_is_found_out(stage: Stage, bump: int) -> None:
    """A listing that tells of an older state leaves the group in doubt, so the next look reads it."""
    stage.api.create("podgroups", a_group("web", 2))
    await stage.settle()
    backup = stage.api.version
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 3}})
    stage.hear_groups()
    stage.api.store.restore(backup, bump)
    stage.groups.listed()
    stage.hear_groups()
    assert stage.group().desired.replicas == 3
    with pytest.raises(Restored, match="PodGroup default/web has gone back"):
        await stage.look()
    assert len(stage.api.pods()) == 2


@BUMPS
async def test_the_operator_begins_anew(api: FakeApi, tmp_path: Path, bump: int) -> None:
    """The same process forgets the pods that never were, serves the group as it is, heals it, and can be stopped."""
    api.kubelet.start()
    api.create("podgroups", a_group("web", 2))
    login = write_kubeconfig(tmp_path / "kubeconfig", api.url)
    async with process("--kubeconfig", login, "--no-leader-elect") as running:
        await api.until(lambda: api.get("podgroups", "web").get("status", {}).get("ready") == "2/2", "2/2", DEADLINE)
        backup = api.version
        api.patch("podgroups", "web", {"spec": {"replicas": 4}})
        for name in names(api.pods()):
            api.delete("pods", name, grace=0)
        await api.until(lambda: api.get("podgroups", "web")["status"]["ready"] == "4/4", "4/4", DEADLINE)
        await api.go_down()
        api.store.restore(backup, bump)
        await api.come_up()
        await says(running, "has gone back .*: its store was restored from a backup")
        await says(running, "http on port")
        api.delete("pods", names(api.pods())[0], grace=0)
        await api.until(lambda: len(api.pods()) == 2, "it heals", DEADLINE)
        running.send_signal(signal.SIGTERM)
        assert await running.wait() == 0
    most = alive = 2
    for change in api.history("pods"):
        if change.version > backup:
            alive += {"ADDED": 1, "DELETED": -1}.get(change.type, 0)
            most = max(most, alive)
    assert most == 2

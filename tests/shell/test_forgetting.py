"""Of a group that is gone nothing is remembered, whatever happens to it after the news of its end.

An operator lives for months and sees groups without number come and go: what it keeps of each is a leak.
"""

import asyncio

import pytest

from fakeapi import FakeApi, Hold
from fakeapi.client import a_group
from podgroup_operator.reconcile import Reconciler
from shell.operating import operating
from shell.stage import Stage, names


def remembered(reconciler: Reconciler) -> set[str]:
    """Give the UIDs of the groups of which anything is kept, their cached objects and pods aside."""
    return {uid for (_, uid), _ in reconciler.pods.memories}


@pytest.mark.parametrize("again", [False, True], ids=["it is gone", "another one has its name"])
async def test_a_group_that_goes_during_a_look_is_forgotten(stage: Stage, *, again: bool) -> None:
    """Its pods are made, Events are recorded, all after the news of its end; nothing remains."""
    stage.api.create("podgroups", a_group("web", 2))
    stage.hear()
    gone, gate = stage.group(), asyncio.Event()
    stage.api.faults.add(Hold(gate, after=True), verb="create", resource="pods", nth=2)  # the first is a dry run
    look = asyncio.create_task(stage.look())
    await stage.api.until(lambda: len(stage.api.pods()) == 1, "a pod is made")
    stage.api.delete("podgroups", "web")
    if again:
        stage.api.create("podgroups", a_group("web", 2))
        stage.reconciler.hear(stage.api.get("podgroups", "web"))
    else:
        stage.reconciler.forget(gone)
    gate.set()
    await look
    assert stage.recorder.told
    assert gone.uid not in remembered(stage.reconciler)
    assert stage.groups.named(gone.uid) is None


async def test_the_news_of_another_group_of_the_name_is_the_end_of_the_first(stage: Stage) -> None:
    """A watch with a gap may never tell that the first one was deleted; its pods are its own until they are gone."""
    stage.api.create("podgroups", a_group("web", 2))
    await stage.settle()
    first = stage.group().uid
    assert first in remembered(stage.reconciler)
    stage.api.delete("podgroups", "web")
    stage.api.create("podgroups", a_group("web", 2))
    stage.reconciler.hear(stage.api.get("podgroups", "web"))
    for name in names(stage.api.pods()):
        stage.api.delete("pods", name, grace=0)
    stage.hear_pods()
    assert first not in remembered(stage.reconciler)


async def test_many_groups_that_live_for_a_moment_leave_nothing_behind(api: FakeApi) -> None:
    """Each is deleted at another moment of its birth: while its pods are made, or its Events, or just before."""
    api.kubelet.start()
    api.collector.start()
    async with operating(api) as running:
        for number in range(120):
            api.create("podgroups", a_group(f"web-{number}", 2))
            for _ in range(number % 12):
                await asyncio.sleep(0.001)
            api.delete("podgroups", f"web-{number}")
        await api.until(lambda: not api.pods(), "all pods are gone")
        reconciler = running.operator._reconciler  # noqa: SLF001 - nobody else may ask
        await api.until(lambda: not len(reconciler.groups), "the operator has heard of the end of each")
        await api.until(lambda: not len(reconciler.pods), "and of the end of all pods")
        await api.until(lambda: not remembered(reconciler), "nothing is remembered")

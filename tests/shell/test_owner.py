"""No pod is made for a PodGroup that is gone, and nobody waits longer than need be to know that it lives."""

import asyncio
from collections.abc import Iterable

import pytest

from fakeapi import Answer, FakeApi, Hold
from fakeapi.client import a_group, a_pod
from fakeapi.routing import Request
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.core.model.pod import Pod
from shell.informed import Informed, running
from shell.stage import Stage, names

GROUPS = "podgroups.selfheal.dev"
OWNER = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": "of-web", "controller": True}


async def lose(stage: Stage, *which: int) -> None:
    """Give the group `web` three pods, and delete some of them; the caches do not know yet."""
    stage.api.create("podgroups", a_group("web", 3))
    await stage.settle()
    stage.pods.foreseen = stage.reconciler.foresee
    for pod in [stage.api.pods()[each] for each in which]:
        stage.api.delete("pods", pod["metadata"]["name"])


def reads(stage: Stage) -> list[Request]:
    """Give the requests that have read the group."""
    return [request for request in stage.api.requests if (request.verb, request.resource) == ("get", GROUPS)]


def foresee(stage: Stage, *which: int) -> bool:
    """Let pods, as they were numbered at first, be foreseen to be lost; tell whether that has set anything going."""
    return stage.pods.foresee([tuple(stage.family().pods)[each] for each in which])


async def test_the_owner_is_asked_about_before_the_loss_is_noted_and_once(stage: Stage) -> None:
    """The answer is on its way while the group is looked at, and serves the create."""
    await lose(stage, 0)
    before = len(reads(stage))
    assert foresee(stage, 0)
    await stage.api.until(lambda: len(reads(stage)) == before + 1, "the owner is read")
    stage.hear()
    await stage.look()
    assert len(reads(stage)) == before + 1
    assert len(stage.writes("create")) == 4


async def test_an_answer_from_before_another_loss_does_not_count_for_that(stage: Stage) -> None:
    """The owner may have gone between the two: it is read again, and not before the second loss was heard of."""
    await lose(stage, 0)
    foresee(stage, 0)
    await stage.api.until(lambda: len(reads(stage)) == 1, "the owner is read")
    stage.api.delete("podgroups", "web")
    stage.api.delete("pods", names(stage.api.pods())[1])
    stage.hear_pods()
    await stage.look()
    assert len(reads(stage)) == 2
    assert len(stage.writes("create")) == 3


@pytest.mark.parametrize("foreseen", [True, False])
async def test_nothing_is_made_for_an_owner_that_is_gone(stage: Stage, *, foreseen: bool) -> None:
    """Its pods are deleted after it, and the news of its own end has not come yet."""
    await lose(stage)
    stage.api.delete("podgroups", "web")
    stage.api.delete("pods", names(stage.api.pods())[0])
    assert foresee(stage, 0) if foreseen else True
    stage.hear_pods()
    assert await stage.look() == pytest.approx(1)
    assert len(stage.writes("create")) == 3
    assert stage.recorder.told[3:] == []


async def test_a_foreseen_answer_that_fails_is_told_and_asked_for_again(stage: Stage) -> None:
    """Nothing is made unread."""
    await lose(stage, 0)
    stage.api.faults.add(Answer(503), verb="get", resource=GROUPS)
    foresee(stage, 0)
    stage.hear()
    await stage.look()
    assert (len(stage.writes("create")), stage.recorder.told[-1][0]) == (3, "FailedCreate")
    stage.now += 1
    await stage.settle()
    assert len(stage.writes("create")) == 4


async def test_an_api_server_that_fails_is_asked_nothing_ahead(stage: Stage) -> None:
    """In an outage news may still come: each would be a question in vain, besides those of the looks, which pause."""
    await lose(stage, 0)
    stage.cluster.outage.failed()
    assert not foresee(stage, 0)
    stage.cluster.outage.answered()
    assert foresee(stage, 0)


async def test_the_end_of_a_pod_that_we_remove_asks_nothing(stage: Stage) -> None:
    """A scale-in costs no read."""
    await lose(stage)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 1}})
    stage.hear()
    await stage.look()
    leaving = stage.memory().written.leaving
    assert len(leaving) == 2
    assert not stage.pods.foresee(leaving)
    await stage.settle()
    assert reads(stage) == []


async def test_what_nobody_will_replace_asks_nothing(stage: Stage) -> None:
    """Whoever may not write reads nothing, and a group that is being deleted is not asked about."""
    await lose(stage, 0)
    stage.writing.close()
    foresee(stage, 0)
    await asyncio.sleep(0)
    assert reads(stage) == []


async def test_of_a_group_there_is_one_answer_ahead_at_a_time(stage: Stage) -> None:
    """A thousand deletions that come one by one are not a thousand reads."""
    await lose(stage, 0, 1, 2)
    gate = asyncio.Event()
    stage.api.faults.add(Hold(gate), verb="get", resource=GROUPS)
    for each in range(3):
        foresee(stage, each)
    await stage.api.until(lambda: len(reads(stage)) == 1, "the owner is asked about")
    gate.set()
    stage.hear()
    await stage.look()
    assert len(reads(stage)) == 2  # the second one for those that the first does not cover
    assert len(stage.writes("create")) == 6


@pytest.mark.parametrize("grace", [30, 0])
async def test_the_informer_foresees_a_deletion_before_it_takes_it(api: FakeApi, cluster: Cluster, grace: int) -> None:
    """A pod that is marked, or gone at once; another change foresees nothing."""
    informed, seen = Informed(api, cluster), list[tuple[str, bool]]()

    def note(pods: Iterable[Pod]) -> bool:
        seen.extend((pod.name, pod.deleted is None) for pod in pods)
        return True

    informed.store.foreseen = note
    api.create("pods", a_pod("web-0", ownerReferences=[OWNER]))
    async with running(informed):
        api.set_pod("web-0", node="node-0", ready=True)
        await api.until(lambda: bool(informed.told) and informed.told[-1].ready_since is not None, "it is Ready")
        assert seen == []
        api.delete("pods", "web-0", grace=grace)
        await api.until(lambda: bool(seen), "its end is foreseen")
    assert seen == [("web-0", True)]

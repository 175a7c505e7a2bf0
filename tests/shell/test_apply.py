"""A plan is carried out as far as the API server lets us, and no further than once."""

import asyncio

import pytest

from fakeapi import Answer, Cut, Delay, StatusError, errors
from fakeapi.client import a_group, a_pod
from fakeapi.resources import PODS, Obj
from podgroup_operator.core.conditions import PATIENCE
from podgroup_operator.core.names import pod_name
from shell.stage import Stage, names, slots

REPLICA_SET = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "of-rs", "controller": True}


def group(stage: Stage, replicas: int) -> str:
    """Create the group `web` and let it be heard of; give its UID."""
    uid: str = stage.api.create("podgroups", a_group("web", replicas))["metadata"]["uid"]
    stage.hear()
    return uid


def quota(stage: Stage, limit: int) -> None:
    """Admit so many pods."""

    def admit(pod: Obj) -> StatusError | None:
        used = len(stage.api.pods())
        full = used >= limit and pod["metadata"].get("name") is not None
        return errors.exceeded_quota(PODS, pod["metadata"]["name"], used=used, limited=limit) if full else None

    stage.api.admit = admit


def codes(stage: Stage, verb: str) -> list[int | None]:
    """Give the answers to the requests about pods of a verb, dry runs left out."""
    return [request.code for request in stage.writes(verb)]


async def test_creates_start_slowly_and_stop_at_the_first_batch_with_a_refusal(stage: Stage) -> None:
    """A quota of 5 for 10 costs 1 + 2 + 4 requests, and as long as it is full one request a pause."""
    quota(stage, 5)
    group(stage, 10)
    delay = await stage.look()
    assert codes(stage, "create") == [201, 201, 201, 201, 201, 403, 403]
    assert delay == pytest.approx(0.1)  # most was accepted
    for pause in (0.1, 1, 2, 4, 8, 16, 20):
        stage.now += pause
        stage.hear()
        await stage.look()
    assert codes(stage, "create")[7:] == [403] * 7
    stage.now += 20
    quota(stage, 10)
    await stage.settle()
    assert (len(stage.api.pods()), slots(stage.api.pods())) == (10, [str(slot) for slot in range(10)])


async def test_a_quota_of_zero_costs_one_request(stage: Stage) -> None:
    """And tells why, in the server's words, once."""
    quota(stage, 0)
    group(stage, 1000)
    await stage.look()
    assert codes(stage, "create") == [403]
    ((reason, note),) = stage.recorder.told
    assert reason == "FailedCreate"
    assert note.startswith("Error creating: pods ")
    assert note.endswith("exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0")
    assert stage.condition("ReplicaFailure")["message"] == note


FORBID = "It is tried again by itself."


@pytest.mark.parametrize(
    ("verb", "resource", "reason"),
    [
        ("create", "pods", "FailedCreate"),
        ("delete", "pods", "FailedDelete"),
        ("patch", "pods", "FailedCreate"),
        ("get", "podgroups.selfheal.dev", "FailedCreate"),
    ],
)
async def test_what_is_forbidden_stalls_the_group_and_says_why(
    stage: Stage, verb: str, resource: str, reason: str
) -> None:
    """The API server's words, with what to do; it is tried seldom, and done when it is allowed."""
    group(stage, 2)
    await stage.settle()
    stage.api.access.deny(verb, resource)
    first, second = names(stage.api.pods())
    if verb == "patch":
        stage.api.patch("pods", first, {"metadata": {"labels": {"selfheal.dev/podgroup": "other"}}})
    elif verb == "get":
        stage.api.delete("pods", second)
    else:
        stage.api.patch("podgroups", "web", {"spec": {"replicas": {"create": 3, "delete": 1}[verb]}})
    stage.hear()
    assert await stage.look() == pytest.approx(1)
    assert stage.condition("Stalled")["status"] == "False"  # it may pass
    stage.now += PATIENCE
    stage.hear()
    await stage.look()
    words = f'cannot {verb} resource "{resource.partition(".")[0]}"'
    failure, stalled = stage.condition("ReplicaFailure"), stage.condition("Stalled")
    assert (failure["status"], failure["reason"]) == (stalled["status"], stalled["reason"]) == ("True", reason)
    assert words in failure["message"]
    assert words in stalled["message"]
    assert stalled["message"].endswith(FORBID)
    stage.api.access.allow(verb, resource)
    stage.now += 20
    await stage.settle()
    assert stage.condition("Stalled")["status"] == stage.condition("ReplicaFailure")["status"] == "False"


async def test_a_pod_that_is_there_already_is_taken_as_made(stage: Stage) -> None:
    """A second operator that knows of no pod asks for the same names, gets 409, and makes no pod too many."""
    group(stage, 3)
    await stage.look()
    second = Stage(stage.api, stage.cluster)
    second.hear_groups()
    await second.look()
    assert codes(stage, "create") == [201, 201, 201, 409, 409, 409]
    assert len(stage.api.pods()) == 3
    second.hear_groups()
    await second.look()
    assert len(codes(stage, "create")) == 6
    assert second.recorder.told == []


@pytest.mark.parametrize("owns", [False, True], ids=["knows nothing of us", "names us, but not as its controller"])
async def test_a_name_that_a_stranger_has_is_passed_over(stage: Stage, *, owns: bool) -> None:
    """A 409 against a pod that is not ours means the next epoch, not a retry for ever."""
    uid = group(stage, 1)
    reference = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": uid}
    stranger = pod_name("web", uid, 0, 0)
    stage.api.create("pods", a_pod(stranger, ownerReferences=[REPLICA_SET] + [reference] * owns))
    delay = await stage.look()
    assert delay == pytest.approx(0.1)
    stage.hear()
    await stage.look()
    assert codes(stage, "create") == [409, 201]
    assert names(stage.api.pods()) == sorted([stranger, pod_name("web", uid, 0, 1)])


async def test_a_name_whose_owner_cannot_be_found_out_is_asked_for_again(stage: Stage) -> None:
    """The next look tries the same name, and then knows."""
    uid = group(stage, 1)
    stage.api.create("pods", a_pod(pod_name("web", uid, 0, 0), ownerReferences=[REPLICA_SET]))
    stage.api.faults.add(Answer(503), verb="get", resource="pods")
    for _ in range(3):
        stage.hear()
        await stage.look()
        stage.now += 1
    assert [request.name for request in stage.writes("create")] == [
        pod_name("web", uid, 0, epoch) for epoch in (0, 0, 1)
    ]


@pytest.mark.parametrize("heard", [True, False])
async def test_a_lost_answer_makes_no_second_pod(stage: Stage, *, heard: bool) -> None:
    """Whether or not the cache has heard of the pod when the create is tried again, there is one."""
    stage.api.faults.add(Cut(after=True), verb="create", resource="pods", nth=2)
    group(stage, 1)
    delay = await stage.look()
    assert delay == pytest.approx(0.5)
    assert [reason for reason, _ in stage.recorder.told] == ["FailedCreate"]
    stage.now += 1
    if heard:
        stage.hear()
    else:
        stage.hear_groups()
    await stage.look()
    await stage.settle()
    assert len(stage.api.pods()) == 1
    assert codes(stage, "create") == [None] + [409] * (not heard)
    assert stage.condition("ReplicaFailure")["status"] == "False"


async def test_a_server_that_asks_for_patience_gets_it(stage: Stage) -> None:
    """After 429 with Retry-After: 7 nothing is created for 7 s, whatever wakes the group."""
    stage.api.faults.add(Answer(429, retry_after=7), verb="create", resource="pods", nth=2)
    group(stage, 2)
    assert await stage.look() == pytest.approx(7)
    for _ in range(3):
        stage.now += 2
        stage.hear()
        await stage.look()
    assert codes(stage, "create") == [429]
    stage.now += 1
    await stage.settle()
    assert len(stage.api.pods()) == 2


async def test_a_namespace_that_ends_takes_no_pods_and_nobody_is_told(stage: Stage) -> None:
    """As upstream: nothing can be made there any more, and nobody is at fault."""
    stage.api.create("pods", a_pod("keeps the namespace"))
    group(stage, 5)
    stage.api.delete("namespaces", "default")
    delay = await stage.look()
    assert codes(stage, "create") == [403]
    assert stage.recorder.told == []
    assert delay == pytest.approx(1)


async def test_every_delete_and_patch_says_which_state_of_which_object_it_means(stage: Stage) -> None:
    """Deletes, adoptions, releases and statuses carry the UID and the resourceVersion of what was looked at."""
    group(stage, 3)
    await stage.settle()
    label = {"selfheal.dev/podgroup": "web"}
    stage.api.patch("pods", names(stage.api.pods())[0], {"metadata": {"labels": {"selfheal.dev/podgroup": "none"}}})
    stage.api.create("pods", a_pod("orphan", labels=label))
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 1}})
    await stage.settle()
    deletes, patches = stage.writes("delete"), stage.writes("patch")
    statuses = stage.writes("patch", "podgroups.selfheal.dev")
    assert (len(deletes), len(patches)) == (2, 2)
    bodies = [request.body or {} for request in deletes + patches + statuses]
    for body in bodies:
        condition = body.get("preconditions") or body["metadata"]
        assert condition["uid"]
        assert int(condition["resourceVersion"]) > 0


async def test_a_pod_that_changed_since_is_not_deleted_but_looked_at_again(stage: Stage) -> None:
    """The delete gets 409, nobody is told of an error, and the next look deletes it as it is now."""
    group(stage, 1)
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 0}})
    stage.hear()
    stage.api.set_pod(names(stage.api.pods())[0], node="node-0", ready=True)
    assert await stage.look() == pytest.approx(0.1)
    assert (codes(stage, "delete"), len(stage.api.pods())) == ([409], 1)
    stage.now += 0.1
    await stage.settle()
    assert codes(stage, "delete") == [409, 200]
    assert [reason for reason, _ in stage.recorder.told] == ["SuccessfulCreate", "SuccessfulDelete"]


async def test_a_pod_that_is_gone_already_is_deleted(stage: Stage) -> None:
    """404 is what was wanted."""
    group(stage, 1)
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 0}})
    stage.hear()
    stage.api.delete("pods", names(stage.api.pods())[0])
    await stage.look()
    await stage.settle()
    assert codes(stage, "delete") == [404]
    assert [reason for reason, _ in stage.recorder.told] == ["SuccessfulCreate"]


@pytest.mark.parametrize(("fault", "times"), [(Answer(403, message="no"), 1), (Cut(), 2)])
async def test_a_delete_that_fails_is_told_and_tried_again(stage: Stage, fault: Answer | Cut, times: int) -> None:
    """With an Event and a condition; a pod whose delete was refused is not condemned: its death would be a loss.

    One whose delete was not answered is, until that is found out (test_read_your_writes.py). One lost connection is
    not enough to fail: where it had been kept, what may be asked twice is asked again on a new one.
    """
    group(stage, 1)
    await stage.settle()
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 0}})
    stage.api.faults.add(fault, verb="delete", times=times)
    stage.hear()
    assert await stage.look() == pytest.approx(0.5 if isinstance(fault, Cut) else 1)
    assert stage.recorder.told[-1][0] == "FailedDelete"
    assert stage.condition("ReplicaFailure")["reason"] == "FailedDelete"
    assert len(stage.memory().written.leaving) == isinstance(fault, Cut)
    stage.now += 1
    await stage.settle()
    assert (stage.api.pods(), stage.condition("ReplicaFailure")["status"]) == ([], "False")


async def test_requests_of_one_plan_run_side_by_side(stage: Stage) -> None:
    """Fifty creates that take 20 ms each, 63 of them in 6 batches, do not take a second."""
    stage.api.faults.add(Delay(0.02), verb="create", resource="pods", times=None)
    group(stage, 50)
    await asyncio.wait_for(stage.look(), 0.9)
    assert len(stage.api.pods()) == 50


async def test_a_pod_that_goes_makes_room_for_creates_alone(stage: Stage) -> None:
    """A status and a removal that are forbidden wait as long as they would, however many pods come and go."""
    group(stage, 9)
    await stage.settle()
    status = stage.api.faults.add(Answer(403), verb="patch", subresource="status", times=None)
    removal = stage.api.faults.add(Answer(403), verb="delete", resource="pods", times=None)
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 1}})
    for _ in range(7):
        stage.api.delete("pods", names(stage.api.pods())[-1], grace=0)
        stage.hear()
        await stage.look()
        stage.now += 0.1
    assert (status.hits, removal.hits) == (1, 3)


async def test_a_create_that_conflicts_is_told_and_paced(stage: Stage) -> None:
    """A quota that was written meanwhile says 409: tried again a tenth of a second later, then ever more seldom."""
    group(stage, 50)
    conflict = Answer(409, message="Operation cannot be fulfilled on resourcequotas")
    faulty = stage.api.faults.add(conflict, verb="create", resource="pods", name=bool, times=None)
    pauses = []
    for _ in range(5):
        stage.hear()
        pauses.append(await stage.look())
        stage.now += pauses[-1] or 0
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6])
    assert faulty.hits <= 5 + 1  # and a dry run
    assert stage.condition("ReplicaFailure")["reason"] == "FailedCreate"


async def test_what_is_found_out_after_a_refusal_is_acted_upon_soon(stage: Stage) -> None:
    """Whose pod has the name could not be read at first; when it can, and is a stranger's, the next name is tried."""
    group(stage, 1)
    await stage.settle()
    uid = stage.group().uid
    stage.api.create("pods", a_pod(pod_name("web", uid, 1, 0)))
    stage.api.access.deny("get", "pods")
    stage.api.patch("podgroups", "web", {"spec": {"replicas": 2}})
    stage.hear_groups()
    assert await stage.look() == pytest.approx(1)
    stage.api.access.allow("get", "pods")
    stage.now += 1
    assert await stage.look() == pytest.approx(0.1)
    stage.now += 0.1
    await stage.settle()
    assert len([pod for pod in stage.api.pods() if pod["metadata"].get("ownerReferences")]) == 2


async def test_a_name_that_is_said_to_be_taken_by_nobody_is_asked_for_ever_later(stage: Stage) -> None:
    """A webhook answers each create with 409 AlreadyExists, and no pod is there: no hot loop, and people are told."""
    stage.api.admit = lambda pod: errors.already_exists(PODS, pod["metadata"]["name"], terminating=False)
    group(stage, 20)
    for _ in range(200):
        stage.now += 0.05
        stage.hear()
        await stage.look()
    assert len(codes(stage, "create")) < 30
    failing = stage.condition("ReplicaFailure")
    assert failing["status"] == "True"
    assert "there is no such pod" in failing["message"]

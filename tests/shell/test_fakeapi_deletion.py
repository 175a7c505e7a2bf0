"""The fake API deletes as kube-apiserver 1.37.2 does: grace, preconditions, finalizers.

The expected answers were taken from a running kube-apiserver, not from the fake.
"""

from datetime import UTC, datetime

import pytest

from fakeapi import FakeApi
from fakeapi.client import PODGROUPS_PATH, PODS_PATH, Client, a_group, a_pod
from fakeapi.registry import MERGE
from fakeapi.resources import Obj

A = f"{PODS_PATH}/a"
G = f"{PODGROUPS_PATH}/g"
NOBODY = "11111111-2222-3333-4444-555555555555"


async def test_an_unbound_pod_goes_at_once_in_two_steps(api: FakeApi, client: Client) -> None:
    """Deleting a pod without a node is written twice: its deletionTimestamp, then its end."""
    await client.ask("POST", PODS_PATH, a_pod("a"))
    answered = await client.ask("DELETE", A)
    assert (answered.code, answered.body["metadata"]["deletionGracePeriodSeconds"]) == (200, 0)
    assert [change.type for change in api.history("pods")] == ["ADDED", "MODIFIED", "DELETED"]
    assert answered.body["metadata"]["resourceVersion"] == str(api.version)
    assert (await client.ask("GET", A)).body["message"] == 'pods "a" not found'


async def test_a_bound_pod_terminates_first(api: FakeApi, client: Client) -> None:
    """A pod on a node gets deletionTimestamp = now + grace and stays until its kubelet ends it."""
    api.clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    api.create("pods", a_pod("a"))
    api.set_pod("a", node="node-0", ready=True)
    pod = (await client.ask("DELETE", A)).body["metadata"]
    assert (pod["deletionTimestamp"], pod["deletionGracePeriodSeconds"]) == ("2026-01-01T00:00:30Z", 30)
    assert pod["generation"] == 2
    version = api.version
    assert (await client.ask("DELETE", A)).code == 200
    assert api.version == version
    taken = await client.ask("POST", PODS_PATH, a_pod("a"))
    assert taken.body["message"] == 'object is being deleted: pods "a" already exists'
    api.finish_termination("a")
    assert api.pods() == []


async def test_a_second_delete_can_only_shorten_the_grace(api: FakeApi, client: Client) -> None:
    """A shorter gracePeriodSeconds brings the end forward; grace 0 ends it."""
    api.create("pods", a_pod("a"))
    api.set_pod("a", node="node-0", ready=True)
    graces = []
    for seconds in (20, 25, 5):
        answered = await client.ask("DELETE", A, {"gracePeriodSeconds": seconds})
        graces.append(answered.body["metadata"]["deletionGracePeriodSeconds"])
    assert graces == [20, 20, 5]
    await client.ask("DELETE", A, {"gracePeriodSeconds": 0})
    assert api.pods() == []


async def test_a_finished_pod_needs_no_grace(api: FakeApi, client: Client) -> None:
    """A Failed pod goes at once although it is bound."""
    api.create("pods", a_pod("a"))
    api.set_pod("a", node="node-0", phase="Failed", reason="Evicted")
    await client.ask("DELETE", A)
    assert api.pods() == []


@pytest.mark.parametrize(
    ("preconditions", "message"),
    [
        (
            {"uid": NOBODY},
            (
                "the UID in the precondition ({asked}) does not match the UID in record ({uid}). "
                "The object might have been deleted and then recreated"
            ),
        ),
        (
            {"resourceVersion": "1"},
            (
                "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({version}). "
                "The object might have been modified"
            ),
        ),
    ],
)
async def test_delete_preconditions_protect_another_object(client: Client, preconditions: Obj, message: str) -> None:
    """A DELETE for another UID or version gets 409 in the server's words, which name the kind."""
    metadata = (await client.ask("POST", PODS_PATH, a_pod("a"))).body["metadata"]
    answered = await client.ask("DELETE", A, {"preconditions": preconditions})
    why = message.format(asked=NOBODY, uid=metadata["uid"], version=metadata["resourceVersion"])
    assert (answered.code, answered.body["reason"]) == (409, "Conflict")
    assert answered.body["message"] == f'Operation cannot be fulfilled on Pod "a": {why}'
    assert answered.body["details"] == {"name": "a", "kind": "Pod"}


async def test_delete_preconditions_that_hold_let_it_go(client: Client) -> None:
    """A DELETE with the right UID and version deletes; of a PodGroup it answers a Status with Success."""
    metadata = (await client.ask("POST", PODGROUPS_PATH, a_group("g"))).body["metadata"]
    preconditions = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
    answered = await client.ask("DELETE", G, {"preconditions": preconditions})
    details = {"name": "g", "group": "selfheal.dev", "kind": "podgroups", "uid": metadata["uid"]}
    assert (answered.body["status"], answered.body["details"]) == ("Success", details)


async def test_a_finalizer_holds_an_object_until_it_is_taken_off(api: FakeApi, client: Client) -> None:
    """An object with a finalizer is only marked; it takes no new finalizer, and goes with the last one."""
    api.create("podgroups", a_group("g"))
    api.patch("podgroups", "g", {"metadata": {"finalizers": ["a.example/b"]}})
    marked = (await client.ask("DELETE", G)).body["metadata"]
    assert (marked["deletionGracePeriodSeconds"], marked["generation"]) == (0, 2)
    more = await client.ask("PATCH", G, {"metadata": {"finalizers": ["a.example/b", "c.example/d"]}}, form=MERGE)
    assert (more.code, more.body["reason"]) == (422, "Invalid")
    await client.ask("PATCH", G, {"metadata": {"finalizers": None}}, form=MERGE)
    assert api.list("podgroups") == []

"""The fake API writes as kube-apiserver 1.37.2 does: create, update, patch.

The expected answers were taken from a running kube-apiserver, not from the fake.
"""

from datetime import UTC, datetime

import pytest

from fakeapi import FakeApi
from fakeapi.client import PODGROUPS_PATH, PODS_PATH, Client, a_group, a_pod
from fakeapi.registry import MERGE, STRATEGIC
from fakeapi.resources import Obj

A = f"{PODS_PATH}/a"
G = f"{PODGROUPS_PATH}/g"
NAMELESS = "name or generateName is required"
NOBODY = "11111111-2222-3333-4444-555555555555"


def owner(group: Obj, **fields: object) -> Obj:
    """Give an ownerReference to a group."""
    metadata = group["metadata"]
    head = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup"}
    return {**head, "name": metadata["name"], "uid": metadata["uid"], **fields}


async def test_a_created_object_has_what_only_the_server_gives(api: FakeApi, client: Client) -> None:
    """A new pod has a UID, a whole-second creationTimestamp, generation 1, its version, and the defaults."""
    api.clock = lambda: datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    answered = await client.ask("POST", PODS_PATH, a_pod("a"))
    pod = answered.body
    assert answered.code == 201
    assert pod["metadata"] == {
        "name": "a",
        "namespace": "default",
        "uid": pod["metadata"]["uid"],
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "generation": 1,
        "resourceVersion": str(api.version),
    }
    assert len(pod["metadata"]["uid"]) == len(NOBODY)
    assert (pod["spec"]["restartPolicy"], pod["spec"]["terminationGracePeriodSeconds"]) == ("Always", 30)
    assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert api.get("pods", "a") == pod


async def test_every_write_raises_one_version_over_all_objects(api: FakeApi, client: Client) -> None:
    """Versions count up by one from write to write, whatever the kind."""
    first = await client.ask("POST", PODS_PATH, a_pod("a"))
    second = await client.ask("POST", PODGROUPS_PATH, a_group("g"))
    third = await client.ask("PATCH", A, {"metadata": {"labels": {"x": "y"}}}, form=MERGE)
    versions = [int(answered.body["metadata"]["resourceVersion"]) for answered in (first, second, third)]
    assert versions == [versions[0], versions[0] + 1, versions[0] + 2]


async def test_a_name_that_is_taken_is_refused(client: Client) -> None:
    """The second create of a name gets 409 AlreadyExists, in the server's words."""
    await client.ask("POST", PODS_PATH, a_pod("a"))
    answered = await client.ask("POST", PODS_PATH, a_pod("a"))
    assert answered.code == 409
    assert answered.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'pods "a" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "a", "kind": "pods"},
        "code": 409,
    }


async def test_generate_name_makes_new_names(client: Client) -> None:
    """GenerateName is completed with five characters, other ones each time."""
    body = a_group("")
    body["metadata"] = {"generateName": "g-"}
    names = {(await client.ask("POST", PODGROUPS_PATH, body)).body["metadata"]["name"] for _ in range(2)}
    assert sorted((name[:2], len(name)) for name in names) == [("g-", 7), ("g-", 7)]


async def test_a_dry_run_answers_but_changes_nothing(api: FakeApi, client: Client) -> None:
    """With dryRun=All a pod is answered with a UID but no version, and is not there afterwards."""
    before = api.version
    answered = await client.ask("POST", PODS_PATH, a_pod("a"), dryRun="All")
    assert (answered.code, "uid" in answered.body["metadata"]) == (201, True)
    assert "resourceVersion" not in answered.body["metadata"]
    assert (api.pods(), api.version) == ([], before)


@pytest.mark.parametrize(
    ("path", "body", "code", "message"),
    [
        ("/api/v1/namespaces/none/pods", a_pod("a"), 404, 'namespaces "none" not found'),
        (PODS_PATH, a_pod(""), 422, f'Pod "" is invalid: metadata.name: Required value: {NAMELESS}'),
        (
            PODS_PATH,
            {"metadata": {"name": "a"}, "spec": {"containers": []}},
            422,
            'Pod "a" is invalid: spec.containers: Required value',
        ),
        (
            PODS_PATH,
            a_pod("a", namespace="other"),
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (PODS_PATH, a_pod("a", resourceVersion="7"), 500, "resourceVersion should not be set on objects to be created"),
    ],
)  # fmt: skip
async def test_a_wrong_create_is_refused_in_the_servers_words(
    client: Client, path: str, body: Obj, code: int, message: str
) -> None:
    """A create that cannot be is answered with the server's code and message."""
    answered = await client.ask("POST", path, body)
    assert (answered.code, answered.body["message"]) == (code, message)


async def test_a_put_replaces_only_the_version_that_it_names(client: Client) -> None:
    """A PUT with an older resourceVersion gets 409 Conflict; a custom object needs one to be replaced at all."""
    group = (await client.ask("POST", PODGROUPS_PATH, a_group("g"))).body
    await client.ask("PATCH", G, {"spec": {"replicas": 2}}, form=MERGE)
    stale = await client.ask("PUT", G, group)
    group["metadata"].pop("resourceVersion")
    unversioned = await client.ask("PUT", G, group)
    assert (stale.code, stale.body["reason"]) == (409, "Conflict")
    assert stale.body["message"].startswith('Operation cannot be fulfilled on podgroups.selfheal.dev "g": the object')
    assert (unversioned.code, unversioned.body["reason"]) == (422, "Invalid")


async def test_a_put_for_another_uid_is_a_conflict(client: Client) -> None:
    """A PUT that carries the UID of an older namesake gets 409, whatever its version."""
    pod = (await client.ask("POST", PODS_PATH, a_pod("a"))).body
    pod["metadata"]["uid"] = NOBODY
    answered = await client.ask("PUT", A, pod)
    assert (answered.code, answered.body["reason"]) == (409, "Conflict")
    assert f"Precondition failed: UID in precondition: {NOBODY}" in answered.body["message"]


async def test_adoption_merges_owner_references_by_uid(client: Client) -> None:
    """ReplicaSet's adoption patch adds its reference, changes its own, and leaves others alone."""
    group = (await client.ask("POST", PODGROUPS_PATH, a_group("g"))).body
    other = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": NOBODY}
    pod = (await client.ask("POST", PODS_PATH, a_pod("a", ownerReferences=[other, owner(group)]))).body
    ours = owner(group, controller=True, blockOwnerDeletion=True)
    patch = {"metadata": {"ownerReferences": [ours], "uid": pod["metadata"]["uid"]}}
    adopted = await client.ask("PATCH", A, patch, form=STRATEGIC)
    assert (adopted.code, adopted.body["metadata"]["ownerReferences"]) == (200, [other, ours])


async def test_a_new_item_of_a_merged_list_comes_first(client: Client) -> None:
    """The server puts what a strategic merge adds before what was there."""
    group = (await client.ask("POST", PODGROUPS_PATH, a_group("g"))).body
    other = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": NOBODY}
    await client.ask("POST", PODS_PATH, a_pod("a", ownerReferences=[other]))
    patch = {"metadata": {"ownerReferences": [owner(group)]}}
    adopted = await client.ask("PATCH", A, patch, form=STRATEGIC)
    assert adopted.body["metadata"]["ownerReferences"] == [owner(group), other]


async def test_release_takes_out_one_owner_and_can_be_repeated(api: FakeApi, client: Client) -> None:
    """ReplicaSet's release patch removes its reference; the second time it finds nothing and writes nothing."""
    group = (await client.ask("POST", PODGROUPS_PATH, a_group("g"))).body
    await client.ask("POST", PODS_PATH, a_pod("a", ownerReferences=[owner(group)]))
    patch = {"metadata": {"ownerReferences": [{"$patch": "delete", "uid": group["metadata"]["uid"]}]}}
    released = await client.ask("PATCH", A, patch, form=STRATEGIC)
    version = api.version
    again = await client.ask("PATCH", A, patch, form=STRATEGIC)
    assert "ownerReferences" not in released.body["metadata"]
    assert (again.code, api.version) == (200, version)


async def test_a_second_controller_is_refused(client: Client) -> None:
    """A pod has at most one owner that is its controller."""
    group = (await client.ask("POST", PODGROUPS_PATH, a_group("g"))).body
    await client.ask("POST", PODS_PATH, a_pod("a", ownerReferences=[owner(group, controller=True)]))
    patch = {"metadata": {"ownerReferences": [{**owner(group, controller=True), "uid": NOBODY}]}}
    answered = await client.ask("PATCH", A, patch, form=STRATEGIC)
    assert answered.code == 422
    assert answered.body["message"].endswith('Found "true" in references for PodGroup/g and PodGroup/g')


async def test_a_patch_for_another_uid_is_invalid(client: Client) -> None:
    """A PATCH whose metadata.uid is not the object's gets 422 (not 409), as ReplicaSet's release code expects."""
    await client.ask("POST", PODS_PATH, a_pod("a"))
    answered = await client.ask("PATCH", A, {"metadata": {"uid": NOBODY}}, form=STRATEGIC)
    assert (answered.code, answered.body["reason"]) == (422, "Invalid")
    assert (
        answered.body["message"] == f'Pod "a" is invalid: metadata.uid: Invalid value: "{NOBODY}": field is immutable'
    )


async def test_a_patch_for_another_version_is_a_conflict(client: Client) -> None:
    """A PATCH whose metadata.resourceVersion is not the object's gets 409 Conflict."""
    await client.ask("POST", PODS_PATH, a_pod("a"))
    answered = await client.ask("PATCH", A, {"metadata": {"resourceVersion": "1"}}, form=MERGE)
    assert (answered.code, answered.body["reason"]) == (409, "Conflict")


async def test_a_patch_that_changes_nothing_writes_nothing(api: FakeApi, client: Client) -> None:
    """A no-op patch is answered with the object and leaves its version, and everybody's, alone."""
    await client.ask("POST", PODGROUPS_PATH, a_group("g"))
    version = api.version
    answered = await client.ask("PATCH", G, {"spec": {"replicas": 1}, "metadata": {"labels": {}}}, form=MERGE)
    assert (answered.code, answered.body["metadata"]["resourceVersion"]) == (200, str(version))
    assert api.version == version


async def test_custom_objects_take_no_strategic_merge(client: Client) -> None:
    """A strategic merge patch of a PodGroup gets 415."""
    await client.ask("POST", PODGROUPS_PATH, a_group("g"))
    assert (await client.ask("PATCH", G, {}, form=STRATEGIC)).code == 415


async def test_spec_and_status_have_separate_doors(api: FakeApi, client: Client) -> None:
    """The main door ignores status and counts generations; /status takes nothing but the status."""
    await client.ask("POST", PODGROUPS_PATH, {**a_group("g"), "status": {"replicas": 9}})
    change: Obj = {
        "metadata": {"labels": {"x": "y"}},
        "spec": {"replicas": 5},
        "status": {"replicas": 3},
    }
    by_status = (await client.ask("PATCH", f"{G}/status", change, form=MERGE)).body
    assert (by_status["status"], by_status["spec"]["replicas"]) == ({"replicas": 3}, 1)
    assert ("labels" in by_status["metadata"], by_status["metadata"]["generation"]) == (False, 1)
    change["status"] = {"replicas": 4}
    by_main = (await client.ask("PATCH", G, change, form=MERGE)).body
    assert (by_main["status"], by_main["spec"]["replicas"]) == ({"replicas": 3}, 5)
    assert (by_main["metadata"]["labels"], by_main["metadata"]["generation"]) == ({"x": "y"}, 2)


async def test_scale_shows_and_sets_the_replicas(client: Client) -> None:
    """The scale subresource reads spec.replicas, status.replicas and status.selector, and writes the first."""
    await client.ask("POST", PODGROUPS_PATH, a_group("g", replicas=2))
    status = {"status": {"replicas": 1, "selector": "a=b"}}
    await client.ask("PATCH", f"{G}/status", status, form=MERGE)
    scaled = await client.ask("PATCH", f"{G}/scale", {"spec": {"replicas": 4}}, form=MERGE)
    assert (scaled.body["kind"], scaled.body["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scaled.body["spec"], scaled.body["status"]) == ({"replicas": 4}, {"replicas": 1, "selector": "a=b"})
    group = (await client.ask("GET", G)).body
    assert (group["spec"]["replicas"], group["metadata"]["generation"]) == (4, 2)


async def test_a_revision_keeps_its_data(client: Client) -> None:
    """A ControllerRevision's data cannot change; where its keys are not sorted no PATCH passes at all, only a PUT."""
    path = "/apis/apps/v1/namespaces/default/controllerrevisions"
    plain = {"metadata": {"name": "plain"}, "revision": 1, "data": {"cmd": "a"}}
    shell = {"metadata": {"name": "shell"}, "revision": 1, "data": {"cmd": "a", "args": "b"}}
    await client.ask("POST", path, plain)
    await client.ask("POST", path, shell)
    codes = [
        (await client.ask("PATCH", f"{path}/plain", {"data": {"cmd": "b"}}, form=MERGE)).code,
        (await client.ask("PATCH", f"{path}/plain", {"revision": 2}, form=MERGE)).code,
        (await client.ask("PATCH", f"{path}/shell", {"revision": 2}, form=MERGE)).code,
        (await client.ask("PUT", f"{path}/shell", {**shell, "revision": 2})).code,
    ]
    assert codes == [422, 200, 422, 200]


async def test_what_a_test_holds_is_a_copy(api: FakeApi) -> None:
    """Changing an object that the fake handed out, or was given, does not change the fake's."""
    body = a_pod("a")
    pod = api.create("pods", body)
    pod["metadata"]["labels"] = {"x": "y"}
    body["spec"]["containers"][0]["image"] = "other"
    kept = api.get("pods", "a")
    assert ("labels" in kept["metadata"], kept["spec"]["containers"][0]["image"]) == (False, "app")

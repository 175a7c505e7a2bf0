"""The fake API defaults a template as kube-apiserver 1.37.2 does, and keeps ControllerRevisions as it does.

What is expected was answered by a running kube-apiserver, not by the fake.
"""

import json
from pathlib import Path

import pytest

from fakeapi import FakeApi
from fakeapi.client import Client, a_group
from fakeapi.quantities import canonical
from fakeapi.registry import MERGE
from fakeapi.resources import Obj

TEMPLATES = "/api/v1/namespaces/default/podtemplates"
REVISIONS = "/apis/apps/v1/namespaces/default/controllerrevisions"
RIGHTS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
ANSWERED: dict[str, dict[str, Obj]] = json.loads(Path(__file__).with_name("templates_answered.json").read_text())
QUANTITIES = {
    "0.5": "500m",
    "1000m": "1",
    "1024Mi": "1Gi",
    "1024Ki": "1Mi",
    "1536Mi": "1536Mi",
    "1.5Gi": "1536Mi",
    "0.1Gi": "107374182400m",
    "1e3": "1e3",
    "1000k": "1M",
    "0.0": "0",
    "12e6": "12e6",
    "1048576": "1048576",
    "1000000": "1M",
    "2.50": "2500m",
    "0.0001": "1m",
    "5u": "1m",
    "1.5G": "1500M",
    "0.5Mi": "512Ki",
}


def a_revision(name: str, **fields: object) -> Obj:
    """Give a ControllerRevision as a client would create it."""
    return {"metadata": {"name": name}, "revision": 1, "data": {"a": "b"}} | fields


@pytest.mark.parametrize("name", ANSWERED)
async def test_a_template_is_answered_as_the_server_would_fill_it_in(client: Client, api: FakeApi, name: str) -> None:
    """A dry-run create of a PodTemplate gives the defaulted template, and makes nothing."""
    body = {"metadata": {"name": "web"}, "template": ANSWERED[name]["written"]}
    answered = await client.ask("POST", TEMPLATES, body, dryRun="All")
    assert (answered.code, answered.body["template"]) == (201, ANSWERED[name]["answered"])
    assert not api.list("podtemplates")


@pytest.mark.parametrize("name", ANSWERED)
async def test_what_was_answered_is_answered_again(client: Client, name: str) -> None:
    """A template that has its defaults already stays as it is."""
    body = {"metadata": {"name": "web"}, "template": ANSWERED[name]["answered"]}
    assert (await client.ask("POST", TEMPLATES, body, dryRun="All")).body["template"] == ANSWERED[name]["answered"]


@pytest.mark.parametrize("written", QUANTITIES)
def test_a_quantity_has_one_spelling(written: str) -> None:
    """A quantity comes back in the server's own spelling."""
    assert canonical(written) == QUANTITIES[written]


async def test_a_template_without_containers_is_refused(client: Client) -> None:
    """The server's words name the field inside the template."""
    answered = await client.ask("POST", TEMPLATES, {"metadata": {"name": "web"}, "template": {}}, dryRun="All")
    words = 'PodTemplate "web" is invalid: template.spec.containers: Required value'
    assert (answered.code, answered.body["message"]) == (422, words)


async def test_a_pod_has_more_than_its_template(client: Client) -> None:
    """Only a Pod gets its requests from the limits, its host ports, and what admission adds."""
    ports, limits = [{"containerPort": 80}], {"limits": {"cpu": "0.5"}}
    app = {"name": "app", "image": "app", "ports": ports, "resources": limits}
    body = {"metadata": {"name": "web"}, "spec": {"hostNetwork": True, "containers": [app]}}
    spec = (await client.ask("POST", "/api/v1/namespaces/default/pods", body, dryRun="All")).body["spec"]
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "500m"}, "requests": {"cpu": "500m"}}
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]
    assert (spec["enableServiceLinks"], spec["priority"], len(spec["tolerations"])) == (True, 0, 2)


REFUSED = {
    "without data": ({"data": None}, 422, "data: Required value: data is mandatory"),
    "data that is no object": ({"data": [1]}, 422, "data: Required value: data must be a valid JSON object"),
    "a negative number": ({"revision": -1}, 422, "revision: Invalid value: -1: must be greater than or equal to 0"),
    "a text for a number": ({"revision": "1"}, 400, "cannot unmarshal"),
}


@pytest.mark.parametrize(("fields", "code", "words"), REFUSED.values(), ids=REFUSED)
async def test_a_revision_that_is_wrong_is_refused(client: Client, fields: Obj, code: int, words: str) -> None:
    """A ControllerRevision needs data that is an object, and a number."""
    answered = await client.ask("POST", REVISIONS, a_revision("a", **fields))
    assert answered.code == code
    assert words in answered.body["message"]


async def test_a_revision_without_a_number_has_0(client: Client) -> None:
    """The number may be left out, though the schema calls it required."""
    body = {"metadata": {"name": "a"}, "data": {}}
    assert (await client.ask("POST", REVISIONS, body)).body["revision"] == 0


async def test_a_revision_whose_keys_are_not_sorted_takes_no_patch(client: Client) -> None:
    """Go sorts the keys of what is patched, and the data is compared byte for byte: 422, even for another number."""
    await client.ask("POST", REVISIONS, a_revision("sorted", data={"a": {"x": 1, "y": 2}, "b": 1}))
    await client.ask("POST", REVISIONS, a_revision("mixed", data={"a": {"y": 2, "x": 1}, "b": 1}))
    codes = [
        (await client.ask("PATCH", f"{REVISIONS}/sorted", {"revision": 2}, form=MERGE)).code,
        (await client.ask("PATCH", f"{REVISIONS}/mixed", {"revision": 2}, form=MERGE)).code,
        (await client.ask("PUT", f"{REVISIONS}/mixed", a_revision("mixed", data={"a": {"x": 1, "y": 2}, "b": 1}))).code,
        (await client.ask("PUT", f"{REVISIONS}/mixed", a_revision("mixed", data={"a": {"y": 2, "x": 1}, "b": 1}))).code,
    ]
    assert codes == [200, 422, 422, 200]


async def test_revisions_are_listed_watched_and_deleted_by_label(client: Client, api: FakeApi) -> None:
    """A label selector chooses what a list and a watch show; DELETE answers with a Status."""
    mine = {"name": "mine", "labels": {"selfheal.dev/group": "web"}}
    api.create("controllerrevisions", a_revision("other"))
    async with client.watch(REVISIONS, labelSelector="selfheal.dev/group=web") as stream:
        await client.ask("POST", REVISIONS, a_revision("", metadata=mine))
        listed = await client.ask("GET", REVISIONS, labelSelector="selfheal.dev/group=web")
        gone = await client.ask("DELETE", f"{REVISIONS}/mine")
        assert await stream.says(2) == [("ADDED", "mine"), ("DELETED", "mine")]
    assert [each["metadata"]["name"] for each in listed.body["items"]] == ["mine"]
    assert (gone.code, gone.body["kind"], gone.body["status"]) == (200, "Status", "Success")


async def test_revisions_go_with_their_group(api: FakeApi) -> None:
    """The garbage collector takes a group's revisions away when the group is gone."""
    group = api.create("podgroups", a_group("web"))
    owner = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "name": "web", "uid": group["metadata"]["uid"]}
    api.create("controllerrevisions", a_revision("", metadata={"name": "mine", "ownerReferences": [owner]}))
    api.collector.step()
    assert api.list("controllerrevisions")
    api.delete("podgroups", "web")
    api.collector.step()
    assert not api.list("controllerrevisions")


@pytest.mark.parametrize(("resource", "group"), [("controllerrevisions", "apps"), ("podtemplates", "")])
async def test_a_right_that_is_missing_is_told_and_felt(
    client: Client, api: FakeApi, resource: str, group: str
) -> None:
    """Without the right to create them an access review says so, and a create gets 403."""
    attributes = {"verb": "create", "resource": resource, "group": group, "namespace": "default"}
    review = {"spec": {"resourceAttributes": attributes}}
    assert (await client.ask("POST", RIGHTS, review)).body["status"]["allowed"]
    api.access.deny("create", f"{resource}.{group}" if group else resource)
    assert not (await client.ask("POST", RIGHTS, review)).body["status"]["allowed"]
    path = REVISIONS if group else TEMPLATES
    assert (await client.ask("POST", path, a_revision("a"), dryRun="All")).code == 403

"""What the rest of a cluster does around the fake API: kubelet, garbage collector, admission, RBAC, namespaces."""

import asyncio
import time

import pytest

from fakeapi import FakeApi, StatusError, errors
from fakeapi.client import PODGROUPS_PATH, PODS_PATH, Client, a_group, a_pod
from fakeapi.resources import PODS, Obj

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
MANY = 1000


def owned(api: FakeApi, name: str, group: Obj, *, blocks: bool = True) -> Obj:
    """Create a pod that a group controls."""
    reference = {
        "apiVersion": "selfheal.dev/v1",
        "kind": "PodGroup",
        "name": group["metadata"]["name"],
        "uid": group["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": blocks,
    }
    return api.create("pods", a_pod(name, ownerReferences=[reference]))


def ready(pod: Obj) -> bool:
    """Whether a pod is Ready."""
    return ("Ready", "True") in [(each["type"], each["status"]) for each in pod["status"].get("conditions", ())]


async def test_the_kubelet_is_off_until_started(api: FakeApi) -> None:
    """Pods stay Pending; once started, it takes those that are there and those that come through to Ready."""
    api.create("pods", a_pod("a"))
    await asyncio.sleep(0)
    assert api.get("pods", "a")["status"]["phase"] == "Pending"
    api.kubelet.start()
    api.create("pods", a_pod("b"))
    await api.until(lambda: all(ready(pod) for pod in api.pods()), "both pods are Ready")
    assert [change.type for change in api.history("pods", "a")] == ["ADDED", "MODIFIED", "MODIFIED"]
    assert {pod["spec"]["nodeName"] for pod in api.pods()} <= {"node-0", "node-1", "node-2"}


async def test_the_kubelet_ends_terminating_pods(api: FakeApi) -> None:
    """A bound pod that is deleted goes away by itself; its watchers see the end as MODIFIED, then DELETED."""
    api.kubelet.start()
    api.create("pods", a_pod("a"))
    await api.until(lambda: ready(api.get("pods", "a")), "the pod is Ready")
    api.delete("pods", "a")
    assert len(api.pods()) == 1
    await api.until(lambda: not api.pods(), "the pod is gone")
    assert [change.type for change in api.history("pods", "a")][-3:] == ["MODIFIED", "MODIFIED", "DELETED"]


async def test_on_a_lost_node_nothing_ends(api: FakeApi) -> None:
    """A pod on a node that is not Ready stays Terminating, and new pods go elsewhere."""
    api.kubelet.start()
    api.create("pods", a_pod("a"))
    await api.until(lambda: ready(api.get("pods", "a")), "the pod is Ready")
    lost = api.get("pods", "a")["spec"]["nodeName"]
    api.set_node(lost, ready=False)
    api.delete("pods", "a")
    for name in "bcd":
        api.create("pods", a_pod(name))
    await api.until(lambda: sum(ready(pod) for pod in api.pods()) == 4, "the new pods are Ready")
    nodes = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in api.pods()}
    assert [name for name, node in nodes.items() if node == lost] == ["a"]


@pytest.mark.parametrize(
    ("report", "phase", "is_ready"),
    [
        ({"ready": True}, "Running", True),
        ({"ready": False, "restarts": 6}, "Running", False),
        ({"phase": "Failed", "reason": "Evicted"}, "Failed", False),
    ],
)
async def test_a_test_can_report_for_a_pod(api: FakeApi, report: Obj, phase: str, *, is_ready: bool) -> None:
    """set_pod writes what a kubelet would report; the same report twice is one write."""
    api.create("pods", a_pod("a"))
    pod = api.set_pod("a", node="node-0", **report)
    version = api.version
    api.set_pod("a", node="node-0", **report)
    assert (pod["status"]["phase"], ready(pod), api.version) == (phase, is_ready, version)
    assert pod["status"].get("reason") == report.get("reason")


async def test_a_crash_loop_can_be_played(api: FakeApi) -> None:
    """A container that waits has its reason and its restarts."""
    api.create("pods", a_pod("a"))
    pod = api.set_pod("a", waiting="CrashLoopBackOff", restarts=6)
    (container,) = pod["status"]["containerStatuses"]
    assert (container["state"], container["restartCount"], container["ready"]) == (
        {"waiting": {"reason": "CrashLoopBackOff"}}, 6, False,
    )  # fmt: skip


async def test_background_deletion_collects_the_dependents_afterwards(api: FakeApi) -> None:
    """The owner goes at once, its pods at the collector's next pass; others' pods and namesakes stay."""
    group = api.create("podgroups", a_group("g"))
    owned(api, "a", group)
    api.create("pods", a_pod("free"))
    api.delete("podgroups", "g")
    assert len(api.pods()) == 2
    api.create("podgroups", a_group("g"))
    api.collector.step()
    assert [pod["metadata"]["name"] for pod in api.pods()] == ["free"]


async def test_foreground_deletion_waits_for_blocking_dependents(api: FakeApi) -> None:
    """The owner stays, marked, until the pods that block it are gone; one that does not block is not waited for."""
    group = api.create("podgroups", a_group("g"))
    owned(api, "a", group)
    owned(api, "b", group, blocks=False)
    for name in "ab":
        api.set_pod(name, node="node-0", ready=True)
    api.collector.start()
    api.delete("podgroups", "g", policy="Foreground")
    await api.until(lambda: all("deletionTimestamp" in pod["metadata"] for pod in api.pods()), "the pods are deleted")
    assert api.get("podgroups", "g")["metadata"]["finalizers"] == ["foregroundDeletion"]
    api.finish_termination("a")
    await api.until(lambda: not api.list("podgroups"), "the owner is gone")
    assert [pod["metadata"]["name"] for pod in api.pods()] == ["b"]


async def test_orphaning_takes_the_references_off_first(api: FakeApi) -> None:
    """The pods stay, without the owner's reference, and the owner goes."""
    group = api.create("podgroups", a_group("g"))
    owned(api, "a", group)
    api.delete("podgroups", "g", policy="Orphan")
    assert api.get("podgroups", "g")["metadata"]["finalizers"] == ["orphan"]
    api.collector.step()
    assert (api.list("podgroups"), "ownerReferences" in api.get("pods", "a")["metadata"]) == ([], False)


async def test_a_pod_created_for_an_owner_that_is_gone_is_collected(api: FakeApi) -> None:
    """The collector, following, removes a dependent that arrives after its owner went."""
    group = api.create("podgroups", a_group("g"))
    api.collector.start()
    api.delete("podgroups", "g")
    owned(api, "late", group)
    await api.until(lambda: not api.pods(), "the pod is collected")


async def test_admission_can_refuse_pods(api: FakeApi, client: Client) -> None:
    """A quota refuses with the server's words, before the name is looked at, and dry runs too."""

    def quota(pod: Obj) -> StatusError | None:
        used = len(api.pods())
        return errors.exceeded_quota(PODS, pod["metadata"]["name"], used=used, limited=1) if used >= 1 else None

    api.admit = quota
    codes = [(await client.ask("POST", PODS_PATH, a_pod("a"))).code for _ in range(2)]
    assert codes == [201, 403]
    answered = await client.ask("POST", PODS_PATH, a_pod("b"), dryRun="All")
    assert answered.body["message"] == (
        'pods "b" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=1, limited: pods=1'
    )


async def test_a_denied_right_is_forbidden_and_reviewed_so(api: FakeApi, client: Client) -> None:
    """A denied verb gets 403 in RBAC's words, and a SelfSubjectAccessReview says the same."""
    api.access.deny("patch", "podgroups.selfheal.dev/status")
    api.create("podgroups", a_group("g"))
    refused = await client.ask("PATCH", f"{PODGROUPS_PATH}/g/status", {}, form="application/merge-patch+json")
    assert refused.code == 403
    assert refused.body["message"] == (
        'podgroups.selfheal.dev "g" is forbidden: User "system:serviceaccount:podgroup-system:podgroup-operator" '
        'cannot patch resource "podgroups/status" in API group "selfheal.dev" in the namespace "default"'
    )
    asked = {
        "verb": "patch",
        "group": "selfheal.dev",
        "resource": "podgroups",
        "subresource": "status",
    }
    review: Obj = {"spec": {"resourceAttributes": asked}}
    assert (await client.ask("POST", REVIEWS, review)).body["status"] == {"allowed": False}
    api.access.allow("patch", "podgroups.selfheal.dev/status")
    assert (await client.ask("POST", REVIEWS, review)).body["status"] == {"allowed": True}
    assert [request.resource for request in api.writes] == ["podgroups.selfheal.dev"]


async def test_a_terminating_namespace_takes_nothing_new(api: FakeApi, client: Client) -> None:
    """A deleted namespace stays Terminating and refuses creates with the cause NamespaceTerminating."""
    api.create("namespaces", {"metadata": {"name": "tmp"}})
    await client.ask("DELETE", "/api/v1/namespaces/tmp")
    assert api.get("namespaces", "tmp")["status"]["phase"] == "Terminating"
    refused = await client.ask("POST", "/api/v1/namespaces/tmp/pods", a_pod("a"))
    assert (refused.code, refused.body["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    api.finish_namespace("tmp")
    refused = await client.ask("POST", "/api/v1/namespaces/tmp/pods", a_pod("a"))
    assert (refused.code, refused.body["message"]) == (404, 'namespaces "tmp" not found')


async def test_waiting_in_vain_says_for_what(api: FakeApi) -> None:
    """Until fails at its deadline with the words of the condition."""
    with pytest.raises(AssertionError, match="a miracle"):
        await api.until(lambda: False, "a miracle", seconds=0.02)


async def test_a_thousand_pods_take_a_moment(api: FakeApi, client: Client) -> None:
    """A thousand creates over HTTP, a watch following, cost under three seconds of CPU, the client's included."""
    began = time.process_time()
    async with client.watch(PODS_PATH, resourceVersion=str(api.version)) as stream:
        await asyncio.gather(*[client.ask("POST", PODS_PATH, a_pod(f"p{number}")) for number in range(MANY)])
        assert len(await stream.take(MANY)) == MANY
    assert time.process_time() - began < 3  # it takes 0.6 s; CPU time, because the machine may be busy

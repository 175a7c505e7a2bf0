"""Before work starts everything that is needed is there; what is not is named, with a remedy, and waited for."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fakeapi import Answer, FakeApi
from fakeapi.defaults import definition
from fakeapi.resources import PODGROUPS, Obj
from podgroup_operator import preflight
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.preflight import NEEDED, WANTED, Permission, Preflight

CRD = "podgroups.selfheal.dev"
RULES = Path(__file__).parents[2] / "deploy" / "helm" / "podgroup-operator" / "rules.yaml"
FINALIZERS = Permission("update", "selfheal.dev", "podgroups", "finalizers")
NO_CRD = (
    "The API server knows no podgroups.selfheal.dev. "
    "Install the CRD: kubectl apply -f crds/podgroups.yaml (waiting for it)."
)
GRANT = "Grant it with a ClusterRole or Role bound to its ServiceAccount or user (waiting for it)."


def test_what_is_looked_for_is_what_the_operator_is_installed_with() -> None:
    """But podgroups/finalizers, which only an admission plugin asks for that few clusters have."""
    granted = {
        Permission(verb, group, *resource.split("/"))
        for rule in yaml.safe_load(RULES.read_text())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted - {*NEEDED, *WANTED} == {FINALIZERS}
    assert {*NEEDED, *WANTED} <= granted


async def lack(cluster: Cluster, namespace: str = "") -> str:
    """Look once; give what is missing."""
    return (await Preflight(cluster).find(namespace)).lack


@pytest.mark.parametrize("namespace", ["", "default"])
async def test_nothing_is_said_if_nothing_is_missing(api: FakeApi, cluster: Cluster, namespace: str) -> None:
    """And nothing is written: the API server is only asked."""
    findings = await Preflight(cluster, "default").find(namespace)
    assert (findings.lack, findings.remark, findings.unseen) == ("", "", "")
    assert api.writes == []


async def test_what_may_be_done_in_a_namespace_is_one_question(api: FakeApi, cluster: Cluster) -> None:
    """What the answer leaves out is asked for by itself: an authorizer may not be able to list it."""
    assert await lack(cluster, "default") == ""
    assert [request.path.rpartition("/")[2] for request in api.requests] == ["v1", "selfsubjectrulesreviews"]
    api.access.rules = lambda body: {**body, "status": {"resourceRules": [], "incomplete": True}}  # type: ignore[method-assign]
    assert await lack(cluster, "default") == ""


async def test_a_missing_crd_is_named_with_the_command_that_installs_it(api: FakeApi, cluster: Cluster) -> None:
    """It is the first thing that is said, whatever else is missing."""
    api.delete("customresourcedefinitions", CRD)
    api.access.deny("get", CRD)
    assert await lack(cluster) == NO_CRD


@pytest.mark.parametrize("place", ["", "default"])
@pytest.mark.parametrize(
    ("verb", "resource", "named"),
    [
        *((verb, CRD, f"{verb} {CRD}") for verb in ("get", "list", "watch")),
        ("patch", f"{CRD}/status", "patch podgroups/status.selfheal.dev"),
        *((verb, "pods", f"{verb} pods") for verb in ("get", "list", "watch", "create", "patch", "delete")),
    ],
)
async def test_a_missing_permission_is_named(
    api: FakeApi, cluster: Cluster, verb: str, resource: str, named: str, place: str
) -> None:
    """Each that the operator needs to keep pods."""
    api.access.deny(verb, resource)
    where = "in namespace default" if place else "in all namespaces"
    assert await lack(cluster, place) == f"The operator may not do this {where}: {named}. {GRANT}"


async def test_all_missing_permissions_of_a_place_are_named_together(api: FakeApi, cluster: Cluster) -> None:
    """So that they can be granted at once."""
    api.access.deny("create", "pods")
    api.access.deny("list", CRD)
    assert await lack(cluster, "default") == (
        f"The operator may not do this in namespace default: list {CRD}, create pods. {GRANT}"
    )


async def test_what_healing_does_not_need_is_a_remark(api: FakeApi, cluster: Cluster) -> None:
    """Without the right to write Events, or to hold the Lease of the namespace, pods are kept all the same."""
    api.access.deny("create", "events.events.k8s.io")
    findings = await Preflight(cluster, "kube-system").find("default")
    assert (findings.lack, findings.narrow) == ("", True)
    assert findings.remark.startswith("The operator may not do this in namespace default: create events.events.k8s.io.")
    api.access.review = without_leases(api)  # type: ignore[method-assign, assignment]
    findings = await Preflight(cluster, "kube-system").find("default")
    assert (findings.lack, findings.narrow) == ("", False)
    assert "get leases.coordination.k8s.io podgroup-operator-namespace" in findings.unseen


@pytest.mark.parametrize("place", ["", "default"])
@pytest.mark.parametrize("permission", WANTED, ids=str)
async def test_what_rollouts_and_events_take_is_a_remark(
    api: FakeApi, cluster: Cluster, permission: Permission, place: str
) -> None:
    """An older Role lacks it: what is missing is named, and keeps nobody from keeping pods."""
    resource = f"{permission.resource}.{permission.group}".rstrip(".")
    api.access.deny(permission.verb, f"{resource}/{permission.subresource}".rstrip("/"))
    findings = await Preflight(cluster).find(place)
    where = "in namespace default" if place else "in all namespaces"
    assert findings.lack == ""
    assert findings.remark.startswith(f"The operator may not do this {where}: {permission}. Grant it")
    assert findings.unrevised == (permission.resource == "controllerrevisions" and permission.verb in {"list", "watch"})


def without_leases(api: FakeApi) -> Callable[[Obj], Obj]:
    """Review access, and grant no Lease in `default`."""
    review = api.access.review

    def answer(body: Obj) -> Obj:
        asked = body["spec"]["resourceAttributes"]
        if (asked.get("resource"), asked.get("namespace")) == ("leases", "default"):
            return {**body, "status": {"allowed": False}}
        return review(body)

    return answer


async def test_without_the_lease_there_is_no_leader(api: FakeApi, cluster: Cluster) -> None:
    """So that is waited for; without an election nobody asks for it."""
    api.access.deny("patch", "leases.coordination.k8s.io")
    words = (await Preflight(cluster, "kube-system").find("")).lack
    assert words == (
        "The operator may not do this in namespace kube-system: patch leases.coordination.k8s.io podgroup-operator. "
        f"{GRANT}"
    )
    assert await lack(cluster) == ""


EXPIRED = (
    "The API server does not accept our credentials (Unauthorized). Give the operator new ones: in a pod its "
    "service account's token, read again by itself, elsewhere a kubeconfig (waiting for them)."
)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            Answer(401, message="Unauthorized"),
            EXPIRED,
        ),
        (Answer(503, message="etcd is away"), "The API server answers with an error: etcd is away"),
        (Answer(404, message="not here"), NO_CRD),
    ],
)
async def test_what_the_server_says_instead_of_answering_is_passed_on(
    api: FakeApi, cluster: Cluster, fault: Answer, words: str
) -> None:
    """With what to do about it where that is known."""
    api.faults.add(fault)
    assert await lack(cluster) == words


async def test_a_server_that_is_away_is_named(api: FakeApi, cluster: Cluster) -> None:
    """With the address that was tried."""
    await api.go_down()
    words = await lack(cluster)
    assert words.startswith("The API server does not answer (")
    assert str(api.url.rpartition(":")[2]) in words
    assert words.endswith("). Check that it runs and that its address is right.")


async def test_it_waits_until_all_is_there(
    api: FakeApi, cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lack is logged once; /readyz hears of every look and of the end. Its pauses are seconds, here a moment."""
    monkeypatch.setattr(preflight, "LONGEST_PAUSE", 0.01)
    caplog.set_level("INFO")
    said: list[str] = []
    api.delete("customresourcedefinitions", CRD)
    api.access.deny("watch", "pods")
    waiting = asyncio.create_task(Preflight(cluster).wait("", said.append))
    await api.until(lambda: len(said) > 3, "it is looked for several times")
    api.create("customresourcedefinitions", definition(PODGROUPS))
    no_permission = f"The operator may not do this in all namespaces: watch pods. {GRANT}"
    await api.until(lambda: said[-1] == no_permission, "the next lack is found")
    api.access.allow("watch", "pods")
    await asyncio.wait_for(waiting, 2)
    assert caplog.messages == [NO_CRD, no_permission, "Everything that was missing is there now."]
    assert (said[0], said[-1]) == (NO_CRD, "")


async def test_a_lack_that_lasts_is_said_again_from_time_to_time(
    api: FakeApi, cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every minute; here every third to sixth look."""
    monkeypatch.setattr(preflight, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(preflight, "REMIND_SECONDS", 0.03)
    said: list[str] = []
    api.delete("customresourcedefinitions", CRD)
    waiting = asyncio.create_task(Preflight(cluster).wait("", said.append))
    await api.until(lambda: len(caplog.messages) == 3, "it is said three times")
    waiting.cancel()
    assert set(caplog.messages) == {NO_CRD}
    assert 7 <= len(said) <= 17


async def test_nothing_is_said_of_what_was_never_missing(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    """A good start is silent."""
    caplog.set_level("INFO")
    said: list[str] = []
    await Preflight(cluster).wait("", said.append)
    assert (said, caplog.messages) == ([""], [])

"""Argo CD's health of a PodGroup in every state, and what its actions do, by the Lua that deploy/argocd has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from e2e.argocd import CONFIG_MAP, DATA, health, offered, patch_of
from e2e.namespace import HOLD
from e2e.pod import uids
from e2e.versions import NEVER_READY, web
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

BROKEN = [{"name": "web", "image": "web", "volumeMounts": [{"name": "nowhere", "mountPath": "/nowhere"}]}]
SLOW = web("1", NEVER_READY)


class State(NamedTuple):
    """A PodGroup, what becomes of it, and how Argo CD is to call that."""

    spec: Json
    status: str
    message: str
    then: Json | None = None


STATES = {
    "ready": State({}, "Healthy", "All 2 replicas are available."),
    "scaled-to-none": State({"replicas": 0}, "Healthy", "All 0 replicas are available."),
    "starting": State({"template": SLOW}, "Progressing", "0 of 2 replicas are available."),
    "rolling": State({}, "Progressing", "", {"template": SLOW}),
    "invalid": State({"template": web("1", containers=BROKEN)}, "Degraded", 'Not found: "nowhere"'),
    "invalid-later": State({}, "Degraded", 'Not found: "nowhere"', {"template": web("1", containers=BROKEN)}),
    "paused": State({}, "Suspended", "It is paused", {"paused": True}),
    "paused-from-the-start": State({"paused": True}, "Suspended", "It is paused"),
    "paused-and-invalid": State(
        {}, "Degraded", 'Not found: "nowhere"', {"paused": True, "template": web("1", containers=BROKEN)}
    ),
    "too-slow": State({"template": SLOW, "progressDeadlineSeconds": 2}, "Degraded", "has timed out progressing."),
    "rolled-back": State(
        {"progressDeadlineSeconds": 2, "rollbackOnDeadline": True}, "Degraded", "back", {"template": SLOW}
    ),
}


@pytest.fixture(scope="module")
def groups(shop_here: Namespace, operator_here: OperatorProcess) -> Namespace:
    """A PodGroup of each state, on its way there."""
    for name, state in STATES.items():
        shop_here.create_group(name, **{"replicas": 2, "template": web("1"), **state.spec})
    for name, state in STATES.items():
        if state.then:
            shop_here.complete(name)
            shop_here.patch_group({"spec": state.then}, name)
            assert health(shop_here.group(name))[0] in {"Progressing", state.status}
    return shop_here


@pytest.mark.parametrize("name", STATES)
def test_argocd_calls_it_what_it_is(groups: Namespace, name: str) -> None:
    """Healthy is complete, Degraded is what needs a person, Suspended is paused, and the message is the operator's."""
    state = STATES[name]
    eventually(state.status, lambda: health(groups.group(name))[0], seconds=90)
    assert state.message in health(groups.group(name))[1]


def test_what_nobody_has_looked_at_is_progressing(shop: Namespace, operator_here: OperatorProcess) -> None:
    """A PodGroup without a status holds the next sync wave back; the operator serves another namespace."""
    shop.create_group()
    assert health(shop.group()) == ("Progressing", "Waiting for the operator to look at it")


def test_a_change_that_nobody_has_looked_at_is_progressing(groups: Namespace, operator_here: OperatorProcess) -> None:
    """Ready of the former generation says nothing of the new one."""
    groups.start_group("changed", 2)
    assert health(groups.group("changed"))[0] == "Healthy"
    operator_here.stop()
    groups.patch_group({"spec": {"template": web("2")}}, "changed")
    assert health(groups.group("changed")) == ("Progressing", "Waiting for the operator to look at it")
    operator_here.start()


def test_what_is_being_deleted_is_progressing(groups: Namespace) -> None:
    """Until it is gone, as long as something holds it."""
    groups.start_group("leaving", 1)
    groups.patch_group({"metadata": {"finalizers": [HOLD]}}, "leaving")
    groups.delete_group("leaving")
    assert health(groups.group("leaving")) == ("Progressing", "It is being deleted")
    groups.patch_group({"metadata": {"finalizers": None}}, "leaving")


def test_the_actions(groups: Namespace) -> None:
    """Restart replaces all pods; paused a changed template waits, resumed it is rolled out."""

    def act(action: str, becomes: str) -> None:
        groups.patch_group(patch_of(action, groups.group("acting")), "acting")
        eventually(becomes, lambda: health(groups.group("acting"))[0])

    before = groups.start_group("acting", 2)
    assert offered(groups.group("acting")) == {"restart", "pause"}
    act("restart", "Healthy")
    after = groups.complete("acting", without=before)
    act("pause", "Suspended")
    assert offered(groups.group("acting")) == {"restart", "resume"}
    groups.patch_group({"spec": {"template": web("2")}}, "acting")
    wait_for("it to be told", lambda: groups.condition("Ready", "acting").get("reason") == "Paused")
    assert uids(groups.complete("acting")) == uids(after)
    act("resume", "Healthy")
    assert {pod.annotations["version"] for pod in groups.complete("acting")} == {"2"}


def test_an_action_changes_what_it_is_for(shop: Namespace, podgroup_crd: None) -> None:
    """Lua does not tell an empty list from an empty object; the patch has neither."""
    containers = [{"name": "web", "image": "web", "securityContext": {}, "volumeMounts": []}]
    shop.create_group(template={"spec": {"containers": containers, "volumes": [{"name": "tmp", "emptyDir": {}}]}})
    (paused,) = patch_of("pause", shop.group()).items()
    assert paused == ("spec", {"paused": True})
    annotations = patch_of("restart", shop.group())["spec"]["template"]["metadata"]["annotations"]
    assert annotations.keys() == {"kubectl.kubernetes.io/restartedAt"}


def test_it_is_put_into_argocds_config_map(shop: Namespace) -> None:
    """By the command in docs/tools.md, beside what is there already."""
    shop.create("configmaps", {"metadata": {"name": "argocd-cm"}, "data": {"url": "https://argocd.example.com"}})
    shop.kubectl("patch", "configmap", "argocd-cm", f"--patch-file={CONFIG_MAP}")
    data = shop.api.request("GET", shop.path("configmaps", "argocd-cm"))["data"]
    assert data == DATA | {"url": "https://argocd.example.com"}

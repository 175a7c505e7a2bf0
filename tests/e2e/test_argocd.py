"""Argo CD's health of a PodGroup in every state, and what its actions do, by the Lua that deploy/argocd has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from e2e.argocd import CONFIG_MAP, DATA, health, offered, patch_of
from e2e.namespace import HOLD
from e2e.pod import uids
from e2e.versions import NEVER_READY, change, start, web
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


def test_a_change_that_nobody_has_looked_at_is_progressing(shop: Namespace, operator: OperatorProcess) -> None:
    """Ready of the former generation says nothing of the new one."""
    start(shop, 2)
    assert health(shop.group())[0] == "Healthy"
    operator.stop()
    change(shop, "2")
    assert health(shop.group()) == ("Progressing", "Waiting for the operator to look at it")


def test_what_is_being_deleted_is_progressing(shop: Namespace, operator: OperatorProcess) -> None:
    """Until it is gone, as long as something holds it."""
    start(shop, 1)
    shop.patch_group({"metadata": {"finalizers": [HOLD]}})
    shop.delete_group()
    assert health(shop.group()) == ("Progressing", "It is being deleted")
    shop.patch_group({"metadata": {"finalizers": None}})


def test_the_actions(shop: Namespace, operator: OperatorProcess) -> None:
    """Restart replaces all pods; paused a changed template waits, resumed it is rolled out; nothing else changes."""
    before = start(shop, 2)
    assert offered(shop.group()) == {"restart", "pause"}
    shop.patch_group(patch_of("restart", shop.group()))
    eventually("Healthy", lambda: health(shop.group())[0])
    assert not uids(shop.live()) & uids(before)
    shop.patch_group(patch_of("pause", shop.group()))
    eventually("Suspended", lambda: health(shop.group())[0])
    assert offered(shop.group()) == {"restart", "resume"}
    change(shop, "2")
    wait_for("it to be told", lambda: shop.condition("Ready").get("reason") == "Paused")
    shop.patch_group(patch_of("resume", shop.group()))
    eventually("Healthy", lambda: health(shop.group())[0])
    assert {pod.annotations["version"] for pod in shop.live()} == {"2"}


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

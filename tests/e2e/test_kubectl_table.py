"""The README's table of what to type where kubectl refuses a PodGroup: each row does what the verb does.

A row is tested by the function that has its verb's name; those that need containers are in tests/installed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from e2e.kubectl_table import table
from e2e.namespace import template
from e2e.pod import uids
from e2e.terminal import Terminal
from e2e.versions import LABELS
from e2e.waiting import wait_for
from installed.shell import readme

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

ROWS = table()
BEFORE = readme()["pod-and-template"]
MODE = {"name": "MODE", "value": "fast"}
TWO = [{"name": "web", "image": "web", "env": [MODE]}, {"name": "other", "image": "other"}]
SPEC: Json = {"selector": {"matchLabels": LABELS}, "template": template({"labels": LABELS}, containers=TWO)}

GROUP = "podgroups.selfheal.dev/web"
REFUSED = {
    "attach": f"attach {GROUP}",
    "debug": f"debug {GROUP} --image=web",
    "exec": f"exec {GROUP} -- true",
    "expose": f"expose {GROUP} --port=80",
    "logs": f"logs {GROUP}",
    "patch": f"patch {GROUP} -p {{}}",
    "port-forward": f"port-forward {GROUP} 80",
    "rollout history": f"rollout history {GROUP}",
    "rollout pause": f"rollout pause {GROUP}",
    "rollout restart": f"rollout restart {GROUP}",
    "rollout resume": f"rollout resume {GROUP}",
    "rollout status": f"rollout status {GROUP}",
    "rollout undo": f"rollout undo {GROUP}",
    "set env": f"set env {GROUP} A=b",
    "set image": f"set image {GROUP} web=web:2",
    "set resources": f"set resources {GROUP} --limits=cpu=1",
    "set serviceaccount": f"set serviceaccount {GROUP} robot",
}
OTHERS = {"cp", "create deployment"}
"""Rows of verbs that take pods only, or make a Deployment."""


@pytest.fixture
def terminal(kind_cluster: KindCluster, shop: Namespace, tmp_path: Path) -> Terminal:
    """A terminal in the test's namespace."""
    return Terminal(kind_cluster, shop, tmp_path)


def type_row(terminal: Terminal, verb: str) -> str:
    """Type a row's command and return what it prints."""
    row = ROWS[verb]
    return terminal.type(f"{BEFORE}\n{row}" if "$pod" in row or "$(template" in row else row)


def start(shop: Namespace, **spec: object) -> set[str]:
    """Start a group of two pods with two containers each; return the pods' UIDs."""
    return uids(shop.start_group(replicas=2, **{**SPEC, **spec}))


def container(shop: Namespace, number: int = 0) -> Json:
    """A container of the PodGroup's template."""
    found: Json = shop.group()["spec"]["template"]["spec"]["containers"][number]
    return found


def test_every_verb_is_refused_or_of_another_kind() -> None:
    """No row is there for nothing."""
    assert REFUSED.keys() | OTHERS == ROWS.keys()


@pytest.fixture(scope="module")
def refused(kind_cluster: KindCluster, shop_here: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A terminal where there is a PodGroup for kubectl to refuse."""
    shop_here.create_group(**SPEC)
    return Terminal(kind_cluster, shop_here, tmp_path_factory.mktemp("refused"))


@pytest.mark.parametrize("verb", REFUSED)
def test_kubectl_refuses(refused: Terminal, verb: str) -> None:
    """If it takes PodGroups one day, the row can go."""
    said = refused.type(f"! kubectl {REFUSED[verb]}")
    assert (
        "strategic-merge-patch+json is not supported" if verb == "patch" else 'no kind "PodGroup" is registered'
    ) in said


def test_rollout_status(shop: Namespace, terminal: Terminal) -> None:
    """It waits for the rollout that was begun the moment before, to its end."""
    before = start(shop)
    type_row(terminal, "rollout restart")
    assert "condition met" in type_row(terminal, "rollout status")
    assert len(shop.live()) == 2
    assert not uids(shop.live()) & before


def test_rollout_restart(shop: Namespace, terminal: Terminal) -> None:
    """All pods are replaced, by pods of the same template but for one annotation."""
    before = start(shop)
    type_row(terminal, "rollout restart")
    type_row(terminal, "rollout status")
    assert not uids(shop.live()) & before
    made = shop.group()["spec"]["template"]
    assert made["metadata"].pop("annotations").keys() == {"kubectl.kubernetes.io/restartedAt"}
    assert made == SPEC["template"]


def test_rollout_history(shop: Namespace, terminal: Terminal) -> None:
    """One line for each revision, the newest last."""
    start(shop)
    type_row(terminal, "set image")
    type_row(terminal, "rollout status")
    lines = type_row(terminal, "rollout history").splitlines()[1:]
    assert [line.split()[2] for line in lines] == ["1", "2"]


def test_rollout_undo(shop: Namespace, terminal: Terminal) -> None:
    """The template is the one before, to the letter; undone again it is the present one."""
    start(shop)
    type_row(terminal, "set image")
    type_row(terminal, "rollout status")
    changed = shop.group()["spec"]["template"]
    type_row(terminal, "rollout undo")
    assert shop.group()["spec"]["template"] == SPEC["template"]
    type_row(terminal, "rollout status")
    type_row(terminal, "rollout undo")
    assert shop.group()["spec"]["template"] == changed


def test_rollout_pause(shop: Namespace, terminal: Terminal) -> None:
    """A template that is changed thereafter waits."""
    before = start(shop)
    type_row(terminal, "rollout pause")
    type_row(terminal, "set image")
    wait_for("it to be told", lambda: shop.condition("Ready").get("reason") == "Paused")
    assert uids(shop.live()) == before


def test_rollout_resume(shop: Namespace, terminal: Terminal) -> None:
    """What waited is rolled out."""
    before = start(shop)
    type_row(terminal, "rollout pause")
    type_row(terminal, "set image")
    type_row(terminal, "rollout resume")
    type_row(terminal, "rollout status")
    assert not uids(shop.live()) & before


def test_set_image(shop: Namespace, terminal: Terminal) -> None:
    """The first container's image is another, and nothing else."""
    start(shop)
    before = [container(shop), container(shop, 1)]
    type_row(terminal, "set image")
    assert [container(shop), container(shop, 1)] == [before[0] | {"image": "nginx:1.29"}, before[1]]


def test_set_env(shop: Namespace, terminal: Terminal) -> None:
    """All containers have the variable besides those that they had, and nothing else in the spec is changed."""
    start(shop, healing={"failedPodsHistoryLimit": 3}, strategy={"rollingUpdate": {"partition": 1}})
    before = shop.group()["spec"]
    type_row(terminal, "set env")
    added = {"name": "LOG", "value": "debug"}
    assert container(shop)["env"] == [MODE, added]
    assert container(shop, 1)["env"] == [added]
    assert {**shop.group()["spec"], "template": None} == {**before, "template": None}


def test_set_resources(shop: Namespace, terminal: Terminal) -> None:
    """All containers have the limit."""
    start(shop)
    type_row(terminal, "set resources")
    assert [container(shop, number)["resources"] for number in range(2)] == [{"limits": {"cpu": "200m"}}] * 2


def test_set_serviceaccount(shop: Namespace, terminal: Terminal) -> None:
    """New pods run as it."""
    shop.create("serviceaccounts", {"metadata": {"name": "robot"}})
    start(shop)
    type_row(terminal, "set serviceaccount")
    type_row(terminal, "rollout status")
    assert {pod.body["spec"]["serviceAccountName"] for pod in shop.live()} == {"robot"}


def test_patch(shop: Namespace, terminal: Terminal) -> None:
    """A merge patch changes the field it names, and leaves the others."""
    start(shop)
    before = shop.group()["spec"]
    type_row(terminal, "patch")
    assert shop.group()["spec"] == before | {"minReadySeconds": 5}


def test_a_server_side_apply_merges_containers_by_their_names(shop: Namespace) -> None:
    """As a strategic patch would: the other container, and what else the first one has, stay."""
    start(shop)
    before = [container(shop), container(shop, 1)]
    image = {"containers": [{"name": "web", "image": "nginx:1.29"}]}
    patch = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": {"name": "web"}}
    patch["spec"] = {"template": {"spec": image}}
    shop.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--field-manager=me", "--filename=-"), input=json.dumps(patch)
    )
    assert [container(shop), container(shop, 1)] == [before[0] | {"image": "nginx:1.29"}, before[1]]


def test_expose(shop: Namespace, terminal: Terminal) -> None:
    """The Service's endpoints are the group's pods."""
    start(shop)
    type_row(terminal, "expose")
    path = shop.path("endpointslices", root="/apis/discovery.k8s.io/v1")

    def served() -> list[str]:
        slices = shop.api.request("GET", path)["items"]
        return sorted(each["targetRef"]["name"] for one in slices for each in one["endpoints"] or ())

    names = sorted(pod.name for pod in shop.live())
    wait_for("the endpoints", lambda: served() == names)


def test_create_deployment(shop: Namespace, terminal: Terminal) -> None:
    """A PodGroup of one pod with that image."""
    type_row(terminal, "create deployment")
    (pod,) = shop.complete()
    assert pod.body["spec"]["containers"][0]["image"] == "nginx"
    assert pod.labels["app"] == "web"

"""Each permission missing, at the start and on the way: the operator stays, names it, and goes on once it is granted.

Each has an operator of its own, in a namespace of its own; some run side by side, for most of it is waiting. Watches
are asked for again only when they end, so each operator has a line to the API server that can be cut.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.api import Api
from e2e.deployments import APPS
from e2e.line import Line
from e2e.namespace import Namespace
from e2e.operator_fixtures import new_namespace
from e2e.operator_process import OperatorProcess
from e2e.service_account import Permission, ServiceAccount, operator_rules, permissions, rules_without
from e2e.versions import rolled, web
from e2e.waiting import eventually, wait_for
from podgroup_operator.api.wire.revision import template_hash
from podgroup_operator.core.names import pod_name
from podgroup_operator.preflight import WANTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_kind import KindCluster

FINALIZERS = Permission("update", "selfheal.dev", "podgroups/finalizers")
"""Not noticed where no admission plugin asks for it: test_rbac_exact.py."""

EACH = sorted(permissions(operator_rules()) - {FINALIZERS})

AT_ONCE = 4
"""Operators; a start takes a second of processor time."""

RECOVERY = 30.0
"""Seconds within which the operator must have found out that it may again."""

CALM = 3.0
"""Seconds over which its requests are measured while it may not do something."""

CALM_BYTES = 100_000
"""What it may send meanwhile, some 60 requests; in a loop without a pause it would send megabytes."""


@dataclass
class Scene:
    """One operator, the group `web` of one pod, and what is missing."""

    missing: Permission
    shop: Namespace
    account: ServiceAccount
    line: Line
    process: OperatorProcess
    remarks: int = 0

    @property
    def forbidden(self) -> str:
        """The API server's words."""
        resource = f'resource "{self.missing.resource}" in API group "{self.missing.group}"'
        return f'cannot {self.missing.verb} {resource} in the namespace "{self.shop.name}"'

    @property
    def lack(self) -> str:
        """The operator's words."""
        return (
            f"The operator may not do this in namespace {self.shop.name}: {self.missing}. Grant it with a "
            "ClusterRole or Role bound to its ServiceAccount or user (waiting for it)."
        )

    def scale(self, replicas: int) -> None:
        """Ask for so many pods."""
        self.shop.patch_group({"spec": {"replicas": replicas}})

    def told_by_condition(self) -> None:
        """Wait until the group says what the API server refuses.

        That a person is needed is said when it has lasted a minute (tests/shell/test_apply.py): it may be granted.
        """
        wait_for(f"ReplicaFailure: {self.forbidden}", lambda: self.forbidden in self._message("ReplicaFailure"))
        assert self.shop.condition("Stalled")["status"] == "False"

    def told_by_log(self) -> None:
        """Wait until the log has the API server's words."""
        wait_for(f"a line in the log: {self.forbidden}", lambda: self.forbidden in self.process.logged())

    def told_by_readiness(self) -> None:
        """Wait until /readyz says what is missing; the log says the same."""
        eventually((503, f"{self.lack}\n"), self.process.readiness)
        assert self.lack in self.process.logged()

    def told_by_remark(self) -> None:
        """Wait until /readyz says what is missing though the operator works; the log says the same, once each time."""
        words = self.lack.replace(" (waiting for it).", ".")
        eventually((200, f"ok\n{words}\n"), self.process.readiness)
        self.remarks += 1
        assert self.process.logged().count(words) == self.remarks

    def _message(self, condition: str) -> str:
        return str(self.shop.condition(condition).get("message"))


def take_the_next_name(scene: Scene) -> None:
    """Let a stranger's pod have the name of the next one, so that the operator asks whose it is."""
    shop = scene.shop
    owner = shop.create("configmaps", {"metadata": {"name": "owner"}})["metadata"]
    stranger = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"], "controller": True}
    shop.create_pod(pod_name("web", shop.group()["metadata"]["uid"], 1, 0), {}, ownerReferences=[stranger])
    scene.scale(2)


def lose_a_pod(scene: Scene) -> None:
    """Kill a pod."""
    scene.shop.kill(*scene.shop.live())


def change_its_labels(scene: Scene) -> None:
    """Take a pod out of the group, so that the operator has to release it."""
    (pod,) = scene.shop.live()
    scene.shop.relabel(pod, **{"selfheal.dev/podgroup": "other"})


def one_too_many(scene: Scene) -> None:
    """Ask for no pods."""
    scene.scale(0)


def one_more(scene: Scene) -> None:
    """Ask for two pods."""
    scene.scale(2)


def cut(scene: Scene) -> None:
    """End the watches."""
    scene.line.cut()


def works_on(scene: Scene) -> None:
    """Nothing has to be listed as long as a watch can go on where it ended: a lost pod is replaced."""
    pods = scene.shop.live()
    scene.shop.kill(*pods)
    scene.shop.complete(without=pods)


def roll(scene: Scene) -> None:
    """Change the template, and wait until that is through."""
    scene.shop.patch_group({"spec": {"template": web("2")}})
    rolled(scene.shop, "2")


def resize(scene: Scene) -> None:
    """Let the operator change a pod in place, or replace it."""
    container = {"name": "web", "image": "registry.k8s.io/pause:3.10"}
    for cpu in ("1m", "2m"):
        template = {"spec": {"containers": [container | {"resources": {"requests": {"cpu": cpu}}}]}}
        scene.shop.patch_group({"spec": {"strategy": {"inPlace": "IfPossible"}, "template": template}})
        scene.shop.complete()


def ail(scene: Scene) -> None:
    """Let a pod crash again and again, so that the operator has to evict it."""
    scene.shop.crash(scene.shop.live()[0])


def change_the_template(scene: Scene) -> None:
    """Change the template, so that the operator has to keep another revision."""
    scene.shop.patch_group({"spec": {"template": web("2")}})


def take_the_next_revisions_name(scene: Scene) -> None:
    """Let a stranger have the name of the next revision, so that the operator asks whose it is."""
    metadata = {"name": f"web-{template_hash(web('2'))}"}
    scene.shop.create("controllerrevisions", {"metadata": metadata, "data": {}, "revision": 1}, APPS)
    change_the_template(scene)


def go_back(scene: Scene) -> None:
    """Change the template and change it back, so that an old revision becomes the newest."""
    first = scene.shop.group()["spec"]["template"]
    roll(scene)
    scene.shop.patch_group({"spec": {"template": first | {"metadata": {"annotations": None, "labels": None}}}})


def forget_the_past(scene: Scene) -> None:
    """Have an old revision, and ask for none."""
    roll(scene)
    scene.shop.patch_group({"spec": {"revisionHistoryLimit": 0}})


NEEDS: dict[str, tuple[Callable[[Scene], None], Callable[[Scene], None]]] = {
    "get podgroups.selfheal.dev": (lose_a_pod, Scene.told_by_condition),
    "list podgroups.selfheal.dev": (cut, works_on),
    "watch podgroups.selfheal.dev": (cut, Scene.told_by_readiness),
    "patch podgroups/status.selfheal.dev": (one_more, Scene.told_by_log),
    "get pods": (take_the_next_name, Scene.told_by_condition),
    # A watch that was cut begins with the question how far the server is.
    "list pods": (cut, Scene.told_by_readiness),
    "watch pods": (cut, Scene.told_by_readiness),
    "create pods": (one_more, Scene.told_by_condition),
    "patch pods": (change_its_labels, Scene.told_by_condition),
    "patch pods/resize": (resize, works_on),
    "create pods/eviction": (ail, Scene.told_by_condition),
    "delete pods": (one_too_many, Scene.told_by_condition),
    "create events.events.k8s.io": (one_more, Scene.told_by_log),
    "get controllerrevisions.apps": (take_the_next_revisions_name, Scene.told_by_condition),
    "list controllerrevisions.apps": (cut, works_on),
    "watch controllerrevisions.apps": (cut, Scene.told_by_remark),
    "create controllerrevisions.apps": (change_the_template, Scene.told_by_condition),
    "patch controllerrevisions.apps": (go_back, Scene.told_by_condition),
    "delete controllerrevisions.apps": (forget_the_past, Scene.told_by_condition),
    "create podtemplates": (roll, works_on),
}
"""For each permission what makes the operator need it, and where it says that it has not got it."""


def missing_is_wanted(permission: Permission) -> bool:
    """Whether it is one without which pods are kept all the same."""
    return str(permission) in {str(wanted) for wanted in WANTED}


def play(scene: Scene) -> None:
    """Start without the permission, grant it, take it away, grant it again."""
    process, shop, account = scene.process, scene.shop, scene.account
    account.allow(rules_without(scene.missing))
    process.launch()
    if missing_is_wanted(scene.missing):
        scene.told_by_remark()
    else:
        scene.told_by_readiness()

    account.allow(operator_rules())
    eventually((200, "ok\n"), process.readiness)
    shop.start_group(replicas=1)
    shop.quiet()
    pid = process.pid

    account.allow(rules_without(scene.missing))
    account.await_loss(scene.missing)
    need, say = NEEDS[str(scene.missing)]
    need(scene)
    say(scene)
    keeps_calm(scene)

    account.allow(operator_rules())
    granted = time.monotonic()
    eventually((200, "ok\n"), process.readiness)
    shop.complete()
    assert time.monotonic() - granted < RECOVERY
    eventually("False", lambda: shop.condition("Stalled")["status"])
    told = len(shop.notes("SuccessfulCreate"))
    scene.scale(3)
    shop.complete()
    wait_for("an Event about a new pod", lambda: len(shop.notes("SuccessfulCreate")) > told or None)
    assert pid == process.pid


def keeps_calm(scene: Scene) -> None:
    """While it may not do something the operator lives, and sends next to nothing."""
    asked, until = scene.line.asked, time.monotonic() + CALM
    wait_for("the time to pass", lambda: time.monotonic() > until)
    assert scene.process.runs
    assert scene.line.asked - asked < CALM_BYTES


def play_alone(cluster: KindCluster, missing: Permission, folder: Path) -> None:
    """Set the scene for one permission and play it."""
    folder.mkdir()
    with Api(Path(cluster.kubeconfig_path)) as api, new_namespace(api) as name, Line(cluster.api.url) as line:
        account = ServiceAccount(cluster, api, name, "operator")
        kubeconfig = account.write_kubeconfig(folder / "kubeconfig", line.url)
        with OperatorProcess(kubeconfig, folder / "log", [f"--namespace={name}"]) as process:
            play(Scene(missing, Namespace(cluster, api, name), account, line, process))


@pytest.fixture(scope="module")
def plays(
    kind_cluster: KindCluster, podgroup_crd: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Permission, tuple[Future[None], Path]]]:
    """All plays, begun, and each one's log."""
    folder = tmp_path_factory.mktemp("permissions")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        folders = {missing: folder / str(number) for number, missing in enumerate(EACH)}
        yield {
            missing: (pool.submit(play_alone, kind_cluster, missing, own), own / "log")
            for missing, own in folders.items()
        }


@pytest.mark.usefixtures("operator_away")
@pytest.mark.parametrize("missing", EACH, ids=str)
def test_a_missing_permission_is_named_and_survived(
    plays: dict[Permission, tuple[Future[None], Path]], missing: Permission
) -> None:
    """At the start it is waited for; taken away it is named where it is needed; granted, all goes on by itself."""
    outcome, log = plays[missing]
    try:
        outcome.result()
    finally:
        print(f"The operator's log:\n{log.read_text()}")  # noqa: T201 - part of a failed test's report

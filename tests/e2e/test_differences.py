"""What docs/differences.md says that a PodGroup does otherwise than a Deployment, so far as no other file runs it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from e2e.api import MERGE_PATCH, Api, Refused
from e2e.deployments import apply, as_group, manifest
from e2e.namespace import template
from e2e.pod import names
from e2e.twins import BOTH, DEPLOYMENT, PODGROUP, pods_of
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess
    from e2e.twins import Kind

pytestmark = pytest.mark.usefixtures("podgroup_crd")

Json = dict[str, Any]

OPERATOR_OPTIONS = ("--pod-annotation=cluster-autoscaler.kubernetes.io/safe-to-evict=true",)
"""What the chart's value podGroups.podAnnotations comes to."""

APPLY_PATCH = "application/apply-patch+yaml"
APP = {"app": "web"}


@pytest.fixture
def ours(shop_here: Namespace, operator_here: OperatorProcess) -> Iterator[Namespace]:
    """A namespace that is served, left empty."""
    assert operator_here.runs
    yield shop_here
    for kind in BOTH:
        shop_here.api.request("DELETE", kind.path(shop_here.name))
    shop_here.kill_all()  # the garbage collector is slow to hear of a kind that is new
    wait_for("the pods to go", lambda: not shop_here.pods())


class Applier:
    """Somebody who applies a part of a Deployment or PodGroup by server-side apply, under a name of his own."""

    def __init__(self, api: Api, kind: Kind, namespace: str, manager: str) -> None:
        self._api, self._kind, self._namespace, self._manager = api, kind, namespace, manager

    def apply(self, *containers: Json, force: bool = False) -> Json:
        """Apply these containers.

        Raises:
            Refused: another one owns something of it.
        """
        pods = {"metadata": {"labels": APP}, "spec": {"containers": list(containers)}}
        body = {
            "apiVersion": self._kind.root.removeprefix("/apis/"),
            "kind": "Deployment" if self._kind is DEPLOYMENT else "PodGroup",
            "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": APP}, "template": pods},
        }
        options = {"fieldManager": self._manager, "force": json.dumps(force)}
        made = self._api.request("PATCH", self._kind.path(self._namespace, "web"), body, APPLY_PATCH, **options)
        found: Json = {each["name"]: each for each in made["spec"]["template"]["spec"]["containers"]}
        return found


def variables(container: Json) -> dict[str, str]:
    """A container's environment."""
    return {each["name"]: each["value"] for each in container["env"]}


def env(**values: str) -> Json:
    """A container with this environment."""
    return {"name": "web", "image": "nginx", "env": [{"name": name, "value": each} for name, each in values.items()]}


def test_two_appliers_of_one_list_of_variables(api: Api, namespace: str) -> None:
    """A Deployment has both; a PodGroup tells the second that the list is another's, or gives it to him by force."""
    for kind in BOTH:
        Applier(api, kind, namespace, "first").apply(env(A="1"))
    second = {"name": "web", "env": [{"name": "B", "value": "2"}]}
    merged = Applier(api, DEPLOYMENT, namespace, "second").apply(second)
    assert variables(merged["web"]) == {"A": "1", "B": "2"}
    with pytest.raises(Refused, match=r"409: .*conflict with \\\"first\\\".*\.env"):
        Applier(api, PODGROUP, namespace, "second").apply(second)
    assert variables(Applier(api, PODGROUP, namespace, "second").apply(second, force=True)["web"]) == {"B": "2"}


@pytest.mark.parametrize("kind", BOTH, ids=["Deployment", "PodGroup"])
def test_containers_and_their_fields_are_merged(api: Api, namespace: str, kind: Kind) -> None:
    """Who applies a container or a field of his own leaves those of others, in both kinds."""
    Applier(api, kind, namespace, "first").apply({"name": "web", "image": "nginx", "args": ["a"]})
    found = Applier(api, kind, namespace, "second").apply(
        {"name": "web", "resources": {"limits": {"cpu": "1"}}},
        {"name": "side", "image": "side"},
    )
    assert set(found) == {"web", "side"}
    assert (found["web"]["args"], found["web"]["resources"]) == (["a"], {"limits": {"cpu": "1"}})


@pytest.mark.parametrize("kind", BOTH, ids=["Deployment", "PodGroup"])
def test_a_value_that_was_changed_by_hand_is_brought_back(api: Api, namespace: str, kind: Kind) -> None:
    """Where somebody has changed a variable, whoever applies it is told, or, by force, has it as he says, once."""
    first = Applier(api, kind, namespace, "first")
    first.apply(env(A="1", B="2"))
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/env/0/value", "value": "changed"}]
    api.request("PATCH", kind.path(namespace, "web"), change, "application/json-patch+json", fieldManager="hand")
    with pytest.raises(Refused, match="409"):
        first.apply(env(A="1", B="2"))
    assert [each["value"] for each in first.apply(env(A="1", B="2"), force=True)["web"]["env"]] == ["1", "2"]


def test_what_only_a_pod_can_be_refused_for_is_told_by_stalled(ours: Namespace) -> None:
    """A Deployment with a mount of no volume is refused at once; a PodGroup is taken, makes no pod, and says why."""
    wrong = {"name": "web", "image": "nginx", "volumeMounts": [{"name": "none", "mountPath": "/a"}]}
    body = manifest(replicas=1, template=template({"labels": APP}, containers=[wrong]))
    with pytest.raises(Refused, match=r"422: .*volumeMounts"):
        ours.create("deployments", body, DEPLOYMENT.root)
    ours.create("podgroups", as_group(body), PODGROUP.root)
    eventually(("True", "TemplateInvalid"), lambda: told(ours, "Stalled"))
    assert "volumeMounts[0].name: Not found" in ours.condition("Stalled")["message"]
    assert ours.pods() == []


def told(shop: Namespace, kind: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    condition = shop.condition(kind)
    return condition.get("status", ""), condition.get("reason", "")


def test_events_are_about_the_podgroup(ours: Namespace) -> None:
    """What a Deployment's ReplicaSet says of its pods the PodGroup says; there is no `ScalingReplicaSet`."""
    apply(ours, manifest(replicas=1))
    apply(ours, as_group(manifest(replicas=1)))
    ours.complete()
    wait_for("the group's Event", lambda: ours.notes("SuccessfulCreate"))

    def about() -> dict[str, set[str]]:
        items = ours.api.request("GET", ours.path("events"))["items"]
        reasons = ("ScalingReplicaSet", "SuccessfulCreate")
        return {each: {item["involvedObject"]["kind"] for item in items if item["reason"] == each} for each in reasons}

    eventually({"ScalingReplicaSet": {"Deployment"}, "SuccessfulCreate": {"ReplicaSet", "PodGroup"}}, about)


def test_a_pod_is_called_by_its_seat(ours: Namespace) -> None:
    """<group>-<slot>-<5 characters> where a Deployment has <name>-<hash>-<5>; both fit into a host name as they are."""
    apply(ours, manifest(replicas=1))
    apply(ours, as_group(manifest(replicas=1)))
    ours.complete()
    (of_deployment,), (of_group,) = (
        wait_for("a pod", lambda kind=kind: pods_of(ours.api, kind, ours.name, "web") or None)  # type: ignore[misc]
        for kind in BOTH
    )
    assert re.fullmatch(r"web-[a-z0-9]{6,10}-[a-z0-9]{5}", of_deployment["metadata"]["name"])
    assert re.fullmatch(r"web-0-[a-z0-9]{5}", of_group["metadata"]["name"])


def test_long_names_that_begin_alike_are_two_groups(ours: Namespace) -> None:
    """Up to 63 characters; pods' names are cut, and those of two groups that are cut alike do not meet."""
    one, other = (f"{'w' * 62}{end}" for end in "ab")
    for name in (one, other):
        labels = {"app": name[-1]}
        ours.create_group(name, selector={"matchLabels": labels}, template=template({"labels": labels}))
    pods = names([*ours.complete(one), *ours.complete(other)])
    assert len(pods) == 6
    assert {len(name) for name in pods} == {63}
    assert len({name[:-6] for name in pods}) == 3
    assert {ours.condition("ReplicaFailure", name)["status"] for name in (one, other)} == {"False"}


def test_pods_bear_the_hash_of_their_template(ours: Namespace) -> None:
    """`pod-template-hash` is the revision; `matchLabelKeys` have it written into the selector of a constraint."""
    constraint = {
        "topologyKey": "kubernetes.io/hostname",
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": APP},
        "matchLabelKeys": ["pod-template-hash"],
    }
    spec = template({"labels": APP}, topologySpreadConstraints=[constraint])
    ours.create_group(selector={"matchLabels": APP}, template=spec)
    pods = ours.complete()
    (revision,) = {pod.labels["pod-template-hash"] for pod in pods}
    assert {pod.labels["selfheal.dev/revision"] for pod in pods} == {revision}
    (made,) = pods[0].body["spec"]["topologySpreadConstraints"]
    assert made["labelSelector"]["matchExpressions"] == [
        {"key": "pod-template-hash", "operator": "In", "values": [revision]}
    ]


def test_the_cluster_autoscaler_may_be_told_of_all_pods_and_of_a_groups(ours: Namespace) -> None:
    """The chart's value annotates each pod that is made; a template's own annotation wins; neither rolls anything."""
    key = "cluster-autoscaler.kubernetes.io/safe-to-evict"
    ours.start_group("plain", 1, template=template({"labels": {"app": "plain"}}))
    ours.start_group("kept", 1, template=template({"labels": {"app": "kept"}, "annotations": {key: "false"}}))
    said = {pod.labels["app"]: pod.annotations.get(key) for pod in ours.live()}
    assert said == {"plain": "true", "kept": "false"}
    assert [ours.status(name)["updatedReplicas"] for name in said] == [1, 1]


def test_to_switch_spreading_on_or_off_rolls_nothing(ours: Namespace) -> None:
    """`spec.spread` is about pods that are made from then on; those that run stay, and are up to date."""
    before = ours.start_group(selector={"matchLabels": APP}, template=template({"labels": APP}))
    for word, many in (("Default", 2), ("None", 0)):
        ours.patch_group({"spec": {"spread": word}})
        eventually(ours.group()["metadata"]["generation"], lambda: ours.status().get("observedGeneration"))
        (lost,) = ours.live()[:1]
        ours.kill(lost)
        after = ours.complete(without=[lost])
        (made,) = [pod for pod in after if pod.uid not in {each.uid for each in before}]
        assert len(made.body["spec"].get("topologySpreadConstraints") or ()) == many
        assert ours.status()["updatedReplicas"] == 3
        before = after


def test_who_has_not_been_looked_at_is_not_ready(api: Api, namespace: str) -> None:
    """Where no operator is, a PodGroup is of generation -1, as made and as read: what kstatus waits for."""
    body = {"metadata": {"name": "web"}, "spec": {"template": template()}}
    lines = {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup"}
    made = api.request("POST", PODGROUP.path(namespace), {**lines, **body})
    read = api.request("GET", PODGROUP.path(namespace, "web"))
    assert (made["status"], read["status"]) == ({"observedGeneration": -1}, {"observedGeneration": -1})
    api.request("PATCH", PODGROUP.path(namespace, "web"), {"spec": {"replicas": 2}}, MERGE_PATCH)
    assert api.request("GET", PODGROUP.path(namespace, "web"))["status"]["observedGeneration"] == -1

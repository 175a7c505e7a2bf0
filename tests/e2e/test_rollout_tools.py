"""What people and controllers do about a rollout with Kubernetes' own tools: wait, scale, apply, restart, budgets."""

from __future__ import annotations

import json
from contextlib import suppress
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

import pytest

from e2e.deployments import apply, as_group, manifest
from e2e.namespace import PODGROUPS
from e2e.pod import uids
from e2e.versions import LABELS, NEVER_READY, bounds, change, rolled, start, version_of, web
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

GROUP = "podgroups.selfheal.dev/web"
ONE_MORE = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
DISRUPTION = "/apis/policy/v1"


def versions(shop: Namespace) -> list[str]:
    """The versions of the pods that live."""
    return sorted(map(version_of, shop.live()))


def ready(shop: Namespace, seconds: int) -> bool:
    """Whether `kubectl wait` sees the group Ready within the time."""
    with suppress(CalledProcessError):
        shop.kubectl("wait", GROUP, "--for=condition=Ready", f"--timeout={seconds}s")
        return True
    return False


def scale(shop: Namespace, replicas: int) -> None:
    """Scale by kubectl."""
    shop.kubectl("scale", GROUP, f"--replicas={replicas}")


def stuck(shop: Namespace) -> list[Pod]:
    """Have a group of four whose rollout stands still, one new pod beside the old ones; return these."""
    old = start(shop, 4, strategy=ONE_MORE)
    change(shop, "2", NEVER_READY)
    wait_for("a new pod", lambda: versions(shop) == ["1", "1", "1", "1", "2"])
    shop.quiet()
    return old


@pytest.mark.parametrize("strategy", [{}, ONE_MORE, {"type": "Recreate"}], ids=["25 %", "one more", "Recreate"])
def test_kubectl_wait_returns_when_the_rollout_is_through(shop: Namespace, strategy: Json) -> None:
    """Asked at once after each change it never sees the Ready of before; then all pods are new, and available."""
    start(shop, 4, strategy=strategy)
    for version in "234":
        change(shop, version)
        assert ready(shop, 60)
        pods = shop.live()
        assert [version_of(pod) for pod in pods if pod.ready] == [version] * 4
        assert len(pods) == 4


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"strategy": {"rollingUpdate": {"partition": 3}}}, ["1", "1", "1", "2"]),
        ({"strategy": {"rollingUpdate": {"partition": "100%"}}}, ["1", "1", "1", "1"]),
        ({"strategy": {"type": "OnDelete"}}, ["1", "1", "1", "1"]),
    ],
    ids=["partition", "all of them", "OnDelete"],
)
def test_kubectl_wait_waits_for_what_the_strategy_lets_go(shop: Namespace, spec: Json, wanted: list[str]) -> None:
    """Else it, and helm, Flux and Argo CD, would wait for ever."""
    start(shop, 4, **spec)
    change(shop, "2")
    assert ready(shop, 60)
    assert versions(shop) == wanted


def test_kubectl_wait_does_not_take_a_pause_for_the_end(shop: Namespace) -> None:
    """A template that is pending in a pause is not rolled out; resumed, it is, and the wait ends."""
    start(shop, 3)
    shop.patch_group({"spec": {"paused": True}})
    assert ready(shop, 30)
    change(shop, "2")
    assert not ready(shop, 3)
    assert shop.condition("Ready")["reason"] == "Paused"
    shop.patch_group({"spec": {"paused": False}})
    assert ready(shop, 60)
    assert versions(shop) == ["2", "2", "2"]


@pytest.mark.parametrize("replicas", [2, 6])
def test_kubectl_scale_works_in_mid_rollout(shop: Namespace, replicas: int) -> None:
    """Old pods go on within the bounds, and a good template brings all to an end."""
    stuck(shop)
    with shop.record() as recording:
        scale(shop, replicas)
        eventually(replicas, lambda: shop.group()["spec"]["replicas"])
        shop.quiet()
        change(shop, "3")
        assert len(rolled(shop, "3")) == replicas
        seen = bounds(recording)
    assert seen.fewest >= min(replicas, 4)
    assert seen.most <= max(replicas + 1, 5)


def test_to_none_and_back_in_mid_rollout(shop: Namespace) -> None:
    """At 0 it is Ready without a pod, as an autoscaler that scales to 0 needs it; back it is of the new template."""
    stuck(shop)
    scale(shop, 0)
    eventually([], shop.live)
    assert ready(shop, 30)
    change(shop, "3")
    scale(shop, 3)
    assert ready(shop, 60)
    assert versions(shop) == ["3", "3", "3"]


def test_an_apply_without_replicas_keeps_an_autoscalers_number(shop: Namespace) -> None:
    """Server-side apply, left out from the start: a new template rolls all that the autoscaler asks for by then."""
    body = as_group(manifest())
    del body["spec"]["replicas"]
    apply(shop, body, "--server-side")
    shop.complete()
    shop.patch_group({"spec": {"replicas": 5}}, subresource="scale")
    shop.complete()
    body["spec"]["template"] = web("2")
    apply(shop, body, "--server-side")
    assert shop.group()["spec"]["replicas"] == 5
    shop.patch_group({"spec": {"replicas": 6}}, subresource="scale")
    assert len(rolled(shop, "2")) == 6


def test_a_budget_and_the_scale_see_the_whole_group(shop: Namespace) -> None:
    """In mid-rollout a PodDisruptionBudget expects `replicas` pods, and the selector finds old and new ones."""
    stuck(shop)
    budget = {"metadata": {"name": "web"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}}}
    shop.create("poddisruptionbudgets", budget, DISRUPTION)
    path = shop.path("poddisruptionbudgets", "web", DISRUPTION)

    def counted() -> list[object]:
        status = shop.api.request("GET", path).get("status") or {}
        return [status.get(field) for field in ("expectedPods", "desiredHealthy", "currentHealthy")]

    eventually([4, 3, 4], counted)
    told = shop.api.request("GET", shop.path("podgroups", "web/scale", PODGROUPS))
    selected = shop.api.request("GET", shop.path("pods"), labelSelector=told["status"]["selector"])["items"]
    assert {pod["metadata"]["uid"] for pod in selected} == uids(shop.pods())
    assert told["status"]["replicas"] == len(selected) == 5
    assert told["spec"]["replicas"] == 4


def test_a_restart_by_kubectl_patch_rolls_all(shop: Namespace) -> None:
    """As `kubectl rollout restart` does it, which knows Kubernetes' own kinds alone."""
    old = start(shop, 3)
    again = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-27T00:00:00Z"}}}
    shop.kubectl("patch", GROUP, "--type=merge", f"--patch={json.dumps({'spec': {'template': again}})}")
    assert ready(shop, 60)
    assert not uids(shop.live()) & uids(old)

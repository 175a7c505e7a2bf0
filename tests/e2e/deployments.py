"""A live Deployment, and the ways between it and a PodGroup."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from e2e.pod import Pod, pod_spec
from e2e.policies import policy
from e2e.versions import LABELS, web
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.namespace import Namespace

Json = dict[str, Any]

REPLICAS = 4
APPS = "/apis/apps/v1"
SELECTED = "--selector=app=web"
ENV = [{"name": "MODE", "value": "fast"}]
BOUNDS = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def container(**fields: object) -> Json:
    """The template's container, with these fields added or replaced."""
    return pod_spec()["containers"][0] | {"env": ENV} | fields  # type: ignore[no-any-return]


def manifest(**spec: object) -> Json:
    """A Deployment of four pods."""
    wanted = {"replicas": REPLICAS, "selector": {"matchLabels": LABELS}, "strategy": BOUNDS}
    wanted |= {"template": web("1", containers=[container()])} | spec
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": wanted}


def as_group(deployment: Json) -> Json:
    """The same with two lines changed."""
    return deployment | {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup"}


def apply(shop: Namespace, body: Json, *arguments: str) -> None:
    """Apply a manifest by kubectl."""
    shop.kubectl("apply", *arguments, "--filename=-", input=json.dumps(body))


def deploy(shop: Namespace, body: Json | None = None) -> list[Pod]:
    """Apply a Deployment and wait until it is complete; return its pods."""
    apply(shop, body or manifest())
    return wait_for("the Deployment's pods", partial(all_ready, shop))


def all_ready(shop: Namespace) -> list[Pod] | None:
    """All live pods, if they are Ready and as many as there shall be."""
    pods = shop.live()
    return pods if len(pods) == REPLICAS and all(pod.ready for pod in pods) else None


def live_export(shop: Namespace) -> Json:
    """What `kubectl get --output=json` shows of the Deployment, but for what no create takes."""
    body: Json = json.loads(shop.kubectl("get", "deployment/web", "--output=json"))
    for field in ("resourceVersion", "uid"):
        del body["metadata"][field]
    return body


def orphan_pods(shop: Namespace) -> None:
    """Delete the Deployment and all of its ReplicaSets, as the docs say, and leave their pods."""
    shop.kubectl("delete", "deployment/web", "--cascade=orphan")
    shop.kubectl("delete", "replicasets", SELECTED, "--cascade=orphan")
    wait_for("the pods to have no owner", lambda: not any(pod.owners for pod in shop.live()))


@contextmanager
def changed_on_the_way(shop: Namespace, pod: str) -> Iterator[None]:
    """Have a policy in force that applies this, in CEL, to each new pod."""
    mutations = [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": f"Object{{{pod}}}"}}]
    probe = {"metadata": {"name": "probe"}, "spec": pod_spec()}

    def images() -> list[str]:
        made = shop.api.request("POST", shop.path("pods"), probe, dryRun="All")
        return [each["image"] for each in made["spec"]["containers"]]

    plain = images()

    def works() -> bool:
        return images() != plain

    with policy(shop, "mutating", "CREATE", works, mutations=mutations, reinvocationPolicy="Never"):
        yield


MESH = """
  metadata: Object.metadata{annotations: {"mesh.example.com/injected": "yes"}},
  spec: Object.spec{
    containers: [Object.spec.containers{
      name: "sidecar", image: "mesh",
      env: [Object.spec.containers.env{name: "POD", value: object.metadata.?name.orValue("none")}]}],
    volumes: [Object.spec.volumes{name: "mesh", emptyDir: Object.spec.volumes.emptyDir{}}]}"""
"""A sidecar, a volume and an annotation; not everything in it is the same in each pod."""

MIRROR = """
  metadata: Object.metadata{annotations: {"version": "mirrored"}},
  spec: Object.spec{containers: [Object.spec.containers{
    name: "web", image: "mirror.example.com/" + object.spec.containers[0].image, imagePullPolicy: "Always"}]}"""
"""Another image, pull policy and annotation than the template says, as AlwaysPullImages or a registry's mirror does."""

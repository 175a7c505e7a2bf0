"""Each field of each metadata inside a template: what a Deployment takes a PodGroup takes, what it refuses it refuses.

Live objects and the manifests of typed clients have fields there that nobody makes use of, `creationTimestamp: null`
above all. All of them are in the table, with values of the right kind, empty ones, nulls and wrong ones, under strict
validation and as dry runs; that the table is complete is read off the API server's own OpenAPI.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from e2e.api import Api, Refused
from e2e.namespace import CORE, PODGROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

    from e2e.namespace import Namespace

Json = dict[str, Any]

pytestmark = pytest.mark.usefixtures("podgroup_crd")

KINDS = {
    "Deployment": ("/apis/apps/v1", "deployments"),
    "PodGroup": (PODGROUPS, "podgroups"),
    "Pod": (CORE, "pods"),
}
"""Where each kind is created."""

APPLY_PATCH = "application/apply-patch+yaml"
LABELS = {"app": "web"}
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
POD_TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"

TIME = "2026-01-02T03:04:05Z"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "00000000-0000-0000-0000-000000000000"}
MANAGER = {"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "time": TIME, "fieldsType": "FieldsV1"}

VALUES: dict[str, list[object]] = {
    "name": ["web", "", "No Name", None, 5],
    "generateName": ["web-", "", None, 5],
    "namespace": ["elsewhere", "", None, 5],
    "selfLink": ["/x", "", None, 5],
    "uid": ["00000000-0000-0000-0000-000000000000", "none", "", None, 5],
    "resourceVersion": ["1", "none", "", None, 1],
    "generation": [1, 0, -1, None, "1", 1.5],
    "creationTimestamp": [TIME, None, "yesterday", "", 5],
    "deletionTimestamp": [TIME, None, "yesterday", "", 5],
    "deletionGracePeriodSeconds": [30, 0, -1, None, "30"],
    "labels": [{**LABELS, "a": "b"}, None, {**LABELS, "a b": "c"}, {**LABELS, "a": "b c"}, {**LABELS, "a": 5}, []],
    "annotations": [{"a": "b"}, {"a": ""}, {}, None, {"a b": "c"}, {"A.b/c": "d"}, {"a": 5}, []],
    "finalizers": [["example.com/a"], [], None, ["no finalizer"], "example.com/a", [5]],
    "ownerReferences": [[OWNER], [OWNER, OWNER], [{}], [], None, [{**OWNER, "nmae": "x"}], [{"uid": 5}], OWNER],
    "managedFields": [
        [{**MANAGER, "fieldsV1": {"f:spec": {}}}],
        [{}],
        [],
        None,
        [{"mananger": "x"}],
        [{"time": "?"}],
        {},
    ],
}
"""A label's value is never null here: a Deployment reads it as empty, and the API server's own kinds alone do that."""

JUDGED_WITH_THE_POD = ("labels", "annotations")
"""What these hold in a claim's metadata is judged like the rest of the pod's spec: when a pod is tried (`Stalled`)."""

PLACES = (".metadata", ".spec.volumes[].ephemeral.volumeClaimTemplate.metadata")


def template(place: str, metadata: Json) -> Json:
    """A pod template, with this in its metadata or in that of its claim."""
    pod, claim = ({"labels": LABELS, **metadata}, {}) if place == PLACES[0] else ({"labels": LABELS}, metadata)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"metadata": claim, "spec": spec}}}
    return {"metadata": pod, "spec": {"containers": [{"name": "web", "image": "nginx"}], "volumes": [volume]}}


def workload(kind: str, made_of: Json) -> Json:
    """A Deployment or PodGroup of that template."""
    group = {"Deployment": "apps/v1", "PodGroup": "selfheal.dev/v1"}[kind]
    spec = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": made_of}
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "web"}, "spec": spec}


def refusal(shop: Namespace, kind: str, made_of: Json) -> str:
    """What the API server says against it; empty if it takes it."""
    root, plural = KINDS[kind]
    manifest = workload(kind, made_of) if kind != "Pod" else {**made_of, "metadata": {"name": "web"}}
    try:
        shop.api.request("POST", shop.path(plural, root=root), manifest, dryRun="All", fieldValidation="Strict")
    except Refused as refused:
        return str(refused)
    return ""


def apply(shop: Namespace, kind: str, made_of: Json) -> str:
    """What the API server says against it in a server-side apply; empty if it takes it."""
    root, plural = KINDS[kind]
    path, options = (
        shop.path(plural, "web", root),
        {"dryRun": "All", "fieldManager": "test", "fieldValidation": "Strict"},
    )
    try:
        shop.api.request("PATCH", path, workload(kind, made_of), APPLY_PATCH, **options)
    except Refused as refused:
        return str(refused)
    return ""


def places(schemas: Json, name: str, path: str = "") -> Iterator[str]:
    """Where a type has metadata, in itself or in a type inside it."""
    for field, schema in schemas[name].get("properties", {}).items():
        inner = schema.get("items", schema.get("additionalProperties", schema))
        (reference,) = inner.get("allOf", [inner])
        target = reference.get("$ref", "").rpartition("/")[2]
        here = f"{path}.{field}" + ("[]" if "items" in schema else "")
        if target == OBJECT_META:
            yield here
        elif target:
            yield from places(schemas, target, here)


@pytest.fixture(scope="module")
def openapi(api: Api) -> Json:
    """The API server's own types."""
    schemas: Json = api.request("GET", "/openapi/v3/api/v1")["components"]["schemas"]
    return schemas


def test_the_table_is_complete(openapi: Json) -> None:
    """It has each field that this API server knows of metadata, and each metadata that a pod template has inside."""
    assert set(VALUES) == set(openapi[OBJECT_META]["properties"])
    assert set(PLACES) == set(places(openapi, POD_TEMPLATE))


@pytest.mark.parametrize("place", PLACES)
def test_it_answers_an_apply_as_a_deployment_does(shop_here: Namespace, place: str) -> None:
    """A null that is applied server-side arrives as one, where a create has dropped it: each may be null, and all."""
    for nothing in ({field: None} for field in VALUES if (place, field) != (PLACES[0], "labels")):
        made_of = template(place, nothing)
        applied = [apply(shop_here, kind, made_of) for kind in ("Deployment", "PodGroup")]
        assert applied == ["", ""], nothing


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("field", VALUES)
def test_it_answers_as_a_deployment_does(shop_here: Namespace, place: str, field: str) -> None:
    """For each value: taken where a Deployment takes it, and refused where it refuses it."""
    for value in VALUES[field]:
        made_of = template(place, {field: value})
        theirs, ours = (refusal(shop_here, kind, made_of) for kind in ("Deployment", "PodGroup"))
        if not ours and place != PLACES[0] and field in JUDGED_WITH_THE_POD:
            ours = refusal(shop_here, "Pod", made_of)
        assert bool(ours) == bool(theirs), f"{field}: {json.dumps(value)}\nDeployment: {theirs}\nPodGroup: {ours}"


USELESS: Json = {
    "name": "other",
    "generateName": "web-",
    "namespace": "elsewhere",
    "selfLink": "/x",
    "uid": OWNER["uid"],
    "resourceVersion": "1",
    "generation": 1,
    "creationTimestamp": TIME,
    "deletionTimestamp": TIME,
    "deletionGracePeriodSeconds": 30,
    "ownerReferences": [OWNER],
    "managedFields": [{**MANAGER, "fieldsV1": {"f:spec": {}}}],
}
"""All that a Deployment takes in its template's metadata and makes no use of."""

EMPTY = dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), "")
APPLIED = {
    "useless fields": (USELESS, {}, "unchanged"),
    "empty fields": (EMPTY, EMPTY, "unchanged"),
    "nulls": (dict.fromkeys(VALUES.keys() - {"labels"}), {}, "unchanged"),
    # kubectl sends no null inside a list, and so finds it missing each time; of a Deployment it says the same.
    "nulls in a claim": ({}, dict.fromkeys(VALUES), "configured"),
}
"""Metadata of the pod and of the claim, and what kubectl says when it is applied once more."""


@pytest.mark.parametrize(("pod", "claim", "says"), APPLIED.values(), ids=APPLIED.keys())
@pytest.mark.parametrize("option", ["--server-side=false", "--server-side"])
def test_the_second_apply_changes_nothing(
    kind_cluster: KindCluster, namespace: str, pod: Json, claim: Json, says: str, option: str
) -> None:
    """`kubectl apply` of the same manifest leaves the PodGroup as it is and says so; `kubectl diff` shows nothing."""
    made_of = template(PLACES[0], pod)
    made_of["spec"]["volumes"][0]["ephemeral"]["volumeClaimTemplate"]["metadata"] = claim
    manifest = json.dumps(workload("PodGroup", made_of))

    def kubectl(*command: str) -> str:
        arguments = (*command, option, "--namespace", namespace, "--filename", "-")
        return str(kind_cluster.kubectl(*arguments, input=manifest, stderr=subprocess.STDOUT))

    kubectl("apply")
    read = ("get", "pgrp", "web", "--namespace", namespace, "--output=jsonpath={.metadata.generation}")
    before = kind_cluster.kubectl(*read)
    said = kubectl("apply")
    assert kind_cluster.kubectl(*read) == before
    assert said.split()[1:] == ["serverside-applied" if option == "--server-side" else says]
    assert kubectl("diff") == ""


@pytest.mark.usefixtures("operator")
def test_pods_get_none_of_it(shop: Namespace) -> None:
    """Pods have the names, the namespace and the owner that they would have without, and their times are their own."""
    made_of = template(PLACES[0], USELESS)
    made_of["spec"]["volumes"] = []
    uid = shop.create("podgroups", workload("PodGroup", made_of), PODGROUPS)["metadata"]["uid"]
    (pod,) = shop.complete()
    metadata = pod.body["metadata"]
    assert pod.name.startswith("web-0-")
    assert [each["uid"] for each in metadata["ownerReferences"]] == [uid]
    assert {field for field, value in USELESS.items() if metadata.get(field) == value} == {"generation"}

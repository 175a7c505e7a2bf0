"""Deployments as people write them are PodGroups after two lines changed: none is refused, and the pods are the same.

Each file of `manifests` is applied as it is in one namespace and as a PodGroup in another, in its own words: the API
server reads the YAML. What else is in a file is made beside it. Then the pods are compared as admission has left them.
"""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from e2e.api import Refused
from e2e.namespace import PODGROUPS, Namespace
from e2e.operator_fixtures import new_namespace
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

    from e2e.api import Api
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

YAML = "application/yaml"
APPLY_PATCH = "application/apply-patch+yaml"
DEPLOYMENTS = "/apis/apps/v1"

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "manifests").glob("*.yaml")}
PARTS = {name: [part for part in text.split("---\n") if part.strip()] for name, text in TEXTS.items()}
DEPLOYMENT = {name: next(part for part in parts if "apps/v1" in part) for name, parts in PARTS.items()}
BESIDE = [part for parts in PARTS.values() for part in parts if "apps/v1" not in part]

every_manifest = pytest.mark.parametrize("name", sorted(TEXTS))


def two_lines_changed(text: str) -> str:
    """A Deployment's manifest as a PodGroup's."""
    text = re.sub(r'^(  )?("?apiVersion"?: "?)apps/v1', r"\1\2selfheal.dev/v1", text, count=1, flags=re.MULTILINE)
    return re.sub(r'^(  )?("?kind"?: "?)Deployment', r"\1\2PodGroup", text, count=1, flags=re.MULTILINE)


class Place(NamedTuple):
    """A namespace in which the manifests are all of one kind."""

    namespace: Namespace
    root: str
    plural: str

    def path(self, name: str = "") -> str:
        """Where the objects are, or one of them."""
        return self.namespace.path(self.plural, name, self.root)

    def create(self, text: str) -> str:
        """What the API server says against a manifest; empty if it takes it."""
        try:
            self.namespace.api.request("POST", self.path(), text, YAML, fieldValidation="Strict")
        except Refused as refused:
            return str(refused)
        return ""

    def get(self, name: str) -> Json:
        """The Deployment or PodGroup."""
        return self.namespace.api.request("GET", self.path(name))

    def pods(self, name: str) -> list[Json]:
        """Its pods, and those of its ReplicaSets."""
        pods = self.namespace.api.request("GET", self.namespace.path("pods"))["items"]
        return [pod for pod in pods if owner(pod) == name]

    def pod(self, name: str) -> Json:
        """One of its pods, when there is one."""
        return wait_for(f"a pod of {self.plural}/{name}", lambda: next(iter(self.pods(name)), None))


class Places(NamedTuple):
    """The same manifests as both kinds, and what was said against them by name."""

    deployments: Place
    groups: Place
    refused: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def places(
    kind_cluster: KindCluster, api: Api, shop_here: Namespace, operator_here: OperatorProcess
) -> Iterator[Places]:
    """All manifests, applied as both kinds."""
    with new_namespace(api) as other:
        deployments = Place(Namespace(kind_cluster, api, other), DEPLOYMENTS, "deployments")
        groups = Place(shop_here, PODGROUPS, "podgroups")
        for place in (deployments, groups):
            place.namespace.kubectl("apply", "--filename=-", input="---\n".join(BESIDE))
        said = {
            name: (deployments.create(text), groups.create(two_lines_changed(text)))
            for name, text in DEPLOYMENT.items()
        }
        yield Places(deployments, groups, said)
        api.request("DELETE", groups.path())  # what is beside them in the cluster may be needed by their pods


def owner(pod: Json) -> str:
    """The name of a pod's Deployment or PodGroup."""
    (reference,) = pod["metadata"].get("ownerReferences") or [{"kind": "", "name": ""}]
    name = str(reference["name"])
    return name.rpartition("-")[0] if reference["kind"] == "ReplicaSet" else name


def meaning(pod: Json) -> Json:
    """All that a pod has from its template and from admission: not its name, its owner's marks, or its node."""
    metadata = pod["metadata"]
    ours = re.compile("selfheal.dev/|pod-template-hash$")
    kept = {
        field: {key: value for key, value in (metadata.get(field) or {}).items() if not ours.match(key)}
        for field in ("labels", "annotations")
    }
    spec = re.sub(r"kube-api-access-\w{5}", "kube-api-access", json.dumps(pod["spec"]))
    return {**kept, "finalizers": metadata.get("finalizers"), "spec": {**json.loads(spec), "nodeName": None}}


def as_stored(template: Json) -> Json:
    """A template as a PodGroup keeps it: as it was written, with the one default that is a list's key; no nulls."""
    spec = template["spec"]
    for container in [*spec["containers"], *(spec.get("initContainers") or ())]:
        for port in container.get("ports") or ():
            port.setdefault("protocol", "TCP")
    kept: Json = without_nulls(template)
    return kept


def without_nulls(value: Any) -> Any:
    """Leave out what is null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def written(name: str) -> Json:
    """What a manifest says."""
    manifest: Json = yaml.safe_load(DEPLOYMENT[name])
    return manifest


def test_there_are_enough_of_them() -> None:
    """Forty and more, each about something else; each file's Deployment bears its name."""
    assert len(TEXTS) >= 40
    assert [name for name in TEXTS if written(name)["metadata"]["name"] != name] == []


@every_manifest
def test_both_kinds_are_taken(places: Places, name: str) -> None:
    """The API server takes the manifest as a Deployment and as a PodGroup, and knows each of its fields."""
    assert places.refused[name] == ("", "")


@every_manifest
def test_nothing_of_the_template_is_lost(places: Places, name: str) -> None:
    """What is stored of the template is what was written."""
    stored = places.groups.get(name)["spec"]["template"]
    assert without_nulls(stored) == as_stored(written(name)["spec"]["template"])


@every_manifest
def test_a_server_side_apply_does_the_same(places: Places, name: str) -> None:
    """The manifest can be applied by the server too, and its template is then the same."""
    made = places.groups.namespace.api.request(
        *("PATCH", places.groups.path(name), two_lines_changed(DEPLOYMENT[name]), APPLY_PATCH),
        fieldManager="test",
        force="true",
        dryRun="All",
        fieldValidation="Strict",
    )
    assert without_nulls(made["spec"]["template"]) == as_stored(written(name)["spec"]["template"])


def wants_pods(name: str) -> bool:
    """Whether a manifest's pods are to be made now."""
    spec = written(name)["spec"]
    return spec.get("replicas") != 0 and not spec.get("paused")


@pytest.mark.parametrize("name", [name for name in sorted(TEXTS) if wants_pods(name)])
def test_the_pods_are_the_same(places: Places, name: str) -> None:
    """A pod of the PodGroup is what a pod of the Deployment is, but for its name, its node and its owner's marks."""
    assert meaning(places.groups.pod(name)) == meaning(places.deployments.pod(name))


def observed(place: Place, name: str) -> object:
    """Which generation has been looked at."""
    return (place.get(name).get("status") or {}).get("observedGeneration")


@pytest.mark.parametrize("name", [name for name in sorted(TEXTS) if not wants_pods(name)])
def test_no_pods_are_made_of_either(places: Places, name: str) -> None:
    """Created paused, or with no replicas: when each of the two has been looked at there is no pod."""
    for place in (places.deployments, places.groups):
        eventually(1, partial(observed, place, name))
        assert place.pods(name) == []


def test_an_old_one_without_a_selector(places: Places) -> None:
    """Manifests from before selectors were required work: the operator's own label takes its place."""
    manifest = written("least")
    manifest |= {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup", "metadata": {"name": "no-selector"}}
    del manifest["spec"]["selector"]
    assert places.groups.create(json.dumps(manifest)) == ""
    assert meaning(places.groups.pod("no-selector")) == meaning(places.deployments.pod("least"))


@pytest.mark.parametrize("option", ["--server-side=false", "--server-side"])
def test_to_apply_it_again_changes_nothing(
    kind_cluster: KindCluster, api: Api, places: Places, namespace: str, option: str
) -> None:
    """`kubectl apply` takes all of them, in each of its two ways, and a second time it changes none."""
    away = Place(Namespace(kind_cluster, api, namespace), PODGROUPS, "podgroups")  # no operator serves it
    everything = "\n---\n".join(two_lines_changed(text) for text in DEPLOYMENT.values())
    for _ in range(2):
        away.namespace.kubectl("apply", option, "--filename=-", input=everything)
    generations = {
        each["metadata"]["name"]: each["metadata"]["generation"] for each in api.request("GET", away.path())["items"]
    }
    assert generations == dict.fromkeys(TEXTS, 1)

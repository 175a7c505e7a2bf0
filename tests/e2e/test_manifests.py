"""Deployments as people write them are PodGroups after two lines changed: none is refused, and the pods are the same.

Each file of `manifests` is applied as it is in one namespace and as a PodGroup in another, in its own words: the API
server reads the YAML. What else is in a file is made beside it. Then the pods are compared as admission has left them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from e2e.namespace import Namespace
from e2e.operator_fixtures import new_namespace
from e2e.twins import (
    DEPLOYMENT,
    PODGROUP,
    Kind,
    deployments_in,
    documents_of,
    meaning,
    objection,
    pods_of,
    two_lines_changed,
)
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_kind import KindCluster

    from e2e.api import Api
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

APPLY_PATCH = "application/apply-patch+yaml"

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "manifests").glob("*.yaml")}
PARTS = {name: [part for part in documents_of(text) if part.strip()] for name, text in TEXTS.items()}
DEPLOYMENTS = {name: next(each for part in parts for each in deployments_in(part)) for name, parts in PARTS.items()}
BESIDE = [part for parts in PARTS.values() for part in parts if "apps/v1" not in part]

every_manifest = pytest.mark.parametrize("name", sorted(TEXTS))


class Place(NamedTuple):
    """A namespace in which the manifests are all of one kind."""

    namespace: Namespace
    kind: Kind

    def path(self, name: str = "") -> str:
        """Where the objects are, or one of them."""
        return self.kind.path(self.namespace.name, name)

    def create(self, text: str) -> str:
        """What the API server says against a Deployment's manifest as one of this kind; empty if it takes it."""
        return objection(self.namespace.api, self.kind, self.namespace.name, text)

    def get(self, name: str) -> Json:
        """The Deployment or PodGroup."""
        return self.namespace.api.request("GET", self.path(name))

    def pods(self, name: str) -> list[Json]:
        """Its pods, and those of its ReplicaSets."""
        return pods_of(self.namespace.api, self.kind, self.namespace.name, name)

    def pod(self, name: str) -> Json:
        """One of its pods, when there is one."""
        return wait_for(f"a pod of {self.kind.plural}/{name}", lambda: next(iter(self.pods(name)), None))


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
        deployments = Place(Namespace(kind_cluster, api, other), DEPLOYMENT)
        groups = Place(shop_here, PODGROUP)
        for place in (deployments, groups):
            place.namespace.kubectl("apply", "--filename=-", input="---\n".join(BESIDE))
        said = {name: (deployments.create(text), groups.create(text)) for name, text in DEPLOYMENTS.items()}
        yield Places(deployments, groups, said)
        api.request("DELETE", groups.path())  # what is beside them in the cluster may be needed by their pods


def without_nulls(value: Any) -> Any:
    """Leave out what is null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def written(name: str) -> Json:
    """What a manifest says."""
    manifest: Json = yaml.safe_load(DEPLOYMENTS[name])
    return manifest


def test_there_are_enough_of_them() -> None:
    """Sixty and more, each about something else; each file's Deployment bears its name."""
    assert len(TEXTS) >= 60
    assert [name for name in TEXTS if written(name)["metadata"]["name"] != name] == []


@every_manifest
def test_both_kinds_are_taken(places: Places, name: str) -> None:
    """The API server takes the manifest as a Deployment and as a PodGroup, and knows each of its fields."""
    assert places.refused[name] == ("", "")


@every_manifest
def test_nothing_of_the_template_is_lost(places: Places, name: str) -> None:
    """What is stored of the template is what was written, and nothing else: no default is written into it."""
    stored = places.groups.get(name)["spec"]["template"]
    assert without_nulls(stored) == without_nulls(written(name)["spec"]["template"])


@every_manifest
def test_a_server_side_apply_does_the_same(places: Places, name: str) -> None:
    """The manifest can be applied by the server too, and its template is then the same."""
    made = places.groups.namespace.api.request(
        *("PATCH", places.groups.path(name), two_lines_changed(DEPLOYMENTS[name]), APPLY_PATCH),
        fieldManager="test",
        force="true",
        dryRun="All",
        fieldValidation="Strict",
    )
    assert without_nulls(made["spec"]["template"]) == without_nulls(written(name)["spec"]["template"])


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
    places.groups.namespace.create("podgroups", manifest, PODGROUP.root)
    assert meaning(places.groups.pod("no-selector")) == meaning(places.deployments.pod("least"))


@pytest.mark.parametrize("option", ["--server-side=false", "--server-side"])
def test_to_apply_it_again_changes_nothing(
    kind_cluster: KindCluster, api: Api, places: Places, namespace: str, option: str
) -> None:
    """`kubectl apply` takes all of them, in each of its two ways, and a second time it changes none."""
    away = Place(Namespace(kind_cluster, api, namespace), PODGROUP)  # no operator serves it
    everything = "\n---\n".join(two_lines_changed(text) for text in DEPLOYMENTS.values())
    for _ in range(2):
        away.namespace.kubectl("apply", option, "--filename=-", input=everything)
    generations = {
        each["metadata"]["name"]: each["metadata"]["generation"] for each in api.request("GET", away.path())["items"]
    }
    assert generations == dict.fromkeys(TEXTS, 1)

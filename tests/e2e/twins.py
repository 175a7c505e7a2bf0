"""A Deployment and the PodGroup of the same words, side by side: what is said against them, and what pods they make.

The words are sent as they are, for the API server to read: Python reads some YAML otherwise.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from e2e.api import MERGE_PATCH, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e2e.api import Api

Json = dict[str, Any]

YAML = "application/yaml"
BETWEEN_DOCUMENTS = re.compile(r"^---.*\n?", re.MULTILINE)
OWN_WORDS = re.compile(r"selfheal\.dev/|pod-template-hash$")
MESSAGE = re.compile(r'"message":("(?:[^"\\]|\\.)*")')
TOKEN = re.compile(r"kube-api-access-\w{5}")


class Kind(NamedTuple):
    """Where the API server has the objects of a kind."""

    root: str
    plural: str

    def path(self, namespace: str, name: str = "") -> str:
        """The path of a namespace's objects, or of one."""
        return f"{self.root}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")


DEPLOYMENT, PODGROUP = Kind("/apis/apps/v1", "deployments"), Kind("/apis/selfheal.dev/v1", "podgroups")
BOTH = (DEPLOYMENT, PODGROUP)


def documents_of(text: str) -> list[str]:
    """The documents of a file."""
    return BETWEEN_DOCUMENTS.split(text)


def deployments_in(document: str) -> Iterator[str]:
    """The Deployment that a document is, in its own words, or those of a List, as JSON.

    Raises:
        ValueError: nobody can read it.
    """
    try:
        body = yaml.safe_load(document)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if is_deployment(body):
        yield document
    elif isinstance(body, dict) and isinstance(body.get("items"), list):
        yield from (json.dumps(each, default=str) for each in body["items"] if is_deployment(each))


def is_deployment(document: object) -> bool:
    """Whether this is a manifest of an apps/v1 Deployment."""
    return isinstance(document, dict) and (document.get("apiVersion"), document.get("kind")) == (
        "apps/v1",
        "Deployment",
    )


def two_lines_changed(text: str) -> str:
    """A Deployment's manifest as a PodGroup's."""
    if text.lstrip().startswith("{"):
        return json.dumps(json.loads(text) | {"apiVersion": "selfheal.dev/v1", "kind": "PodGroup"})
    text = re.sub(r"""^(apiVersion: *["']?)apps/v1""", r"\1selfheal.dev/v1", text, count=1, flags=re.MULTILINE)
    return re.sub(r"""^(kind: *["']?)Deployment""", r"\1PodGroup", text, count=1, flags=re.MULTILINE)


def in_words_of(kind: Kind, text: str) -> str:
    """A Deployment's manifest as one of this kind."""
    return two_lines_changed(text) if kind is PODGROUP else text


def objection(api: Api, kind: Kind, namespace: str, text: str, **query: str) -> str:
    """What the API server says against a Deployment's manifest as one of this kind; empty if it takes it."""
    try:
        api.request("POST", kind.path(namespace), in_words_of(kind, text), YAML, fieldValidation="Strict", **query)
    except Refused as refused:
        message = MESSAGE.search(str(refused))
        return str(json.loads(message[1])) if message else str(refused)
    return ""


def want_one_pod(api: Api, kind: Kind, namespace: str, name: str) -> None:
    """Have one pod be made, whatever the manifest says of how many and when."""
    api.request("PATCH", kind.path(namespace, name), {"spec": {"replicas": 1, "paused": False}}, MERGE_PATCH)


def pods_of(api: Api, kind: Kind, namespace: str, name: str) -> list[Json]:
    """The pods of a Deployment's ReplicaSets, or of a PodGroup, that are not on their way out."""
    owner = api.request("GET", kind.path(namespace, name))["metadata"]["uid"]
    owners = {owner}
    if kind is DEPLOYMENT:
        sets = api.request("GET", f"/apis/apps/v1/namespaces/{namespace}/replicasets")["items"]
        owners = {each["metadata"]["uid"] for each in sets if owner in owners_of(each)}
    pods = api.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    return [pod for pod in pods if owners & owners_of(pod) and not pod["metadata"].get("deletionTimestamp")]


def owners_of(body: Json) -> set[str]:
    """The UIDs of an object's owners."""
    return {each["uid"] for each in body["metadata"].get("ownerReferences") or ()}


def meaning(pod: Json) -> Json:
    """All that a pod has from its template and from admission: not its name, its owner's marks, or its node."""
    metadata = pod["metadata"]
    kept = {
        field: {key: value for key, value in (metadata.get(field) or {}).items() if not OWN_WORDS.match(key)}
        for field in ("labels", "annotations")
    }
    hashes = {value for key, value in (metadata.get("labels") or {}).items() if key == "pod-template-hash"}
    spec = TOKEN.sub("kube-api-access", json.dumps(pod["spec"]))
    for each in hashes:  # which stands in selectors too, where matchLabelKeys say so
        spec = spec.replace(f'"{each}"', '"the hash"')
    return {**kept, "finalizers": metadata.get("finalizers"), "spec": {**json.loads(spec), "nodeName": None}}


def differences(one: Any, other: Any, path: str = "") -> Iterable[str]:
    """The paths at which two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from differences(one.get(key), other.get(key), f"{path}.{key}" if path else key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif one != other:
        yield path

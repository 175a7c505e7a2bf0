"""A CRD with new rules over PodGroups that break them: what is stored stays within reach, of its operator above all.

The API server lets what is wrong and stays as it was pass ("ratcheting"), rule by rule: one that looks at the whole
object would see it changed by each write of the status. So each rule is tried: its mistake is stored while the CRD has
no rules, and then the rules come. A CRD of another group stands in for ours, which other tests need.
"""

from __future__ import annotations

import copy
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.api import MERGE_PATCH, Api, Refused
from e2e.operator_fixtures import CRD_FILE
from e2e.test_crd_refusals import REFUSED, group
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.namespace import Namespace

Json = dict[str, Any]

GROUP = "upgrade.selfheal.test"
ROOT = f"/apis/{GROUP}/v1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RULES = "x-kubernetes-validations"


def crd() -> Json:
    """Ours, under another group."""
    made: Json = yaml.safe_load(CRD_FILE.read_bytes())
    made["metadata"]["name"] = f"podgroups.{GROUP}"
    made["spec"]["group"] = GROUP
    made["spec"]["names"] |= {"shortNames": [], "categories": []}
    return made


def without_rules(node: Any) -> Any:
    """A schema as it was before anybody thought of rules."""
    if isinstance(node, list):
        return [without_rules(each) for each in node]
    if isinstance(node, dict):
        return {key: without_rules(value) for key, value in node.items() if key != RULES}
    return node


def rules(node: Any) -> list[str]:
    """All rules of a schema, by their messages."""
    if isinstance(node, list):
        return [rule for each in node for rule in rules(each)]
    if isinstance(node, dict):
        own = [rule["message"] for rule in node.get(RULES, ())]
        return own + [rule for key, value in node.items() if key != RULES for rule in rules(value)]
    return []


def replace_crd(api: Api, manifest: Json) -> None:
    """Upgrade the CRD."""
    path = f"{CRDS}/{manifest['metadata']['name']}"
    version = api.request("GET", path)["metadata"]["resourceVersion"]
    changed = copy.deepcopy(manifest)
    changed["metadata"]["resourceVersion"] = version
    api.request("PUT", path, changed)


def answer(api: Api, namespace: str, manifest: Json, **query: str) -> str:
    """What the API server says against a PodGroup; empty if it takes it."""
    made = {**manifest, "apiVersion": f"{GROUP}/v1"}
    try:
        api.request("POST", f"{ROOT}/namespaces/{namespace}/podgroups", made, **query)
    except Refused as refused:
        return message(refused)
    return ""


def message(refused: Refused) -> str:
    """The API server's own words."""
    words = str(refused).partition(": ")[2]
    return str(json.loads(words)["message"]) if words.startswith("{") else words


@pytest.fixture(scope="module")
def place(shop_here: Namespace) -> str:
    """The name of the namespace."""
    return shop_here.name


@pytest.fixture(scope="module")
def stored(api: Api, place: str) -> Iterator[dict[str, str]]:
    """The names of the PodGroups with mistakes that were stored before the rules came, by their mistakes."""
    api.request("POST", CRDS, without_rules(crd()))
    try:
        wait_for("the CRD to be served", lambda: not answer(api, place, group(), dryRun="All"))
        names = {}
        for number, (mistake, (manifest, _)) in enumerate(REFUSED.items()):
            long = len(manifest["metadata"]["name"]) > len("web")
            name = manifest["metadata"]["name"] if long else f"web-{number}"
            if not answer(api, place, {**manifest, "metadata": {"name": name}}, fieldValidation="Strict"):
                names[mistake] = name
        replace_crd(api, crd())
        wrong, sentence = REFUSED["negative replicas"]
        wait_for("the rules to be in force", lambda: sentence in answer(api, place, wrong, dryRun="All"))
        yield names
    finally:
        api.request("DELETE", f"{CRDS}/podgroups.{GROUP}")


def write(api: Api, namespace: str, name: str, patch: Json, subresource: str = "") -> str:
    """What the API server says against a change; empty if it takes it."""
    try:
        api.request("PATCH", f"{ROOT}/namespaces/{namespace}/podgroups/{name}{subresource}", patch, MERGE_PATCH)
    except Refused as refused:
        return message(refused)
    return ""


def test_each_rule_has_been_broken(api: Api, place: str, stored: dict[str, str]) -> None:
    """What is stored breaks every rule that can be broken by a new object, and a new object like it is refused."""
    told = {mistake: answer(api, place, REFUSED[mistake][0], dryRun="All") for mistake in stored}
    assert [mistake for mistake, said in told.items() if not said] == []
    unbroken = {rule for rule in rules(crd()) if rule not in "".join(told.values())}
    assert {rule.partition(",")[0] for rule in unbroken} == {"selector cannot be changed"}


def test_its_status_can_be_written(api: Api, place: str, stored: dict[str, str]) -> None:
    """The operator can tell how it stands with each of them."""
    say = partial(write, api, place, patch={"status": {"replicas": 1}}, subresource="/status")
    assert {mistake: said for mistake, name in stored.items() if (said := say(name))} == {}


def test_its_metadata_can_be_changed(api: Api, place: str, stored: dict[str, str]) -> None:
    """It can be labelled, and an owner can take his finalizer away."""
    say = partial(write, api, place, patch={"metadata": {"labels": {"a": "b"}}})
    assert {mistake: said for mistake, name in stored.items() if (said := say(name))} == {}


def test_it_can_be_scaled(api: Api, place: str, stored: dict[str, str]) -> None:
    """Its pods can be made more and fewer, unless its number or its selector is the mistake."""
    say = partial(write, api, place, patch={"spec": {"replicas": 2}}, subresource="/scale")
    refused = {mistake: said for mistake, name in stored.items() if (said := say(name))}
    assert {said for said in refused.values() if "selector does not match" not in said} == set()


def test_its_template_can_be_changed(api: Api, place: str, stored: dict[str, str]) -> None:
    """What a template says of single pods, and must not, may stay while its other annotations and labels change."""
    asking = "template that asks to replace each of its pods", "template that sets the slot"
    restart = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"}
    metadata = {"annotations": restart, "labels": {"version": "2"}}
    say = partial(write, api, place, patch={"spec": {"template": {"metadata": metadata}}})
    assert [say(stored[mistake]) for mistake in asking] == ["", ""]


def test_its_mistake_cannot_be_made_again(api: Api, place: str, stored: dict[str, str]) -> None:
    """Beside an annotation that must not be there no second one comes."""
    more = {"spec": {"template": {"metadata": {"annotations": {"selfheal.dev/keep": "true"}}}}}
    said = write(api, place, stored["template that asks to replace each of its pods"], more)
    assert "remove the annotations that start with selfheal.dev/" in said

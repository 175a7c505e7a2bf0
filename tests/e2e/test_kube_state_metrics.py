"""The configuration for kube-state-metrics makes of a PodGroup the metrics that its comments promise.

kube-state-metrics is no program of ours and is not run here: its rules for a configuration, in so far as ours uses
them (gauges by paths, its docs/metrics/extend/customresourcestate-metrics.md), are said again below.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.operator_fixtures import CRD_FILE
from e2e.versions import LABELS, start, web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.namespace import Namespace

Json = dict[str, Any]

FILE = Path(__file__).resolve().parents[2] / "deploy/kube-state-metrics/podgroups.yaml"
(RESOURCE,) = yaml.safe_load(FILE.read_text())["spec"]["resources"]

RESOURCE_FIELDS = {"groupVersionKind", "metricNamePrefix", "labelsFromPath", "metrics"}
METRIC_FIELDS = {"name", "help", "each"}
GAUGE_FIELDS = {"path", "labelsFromPath", "valueFrom", "nilIsZero"}


def metrics(body: Json) -> Iterator[tuple[str, str, float]]:
    """Each metric of an object: its name, the condition it is about if there is one, and its value."""
    for metric in RESOURCE["metrics"]:
        gauge = metric["each"]["gauge"]
        found = at(body, gauge["path"])
        name = f"{RESOURCE['metricNamePrefix']}_{metric['name']}"
        if isinstance(found, list):
            yield from ((name, each["type"], number(at(each, gauge["valueFrom"]))) for each in found)
        elif found is not None or gauge.get("nilIsZero"):
            yield name, "", number(found)


def at(body: Json, path: list[str]) -> Any:
    """What is at a path; None if it leads nowhere."""
    found: Any = body
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def number(value: object) -> float:
    """A value as a gauge's: nothing is 0, words of conditions and times are numbers."""
    if isinstance(value, str):
        words = {"true": 1.0, "false": 0.0, "unknown": 0.0}
        return words[value.lower()] if value.lower() in words else datetime.fromisoformat(value).timestamp()
    assert value is None or isinstance(value, int | float)
    return float(value or 0)


def test_it_is_written_in_the_words_of_kube_state_metrics() -> None:
    """A field that it does not know would be ignored, or refuse the whole file."""
    assert RESOURCE.keys() == RESOURCE_FIELDS
    assert RESOURCE["groupVersionKind"] == {"group": "selfheal.dev", "version": "v1", "kind": "PodGroup"}
    for metric in RESOURCE["metrics"]:
        assert metric.keys() == METRIC_FIELDS
        assert metric["each"].keys() == {"type", "gauge"}
        assert metric["each"]["type"] == "Gauge"
        assert metric["each"]["gauge"].keys() <= GAUGE_FIELDS


def test_names_are_those_of_a_deployment() -> None:
    """With podgroup for deployment, so that rules and dashboards can be carried over; two are our own."""
    of_a_deployment = {
        *("created", "metadata_generation", "spec_paused", "spec_replicas", "status_condition"),
        *("status_observed_generation", "status_replicas", "status_replicas_available", "status_replicas_ready"),
        *("status_replicas_unavailable", "status_replicas_updated"),
    }
    assert {metric["name"] for metric in RESOURCE["metrics"]} - of_a_deployment == {
        "status_healed",
        "status_replicas_failed",
    }


@pytest.mark.parametrize("metric", RESOURCE["metrics"], ids=lambda metric: metric["name"])
def test_each_path_is_one_of_the_crd(metric: Json) -> None:
    """A misspelt one would be 0 for ever."""
    (version,) = yaml.safe_load(CRD_FILE.read_text())["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    path = metric["each"]["gauge"]["path"]
    for part in path if path[0] != "metadata" else ():
        schema = schema["properties"][part]
    assert schema["type"] in {"integer", "boolean", "array"} or path[0] == "metadata"


@pytest.mark.usefixtures("operator")
def test_a_podgroup_is_counted(shop: Namespace) -> None:
    """One that was healed once, of which all is well."""
    pods = start(shop, 2)
    shop.kill(pods[0])
    shop.complete(without=pods[:1])
    shop.quiet()
    body = shop.group()
    values = {(name.removeprefix("kube_podgroup_"), about): value for name, about, value in metrics(body)}
    times = [values.pop(("created", ""))]
    assert times == [datetime.fromisoformat(body["metadata"]["creationTimestamp"]).timestamp()]
    assert {name: value for (name, about), value in values.items() if not about} == {
        "metadata_generation": 1,
        "spec_replicas": 2,
        "spec_paused": 0,
        "status_observed_generation": 1,
        "status_replicas": 2,
        "status_replicas_ready": 2,
        "status_replicas_available": 2,
        "status_replicas_unavailable": 0,
        "status_replicas_updated": 2,
        "status_replicas_failed": 0,
        "status_healed": 1,
    }
    assert {about: value for (_, about), value in values.items() if about} == {
        "Ready": 1,
        "Available": 1,
        "Progressing": 1,
        "ReplicaFailure": 0,
        "Stalled": 0,
    }


def test_one_that_nobody_has_looked_at_is_counted(shop: Namespace, podgroup_crd: None, operator_away: None) -> None:
    """As one that has no pods."""
    shop.create_group(selector={"matchLabels": LABELS}, template=web("1"))
    values = {name: value for name, _, value in metrics(shop.group())}
    assert (values["kube_podgroup_spec_replicas"], values["kube_podgroup_status_replicas_available"]) == (3, 0)

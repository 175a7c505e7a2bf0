"""Alerts and dashboard: they ask only for what /metrics has, and each alert says what to do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chart.rendered import CHART, EVERYTHING, ROOT, Rendered
from podgroup_operator import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

RULES = [
    rule for group in yaml.safe_load((CHART / "files/alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/podgroup.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
NAME = re.compile(r"\b(?:podgroup|workqueue|rest_client|leader_election|process)_\w+")
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
SELECTED = re.compile(r"(\w+)(?:=~|!~|!=|=)\"")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""


def served() -> Iterator[str]:
    """Give the names of all series that /metrics has, or will have when there is something to count."""
    for family in metrics.registry.collect():
        yield from (f"{family.name}{suffix}" for suffix in SUFFIXES[family.type])


def labels() -> set[str]:
    """Give the labels that these have."""
    found = {"le"}
    for collector in {*metrics.registry._names_to_collectors.values()}:  # noqa: SLF001 - it has no other way to ask
        found |= {*getattr(collector, "_labelnames", ())}
    return found


@pytest.mark.parametrize("query", [*(rule["expr"] for rule in RULES), *QUERIES])
def test_a_query_asks_for_what_is_there(query: str) -> None:
    """Every series and every label in an alert or on the dashboard is one of /metrics."""
    assert NAME.findall(query)
    assert {*NAME.findall(query)} <= {*served()}
    named = {label.strip() for group in GROUPED.findall(query) for label in group.split(",")} | {
        *SELECTED.findall(query)
    }
    assert named <= labels() | SCRAPED


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_has_a_page_that_says_what_to_do(rule: Json) -> None:
    """What it means, what to look at and what to do; with the expression as it is."""
    text = (ROOT / rule["annotations"]["runbook_url"]).read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert f"`{rule['expr']}`" in text
    for heading in ("What it means", "What to look at", "What to do"):
        assert f"## {heading}\n\n" in text


def test_every_page_has_its_alert() -> None:
    """A page about an alert that is gone would mislead."""
    assert {page.stem for page in (ROOT / "docs/runbooks").glob("*.md")} == {rule["alert"] for rule in RULES}


def test_every_series_is_explained() -> None:
    """docs/metrics.md names each, and none that is not there."""
    named = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    families = metrics.registry.collect()
    expected = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert named == {name for name in expected if not name.startswith(("process_", "python_"))}


def test_the_chart_has_them_for_who_asks(render: Callable[..., Rendered]) -> None:
    """Off by default; the templates of Prometheus in them are left alone, and the links point where they shall."""
    assert "PrometheusRule" not in render().kinds
    (group,) = render(file=EVERYTHING).one("PrometheusRule")["spec"]["groups"]
    links = [rule["annotations"].pop("runbook_url") for rule in group["rules"]]
    assert links == [f"https://example.com/runbooks/{rule['alert']}.md" for rule in RULES]
    for rule, rendered in zip(RULES, group["rules"], strict=True):
        told = {key: words for key, words in rule["annotations"].items() if key != "runbook_url"}
        assert rendered == rule | {"annotations": told}

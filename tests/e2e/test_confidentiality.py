"""What stands in a template, perhaps a password, and the operator's own token stay out of its log, Events and metrics.

The PodGroup's own status may quote it: who may read that may read the template too.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from e2e.namespace import template
from e2e.waiting import eventually, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.namespace import Namespace
    from e2e.operator_process import OperatorProcess

Json = dict[str, Any]

OPERATOR_OPTIONS = ("--log-level=DEBUG",)
"""It says all that it can."""

MARK = "hunter2-do-not-tell"

FORGED = "2026-01-01 00:00:00,000 ERROR podgroup_operator.run everything is forged"

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR) [\w.]+ \S.*|    .*")
"""A line that the operator has begun, or that is indented as tracebacks are."""


def marked(**fields: object) -> Json:
    """A template that has the mark wherever a user may write freely, with these fields of the container besides."""
    container = {
        "name": "web",
        "image": "registry.k8s.io/pause:3.10",
        "command": ["/pause", MARK],
        "args": [f"--password={MARK}\n{FORGED}"],
        "env": [{"name": "PASSWORD", "value": f"{MARK}\r\n{FORGED}"}],
        **fields,
    }
    return template({"annotations": {"example.com/password": MARK}}, containers=[container])


BAD: dict[str, Json] = {
    "env-name": {"env": [{"name": f"{MARK} \n{FORGED}=", "value": MARK}]},
    "env-from": {"env": [{"name": "A", "value": MARK, "valueFrom": {"fieldRef": {"fieldPath": MARK}}}]},
    "field-path": {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": f"{MARK}\n{FORGED}"}}}]},
    "mount": {"volumeMounts": [{"name": MARK, "mountPath": "/data"}]},
    "mount-path": {"volumeMounts": [{"name": "data", "mountPath": f"/{MARK}:\n{FORGED}"}]},
    "header": {
        "livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": f"{MARK} \n{FORGED}", "value": MARK}]}}
    },
}
"""What the API server refuses, quoting some of it, by what is wrong in the container."""


@pytest.fixture(scope="module")
def said(shop_here: Namespace, operator_here: OperatorProcess) -> dict[str, str]:
    """Let everything go wrong that can, and give all that the operator has said meanwhile, by where."""
    live_and_die(shop_here)
    be_refused(shop_here)
    be_invalid(shop_here)
    items = shop_here.api.request("GET", shop_here.path("events", root="/apis/events.k8s.io/v1"))["items"]
    events = [event for event in items if "podgroup" in event["reportingController"]]
    reasons = {"SuccessfulCreate", "SuccessfulDelete", "PodHealed", "FailedCreate", "TemplateInvalid"}
    assert {event["reason"] for event in events} == reasons
    return {"log": operator_here.log(), "Events": json.dumps(events), "metrics": operator_here.get("/metrics")[1]}


def live_and_die(shop: Namespace) -> None:
    """A good group loses pods in every way, grows, shrinks and goes."""
    lost, failed, *_ = shop.start_group(template=marked())
    shop.kill(lost)
    shop.finish(failed, "Failed")
    shop.complete(without=[lost, failed])
    shop.patch_group({"spec": {"replicas": 1}})
    shop.complete()
    wait_for("the Event", lambda: shop.notes("SuccessfulDelete") or None)
    shop.delete_group()


def be_refused(shop: Namespace) -> None:
    """The namespace's policy and quota refuse a good group's pods."""
    policy = "pod-security.kubernetes.io/enforce"
    shop.kubectl("label", "namespace", shop.name, f"{policy}=restricted")
    shop.create_group("restricted", template=marked())
    wait_for("the refusal", lambda: shop.notes("FailedCreate", "restricted") or None)
    shop.kubectl("label", "namespace", shop.name, f"{policy}-")
    shop.delete_group("restricted")
    shop.create("resourcequotas", {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})
    path = shop.path("resourcequotas", "none")
    eventually("0", lambda: shop.api.request("GET", path).get("status", {}).get("hard", {}).get("pods"))
    shop.create_group("poor", template=marked())
    wait_for("the refusal", lambda: shop.notes("FailedCreate", "poor") or None)
    shop.kubectl("delete", "resourcequota/none")
    shop.delete_group("poor")


def be_invalid(shop: Namespace) -> None:
    """Templates that the schema takes and the API server does not."""
    for name, fields in BAD.items():
        shop.create_group(name, template=marked(**fields))
    for name in BAD:
        wait_for(f"{name} to be refused", partial(refused, shop, name))


def refused(shop: Namespace, name: str) -> bool:
    """Whether an Event says that a group's template is invalid."""
    return bool(shop.notes("TemplateInvalid", name))


@pytest.mark.parametrize("place", ["log", "Events", "metrics"])
def test_what_stands_in_a_template_is_told_nowhere(said: dict[str, str], place: str) -> None:
    """Not with --log-level=DEBUG, and not when the API server's own words quote it."""
    assert "podgroup" in said[place]
    assert [line for line in said[place].splitlines() if MARK in line] == []


def test_an_event_names_the_field_that_is_wrong(shop_here: Namespace, said: dict[str, str]) -> None:
    """Without the value, and says where the API server's own words are, which quote it."""
    assert shop_here.notes("TemplateInvalid", "mount") == [
        "spec.containers[0].volumeMounts[0].name: Not found. The condition Stalled has the API server's own words."
    ]
    assert MARK in shop_here.condition("Stalled", "mount")["message"]


def test_nobody_can_forge_a_line_of_the_log(said: dict[str, str]) -> None:
    """Each line was begun by the operator itself, whatever line breaks a template has."""
    assert [line for line in said["log"].split("\n")[:-1] if not LINE.fullmatch(line)] == []
    assert FORGED not in said["log"]


def test_the_operators_token_is_told_nowhere(said: dict[str, str], operator_kubeconfig: Path) -> None:
    """Neither the token nor the header that carries it."""
    token = json.loads(operator_kubeconfig.read_text())["users"][0]["user"]["token"]
    everything = "".join(said.values())
    assert token not in everything
    assert token.rpartition(".")[2] not in everything
    assert "Bearer" not in everything

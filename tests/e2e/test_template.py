"""A template that only the API server knows to be wrong: said once and clearly, harmless, and curable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2e.namespace import template
from e2e.pod import pod_spec, uids
from e2e.waiting import eventually, stays, wait_for

if TYPE_CHECKING:
    from e2e.namespace import Namespace
    from e2e.pod import Pod

pytestmark = pytest.mark.usefixtures("operator")

MOUNT = [{"name": "data", "mountPath": "/data"}]
BAD: dict[str, Any] = template(containers=[pod_spec()["containers"][0] | {"volumeMounts": MOUNT}])
FIELD = "spec.containers[0].volumeMounts[0].name"
WORDS = f'{FIELD}: Not found: "data"'
QUIET = 5.0


def refused_creates(shop: Namespace) -> float:
    """How many pods the API server has refused for what they are, dry runs among them, since it was started."""
    return shop.api.count("apiserver_request_total", verb="POST", resource="pods", subresource="", code="422")


def mounts(pod: Pod) -> list[dict[str, Any]]:
    """What the pod's container mounts; a service account's token is added to it."""
    return list(pod.body["spec"]["containers"][0].get("volumeMounts", ()))


def test_a_bad_template_is_told_and_not_tried_again_and_again(shop: Namespace) -> None:
    """The condition Stalled has the server's words, an Event the field; a few requests, and no pod, come of it."""
    before = refused_creates(shop)
    shop.create_group(template=BAD)
    eventually("TemplateInvalid", lambda: shop.condition("Stalled").get("reason"))
    stalled = shop.condition("Stalled")
    assert stalled["status"] == "True"
    assert WORDS in stalled["message"]
    assert stalled["message"].endswith("Pods that run are left as they are.")
    assert (shop.condition("Ready")["status"], shop.condition("Ready")["reason"]) == ("False", "TemplateInvalid")
    (warning,) = wait_for("the Event", lambda: [each for each in shop.events() if each["type"] == "Warning"] or None)
    assert warning["reason"] == "TemplateInvalid"
    assert warning["message"] == f"{FIELD}: Not found. The condition Stalled has the API server's own words."

    shop.quiet()

    def state() -> object:
        return shop.pods(), shop.group()["metadata"]["resourceVersion"], len(shop.events())

    stays(([], shop.group()["metadata"]["resourceVersion"], 1), state, QUIET)
    assert 1 <= refused_creates(shop) - before <= 3


def test_a_template_that_turns_bad_harms_nobody(shop: Namespace) -> None:
    """When a bad template takes the place of a good one the pods run on, and a lost one comes back as it was."""
    pods = shop.start_group()
    versions = [pod.version for pod in pods]
    before = refused_creates(shop)
    shop.patch_group({"spec": {"template": BAD}})
    eventually("TemplateInvalid", lambda: shop.condition("Stalled").get("reason"))
    lost, *others = pods
    shop.kill(lost, gracePeriodSeconds=0)
    after = shop.complete(without=[lost])
    assert uids(others) < uids(after)
    assert not any(mount["name"] == "data" for pod in after for mount in mounts(pod))
    assert shop.condition("Stalled")["reason"] == "TemplateInvalid"
    assert versions[1:] == [shop.pod(pod.name).version for pod in others]
    assert refused_creates(shop) - before <= 3


def test_a_template_that_is_put_right_is_taken_at_once(shop: Namespace) -> None:
    """A corrected template is used without delay, and the conditions say that all is well again."""
    shop.create_group(template=BAD)
    eventually("TemplateInvalid", lambda: shop.condition("Stalled").get("reason"))
    shop.patch_group({"spec": {"template": template()}})
    shop.patch_group({"spec": {"template": {"spec": {"containers": pod_spec()["containers"]}}}})
    shop.complete()
    eventually(
        {"Ready": "True", "Available": "True", "Progressing": "True", "ReplicaFailure": "False", "Stalled": "False"},
        lambda: {each["type"]: each["status"] for each in shop.status()["conditions"]},
    )


def test_one_bad_group_does_not_hold_up_another(shop: Namespace) -> None:
    """While one group has a bad template, another in the same namespace is healed as ever."""
    shop.create_group("bad", template=BAD)
    lost, *_ = shop.start_group()
    shop.kill(lost)
    shop.complete(without=[lost])

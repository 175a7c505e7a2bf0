"""What the API server refuses at apply, and the sentence it answers with.

A mistake should be told to its author at once, not to the reader of a condition later. The table runs as a dry run on
the server: validation is the same, and nothing is left behind. The rules are in crds/podgroups.schema.yaml.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_kind import KindCluster

pytestmark = pytest.mark.usefixtures("podgroup_crd")

Manifest = dict[str, Any]

LABELS = {"app": "web", "tier": "front"}
CONTAINER = {"name": "web", "image": "nginx:1.29"}
CLAIM = {"metadata": {"name": "mine"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def template(labels: object = None, annotations: object = None, **spec: object) -> Manifest:
    """A pod template; what is given replaces the part of that name."""
    return {
        "metadata": {"labels": LABELS if labels is None else labels, "annotations": annotations or {}},
        "spec": {"containers": [CONTAINER], **spec},
    }


def group(name: str = "web", **spec: object) -> Manifest:
    """A PodGroup that is accepted if nothing else is given; a field given as None is left out."""
    fields = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec}
    return {
        "apiVersion": "selfheal.dev/v1",
        "kind": "PodGroup",
        "metadata": {"name": name},
        "spec": {field: value for field, value in fields.items() if value is not None},
    }


def expressions(*requirements: Manifest) -> Manifest:
    """A PodGroup that selects by expressions only."""
    return group(selector={"matchExpressions": list(requirements)})


def apply(cluster: KindCluster, namespace: str, manifest: Manifest, *options: str) -> str:
    """What `kubectl apply` says, whether it went well or not."""
    command = ["apply", "--namespace", namespace, "--filename", "-", *options]
    try:
        return str(cluster.kubectl(*command, input=json.dumps(manifest), stderr=subprocess.STDOUT))
    except subprocess.CalledProcessError as refused:
        return str(refused.stdout)


NO_MATCH = "selector does not match the pods it is for: give template.metadata.labels "
EMPTY = "spec.selector: Invalid value: selector is empty and would select every pod of the namespace: give it "
KEY = "write a label's key as letters, digits, '-', '_' and '.', with a letter or digit at both ends"
VALUE = "write a label's value as letters, digits, '-', '_' and '.', with a letter or digit at both ends"
NEEDS_IMAGE = ".image: Required value: name the image that the container runs, as in nginx:1.29"
OURS = (
    "spec.template.metadata.labels: Invalid value: remove the labels that start with selfheal.dev/: the operator sets"
)

REFUSED: dict[str, tuple[Manifest, str]] = {
    "a back-off that shrinks": (
        group(healing={"backoff": {"initialSeconds": 10, "maxSeconds": 5}}),
        "spec.healing.backoff: Invalid value: set backoff.initialSeconds to at most backoff.maxSeconds",
    ),
    "a back-off that shrinks below the default": (
        group(healing={"backoff": {"initialSeconds": 301}}),
        "spec.healing.backoff: Invalid value: set backoff.initialSeconds to at most backoff.maxSeconds",
    ),
    "a back-off of nothing": (
        group(healing={"backoff": {"initialSeconds": 0}}),
        "spec.healing.backoff.initialSeconds: Invalid value: 0: set initialSeconds to a number from 1 to 3600",
    ),
    "a back-off of more than a day": (
        group(healing={"backoff": {"maxSeconds": 86401}}),
        "spec.healing.backoff.maxSeconds: Invalid value: 86401: set maxSeconds to a number from 1 to 86400",
    ),
    "fewer restarts than none": (
        group(healing={"crashLoopRestarts": -1}),
        "spec.healing.crashLoopRestarts: Invalid value: -1: set crashLoopRestarts to a number from 0 (never) to 1000",
    ),
    "a crash loop of more than a day": (
        group(healing={"crashLoopSeconds": 86401}),
        "spec.healing.crashLoopSeconds: Invalid value: 86401: set crashLoopSeconds to a number from 0 (never) to 86400",
    ),
    "a pod that is not Ready for more than a day": (
        group(healing={"unreadySeconds": 86401}),
        "spec.healing.unreadySeconds: Invalid value: 86401: set unreadySeconds to a number from 0 (never) to 86400",
    ),
    "a start of more than a day": (
        group(healing={"startSeconds": 86401}),
        "spec.healing.startSeconds: Invalid value: 86401: set startSeconds to a number from 0 (never) to 86400",
    ),
    "a node that is lost for more than a day": (
        group(healing={"nodeLostSeconds": 86401}),
        (
            "spec.healing.nodeLostSeconds: Invalid value: 86401: set nodeLostSeconds to a number from 0 (leave it to "
            "Kubernetes) to 86400"
        ),
    ),
    "a healing of none at once": (
        group(healing={"maxUnavailable": 0}),
        (
            "spec.healing.maxUnavailable: Invalid value: 0: set healing.maxUnavailable to a number from 1 or a "
            "percentage from 1% to 100%"
        ),
    ),
    "a history of more than anybody looks at": (
        group(healing={"failedPodsHistoryLimit": 1001}),
        "spec.healing.failedPodsHistoryLimit: Invalid value: 1001: set failedPodsHistoryLimit to a number from 0",
    ),
    "negative replicas": (
        group(replicas=-1),
        "spec.replicas: Invalid value: -1: set replicas to a number from 0 (no pods) to 10000",
    ),
    "more replicas than are supported": (
        group(replicas=10001),
        "spec.replicas: Invalid value: 10001: set replicas to a number from 0 (no pods) to 10000",
    ),
    "replicas as a text": (
        group(replicas="3"),
        'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer',
    ),
    "negative minReadySeconds": (
        group(minReadySeconds=-5),
        "spec.minReadySeconds: Invalid value: -5: set minReadySeconds to 0 seconds (available as soon as Ready) or",
    ),
    "a name that no label can hold": (
        group(name="w" * 64),
        "metadata.name: Invalid value: choose a name of at most 63 characters: pods bear it as the label selfheal.dev/",
    ),
    "an unknown way to spread": (
        group(spread="System"),
        'spec.spread: Unsupported value: "System": supported values: "Default", "None"',
    ),
    "a name in capitals": (group(name="Web"), 'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain'),
    "empty selector": (group(selector={}), EMPTY),
    "empty matchLabels": (group(selector={"matchLabels": {}}), EMPTY),
    "empty matchExpressions": (expressions(), EMPTY),
    "selector with another value": (
        group(selector={"matchLabels": {"app": "api"}}),
        "spec.selector.matchLabels: Invalid value: " + NO_MATCH + "every label of selector.matchLabels",
    ),
    "selector with a label that the template lacks": (
        group(selector={"matchLabels": {"app": "web", "zone": "a"}}),
        NO_MATCH + "every label of selector.matchLabels",
    ),
    "selector, and a template without labels": (
        group(template={"spec": {"containers": [CONTAINER]}}),
        NO_MATCH + "every label of selector.matchLabels",
    ),
    "In with other values": (
        expressions({"key": "app", "operator": "In", "values": ["api", "db"]}),
        "spec.selector.matchExpressions: Invalid value: " + NO_MATCH + "what every one of selector.matchExpressions",
    ),
    "In with a label that the template lacks": (
        expressions({"key": "zone", "operator": "In", "values": ["a"]}),
        NO_MATCH + "what every one of",
    ),
    "NotIn with the template's value": (
        expressions({"key": "app", "operator": "NotIn", "values": ["web"]}),
        NO_MATCH + "what every one of",
    ),
    "Exists with a label that the template lacks": (
        expressions({"key": "zone", "operator": "Exists"}),
        NO_MATCH + "what every one of",
    ),
    "DoesNotExist with a label of the template": (
        expressions({"key": "app", "operator": "DoesNotExist"}),
        NO_MATCH + "what every one of",
    ),
    "one of two expressions does not hold": (
        expressions({"key": "app", "operator": "Exists"}, {"key": "tier", "operator": "DoesNotExist"}),
        NO_MATCH + "what every one of",
    ),
    "In without values": (
        expressions({"key": "app", "operator": "In"}),
        "spec.selector.matchExpressions[0].values: Invalid value: give operator In or NotIn at least one of values",
    ),
    "NotIn with an empty list": (
        expressions({"key": "zone", "operator": "NotIn", "values": []}),
        "give operator In or NotIn at least one of values",
    ),
    "Exists with values": (
        expressions({"key": "app", "operator": "Exists", "values": ["web"]}),
        "spec.selector.matchExpressions[0].values: Invalid value: remove values, for Exists and DoesNotExist look",
    ),
    "unknown operator": (
        expressions({"key": "app", "operator": "Equals", "values": ["web"]}),
        'Unsupported value: "Equals": supported values: "In", "NotIn", "Exists", "DoesNotExist"',
    ),
    "expression without a key": (
        expressions({"operator": "Exists"}),
        "spec.selector.matchExpressions[0].key: Required value",
    ),
    "expression with a key that is no label's": (expressions({"key": "a b", "operator": "DoesNotExist"}), KEY),
    "expression with a value that is no label's": (
        expressions({"key": "app", "operator": "NotIn", "values": ["-x"]}),
        VALUE,
    ),
    "label with a key that is none": (group(template=template(labels={**LABELS, "a b": "c"})), KEY),
    "label with a value that is none": (group(template=template(labels={**LABELS, "a": "b c"})), VALUE),
    "label with a value that is too long": (
        group(template=template(labels={**LABELS, "a": "b" * 64})),
        "spec.template.metadata.labels.a: Too long: may not be more than 63 bytes",
    ),
    "template that calls its pods another group's": (
        group(template=template(labels={**LABELS, "selfheal.dev/podgroup": "api"})),
        OURS,
    ),
    "template that sets the slot": (group(template=template(labels={**LABELS, "selfheal.dev/slot": "0"})), OURS),
    "template that asks to replace each of its pods": (
        group(template=template(annotations={"selfheal.dev/delete": "true"})),
        "remove the annotations that start with selfheal.dev/: each is about a single pod, not about all",
    ),
    "annotation with a key that is none": (
        group(template=template(annotations={"a b": "c"})),
        "spec.template.metadata.annotations: Invalid value: write an annotation's key as letters, digits,",
    ),
    "no template": (group(template=None), "spec.template: Required value"),
    "template without a spec": (group(template={"metadata": {"labels": LABELS}}), "spec.template.spec: Required value"),
    "no containers field": (
        group(template={"metadata": {"labels": LABELS}, "spec": {}}),
        "spec.template.spec.containers: Required value",
    ),
    "no container": (
        group(template=template(containers=[])),
        "spec.template.spec.containers: Required value: add at least one container, with a name and an image",
    ),
    "container without an image": (
        group(template=template(containers=[{"name": "web"}])),
        "containers[0]" + NEEDS_IMAGE,
    ),
    "container with an empty image": (
        group(template=template(containers=[CONTAINER, {"name": "side", "image": ""}])),
        "spec.template.spec.containers[1]" + NEEDS_IMAGE,
    ),
    "init container without an image": (
        group(template=template(initContainers=[{"name": "wait"}])),
        "spec.template.spec.initContainers[0]" + NEEDS_IMAGE,
    ),
    "container without a name": (
        group(template=template(containers=[{"image": "nginx:1.29"}])),
        "spec.template.spec.containers[0].name: Required value",
    ),
    "two containers of one name": (
        group(template=template(containers=[CONTAINER, CONTAINER])),
        'spec.template.spec.containers[1]: Duplicate value: {"name":"web"}',
    ),
    "unknown restartPolicy": (
        group(template=template(restartPolicy="Sometimes")),
        'restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ),
    "quantity that is none": (
        group(template=template(containers=[{**CONTAINER, "resources": {"limits": {"memory": "64 MB"}}}])),
        'spec.template.spec.containers[0].resources.limits.memory: Invalid value: "64 MB"',
    ),
    "template that keeps each of its pods": (
        group(template=template(annotations={"selfheal.dev/keep": "true"})),
        "remove the annotations that start with selfheal.dev/: each is about a single pod, not about all",
    ),
    "template that names its revision": (
        group(template=template(labels={**LABELS, "selfheal.dev/revision": "1"})),
        OURS,
    ),
    "misspelt field of the PodGroup": (group(replica=3), 'strict decoding error: unknown field "spec.replica"'),
    "misspelt field of a container": (
        group(template=template(containers=[{**CONTAINER, "imagee": "nginx"}])),
        'strict decoding error: unknown field "spec.template.spec.containers[0].imagee"',
    ),
    "misspelt field of a probe": (
        group(template=template(containers=[{**CONTAINER, "livenessProbe": {"httpGet": {"prt": 80}}}])),
        'unknown field "spec.template.spec.containers[0].livenessProbe.httpGet.prt"',
    ),
    "ephemeral containers": (
        group(template=template(ephemeralContainers=[{"name": "debug", "image": "busybox"}])),
        "spec.template.spec.ephemeralContainers: Forbidden: remove it: ephemeral containers are added to a pod that",
    ),
    "claim with a name of its own": (
        group(template=template(volumes=[{"name": "a", "ephemeral": {"volumeClaimTemplate": CLAIM}}])),
        'ephemeral.volumeClaimTemplate.metadata.name: Invalid value: "mine": remove it: labels and annotations are all',
    ),
    "bounds for a strategy that has none": (
        group(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate' or",
    ),
    "empty bounds for a strategy that has none": (
        group(strategy={"type": "OnDelete", "rollingUpdate": {}}),
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate' or",
    ),
    "unknown strategy": (
        group(strategy={"type": "Rolling"}),
        'spec.strategy.type: Unsupported value: "Rolling": supported values: "RollingUpdate", "Recreate", "OnDelete"',
    ),
    "bounds within which nothing can be replaced": (
        group(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}),
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: may not be 0 when `maxSurge` is 0, for then no pod",
    ),
    "a number of pods as a text": (
        group(strategy={"rollingUpdate": {"maxSurge": "1"}}),
        'spec.strategy.rollingUpdate.maxSurge: Invalid value: "1": write a number of pods, 0 or more, or a percentage',
    ),
    "fewer than no pods": (
        group(strategy={"rollingUpdate": {"maxUnavailable": -1}}),
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: -1: write a number of pods, 0 or more, or a",
    ),
    "more than all pods unavailable": (
        group(strategy={"rollingUpdate": {"maxUnavailable": "101%"}}),
        "which must not be greater than 100%",
    ),
    "more than all pods left as they are": (
        group(strategy={"rollingUpdate": {"partition": "101%"}}),
        'spec.strategy.rollingUpdate.partition: Invalid value: "101%": write a number of pods, 0 or more, or a',
    ),
    "an unknown way in place": (
        group(strategy={"inPlace": "Always"}),
        'spec.strategy.inPlace: Unsupported value: "Always": supported values: "IfPossible", "Never"',
    ),
    "less than no history": (
        group(revisionHistoryLimit=-1),
        "spec.revisionHistoryLimit: Invalid value: -1: set revisionHistoryLimit to 0 (keep none) or more",
    ),
    "a deadline before the pods can be available": (
        group(minReadySeconds=30, progressDeadlineSeconds=30),
        "spec.progressDeadlineSeconds: Invalid value: must be greater than minReadySeconds: set",
    ),
    "a deadline in the past": (
        group(progressDeadlineSeconds=-1),
        "spec.progressDeadlineSeconds: Invalid value: -1: set progressDeadlineSeconds to more than minReadySeconds",
    ),
    "pods that take longer than the deadline that nobody set": (
        group(minReadySeconds=600),
        "spec.progressDeadlineSeconds: Invalid value: must be greater than minReadySeconds",
    ),
}


@pytest.mark.parametrize(("manifest", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_mistake_is_refused_with_a_sentence(
    kind_cluster: KindCluster, namespace: str, manifest: Manifest, sentence: str
) -> None:
    """A mistake is refused at apply, and the answer names the field and says what to do."""
    answer = apply(kind_cluster, namespace, manifest, "--dry-run=server")
    assert sentence in answer


def test_the_manifest_that_the_mistakes_are_made_in_is_accepted(kind_cluster: KindCluster, namespace: str) -> None:
    """Each manifest above is refused for its one mistake: without it, it is accepted."""
    assert apply(kind_cluster, namespace, group(), "--dry-run=server") == (
        "podgroup.selfheal.dev/web created (server dry run)\n"
    )


SELECTOR_IS_FIXED = (
    "spec.selector: Forbidden: selector cannot be changed, added or removed, for it tells which pods are "
    "this PodGroup's: restore it, or create a PodGroup of another name"
)
OTHER_SELECTOR = {"matchLabels": {"tier": "front"}}
BY_EXPRESSION = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {"selector": OTHER_SELECTOR}, id="changed"),
        pytest.param({}, {"selector": BY_EXPRESSION}, id="exchanged"),
        pytest.param({}, {"selector": None}, id="removed"),
        pytest.param({"selector": None}, {"selector": OTHER_SELECTOR}, id="added"),
    ],
)
def test_the_selector_cannot_be_changed(
    kind_cluster: KindCluster, namespace: str, before: Manifest, after: Manifest
) -> None:
    """A selector stays as it was at creation: whoever changes, adds or removes it is told what to do instead."""
    apply(kind_cluster, namespace, group(**before))
    answer = apply(kind_cluster, namespace, group(**after), "--dry-run=server")
    assert SELECTOR_IS_FIXED in answer


def test_a_null_in_the_selector_is_no_change(kind_cluster: KindCluster, namespace: str) -> None:
    """What is left out of a selector may be written as null, as one way of applying keeps it and the other does not."""
    apply(kind_cluster, namespace, group())
    same = group(selector={"matchLabels": {"app": "web"}, "matchExpressions": None})
    answer = apply(kind_cluster, namespace, same, "--server-side", "--force-conflicts", "--dry-run=server")
    assert answer.endswith("podgroup.selfheal.dev/web serverside-applied (server dry run)\n")


def test_all_but_the_selector_can_be_changed(kind_cluster: KindCluster, namespace: str) -> None:
    """Replicas, minReadySeconds and the template of a PodGroup can be changed while its selector stays."""
    apply(kind_cluster, namespace, group())
    changed = group(
        replicas=2, minReadySeconds=5, template=template(containers=[{"name": "web", "image": "nginx:1.30"}])
    )
    answer = apply(kind_cluster, namespace, changed, "--dry-run=server")
    assert answer == "podgroup.selfheal.dev/web configured (server dry run)\n"


def test_scaling_keeps_the_bounds(kind_cluster: KindCluster, namespace: str) -> None:
    """The scale subresource, which `kubectl scale` and autoscalers use, refuses what spec.replicas refuses."""
    apply(kind_cluster, namespace, group())
    with pytest.raises(subprocess.CalledProcessError) as refused:
        kind_cluster.kubectl(
            *("scale", "podgroups.selfheal.dev/web", "--replicas=10001", "--namespace", namespace),
            stderr=subprocess.PIPE,
        )
    assert "set replicas to a number from 0 (no pods) to 10000" in refused.value.stderr

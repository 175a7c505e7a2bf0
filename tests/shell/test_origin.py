"""Whether a pod that is taken in is what a template makes: compared with the template and with a pod of it now."""

from copy import deepcopy
from typing import Any

import pytest

from builders import desired
from podgroup_operator.act.origin import Origin
from podgroup_operator.core.spread import spread

Json = dict[str, Any]

MOUNTS = [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}]
TEMPLATE: Json = {
    "metadata": {"labels": {"app": "web"}, "annotations": {"version": "1"}},
    "spec": {
        "containers": [
            {"name": "web", "image": "web", "env": [{"name": "MODE", "value": "fast"}], "volumeMounts": MOUNTS}
        ]
    },
}


def changed(**fields: object) -> Json:
    """A pod whose container has these fields otherwise; None leaves one out."""
    pod = deepcopy(TEMPLATE)
    pod["spec"]["containers"][0] |= fields
    pod["spec"]["containers"][0] = {
        key: value for key, value in pod["spec"]["containers"][0].items() if value is not None
    }
    return pod


SIDECAR = [*TEMPLATE["spec"]["containers"], {"name": "sidecar", "image": "mesh"}]
MESH = deepcopy(TEMPLATE) | {"spec": {"containers": SIDECAR}}
MIRROR = changed(image="mirror/web")


@pytest.mark.parametrize("sample", [TEMPLATE, None], ids=["a sample", "no sample"])
@pytest.mark.parametrize(
    "pod",
    [
        changed(image="other"),
        changed(env=None),
        changed(env=[{"name": "MODE", "value": "slow"}]),
        changed(volumeMounts=MOUNTS[1:]),
        deepcopy(TEMPLATE) | {"metadata": {"labels": {"app": "web"}, "annotations": {"version": "0"}}},
    ],
    ids=["an image", "an env is missing", "an env", "one of two mounts of a volume", "an annotation"],
)
def test_what_differs_from_the_template_is_another_one(pod: Json, sample: Json | None) -> None:
    """With a sample of the template or without."""
    assert not Origin(TEMPLATE, sample).made(pod)
    assert Origin(TEMPLATE, sample).made(TEMPLATE)


@pytest.mark.parametrize("pod", [MESH, MIRROR], ids=["a mesh", "a mirror"])
def test_what_admission_does_now_is_no_difference(pod: Json) -> None:
    """Something added, or something changed; but a pod to which it was not done is what the template says."""
    assert Origin(TEMPLATE, pod).made(pod)
    assert not Origin(TEMPLATE, TEMPLATE).made(pod)


def test_without_a_sample_all_may_be_beyond_the_template() -> None:
    """Where no pod can be made nobody knows what would be added; what is changed is seen all the same."""
    assert Origin(TEMPLATE, None).made(MESH)
    assert not Origin(TEMPLATE, None).made(MIRROR)


def test_what_is_empty_says_nothing() -> None:
    """A container's securityContext that is empty is as good as none."""
    assert Origin(changed(securityContext={}), changed(securityContext={})).made(TEMPLATE)
    assert Origin(TEMPLATE, TEMPLATE).made(changed(securityContext={}))


def by_hash(template_hash: str) -> Json:
    """A pod of a template with `matchLabelKeys: [pod-template-hash]`, as the API server writes it out."""
    written = {"key": "pod-template-hash", "operator": "In", "values": [template_hash]}
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": [written]}
    return pod_with({"topologyKey": "zone", "labelSelector": selector, "matchLabelKeys": ["pod-template-hash"]})


def pod_with(*constraints: Json) -> Json:
    """A pod of the template with these constraints."""
    return deepcopy(TEMPLATE) | {"spec": TEMPLATE["spec"] | {"topologySpreadConstraints": list(constraints)}}


def test_the_hash_of_a_deployments_template_is_no_difference() -> None:
    """What `matchLabelKeys` have had written into a selector is another word for the same template here."""
    constraint = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}
    template = pod_with(constraint | {"matchLabelKeys": ["pod-template-hash"]})
    assert Origin(template, by_hash("0a1b2c3d4e")).made(by_hash("7d9c4b5f6"))
    assert not Origin(template, by_hash("0a1b2c3d4e")).made(pod_with(constraint | {"maxSkew": 2}))


@pytest.mark.parametrize("then", [True, False])
@pytest.mark.parametrize("now", [True, False])
def test_constraints_that_we_have_added_are_no_difference(*, then: bool, now: bool) -> None:
    """Whether `spec.spread` said Default when the pod was made, or says so now; those of others are one."""
    sample, pod = (
        deepcopy(TEMPLATE) | {"spec": spread(TEMPLATE["spec"], desired(spread=wanted), revision)}
        for wanted, revision in ((now, "r2"), (then, "r1"))
    )
    assert Origin(TEMPLATE, sample).made(pod)
    assert not Origin(TEMPLATE, sample).made(pod_with({"topologyKey": "rack"}))

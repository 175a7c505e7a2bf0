"""Whether a pod that is taken in is what a template makes: compared with the template and with a pod of it now."""

from copy import deepcopy
from typing import Any

import pytest

from podgroup_operator.act.origin import Origin

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

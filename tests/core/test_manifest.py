"""The manifest: what a pod carries, and from where."""

from copy import deepcopy
from typing import Any

import pytest

from builders import GROUP_UID, NOW, desired, loss
from podgroup_operator.core.manifest import micro_time, owner_reference, pod_manifest
from podgroup_operator.core.model.actions import Create
from podgroup_operator.core.model.loss import Cause, Loss
from podgroup_operator.core.selector import Operator, Requirement, Selector

TEMPLATE: dict[str, Any] = {
    "metadata": {
        "labels": {"app": "web", "tier": "front"},
        "annotations": {"note": "kept"},
        "finalizers": ["example.com/wait"],
    },
    "spec": {"containers": [{"name": "web", "image": "nginx"}], "restartPolicy": "OnFailure"},
}
BARE: dict[str, Any] = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}
NEW = Create("web-1-abcde", slot=1, epoch=4, revision="r1")


def test_a_new_pod_is_the_template_and_who_it_belongs_to() -> None:
    """Labels, annotations, finalizers and spec are the template's; name, slot, epoch and owner are ours."""
    assert pod_manifest(desired(), TEMPLATE, NEW) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-1-abcde",
            "namespace": "shop",
            "labels": {
                "app": "web",
                "tier": "front",
                "selfheal.dev/podgroup": "web",
                "selfheal.dev/slot": "1",
                "selfheal.dev/revision": "r1",
                "pod-template-hash": "r1",
            },
            "annotations": {"note": "kept", "selfheal.dev/epoch": "4"},
            "finalizers": ["example.com/wait"],
            "ownerReferences": [
                {
                    "apiVersion": "selfheal.dev/v1",
                    "kind": "PodGroup",
                    "name": "web",
                    "uid": GROUP_UID,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {"containers": [{"name": "web", "image": "nginx"}], "restartPolicy": "OnFailure"},
    }


def test_a_replacement_says_whom_it_replaces_why_and_since_when() -> None:
    """The annotations of a replacement name the lost pod, the cause and the time to the microsecond."""
    lost = Loss(1, "web-1-vwxyz", Cause.EVICTED, NOW + 0.25)

    assert pod_manifest(desired(), BARE, Create("web-1-abcde", 1, 4, "r1", lost))["metadata"]["annotations"] == {
        "selfheal.dev/epoch": "4",
        "selfheal.dev/replaces": "web-1-vwxyz",
        "selfheal.dev/cause": "Evicted",
        "selfheal.dev/lost-at": "2023-11-14T22:13:20.250000Z",
    }


def test_a_replacement_of_an_unknown_pod_names_none() -> None:
    """Of a pod that went while nobody watched the cause and the time are told, not the name."""
    lost = Loss(1, "", Cause.DELETED, NOW)

    assert pod_manifest(desired(), BARE, Create("web-1-abcde", 1, 4, "r1", lost))["metadata"]["annotations"] == {
        "selfheal.dev/epoch": "4",
        "selfheal.dev/cause": "Deleted",
        "selfheal.dev/lost-at": "2023-11-14T22:13:20.000000Z",
    }


def test_the_template_is_left_as_it_is() -> None:
    """Building pods changes nothing in the template that they are built from."""
    template = deepcopy(TEMPLATE)

    for slot in range(3):
        pod_manifest(desired(), template, Create(f"web-{slot}", slot, 0, "r1", loss(slot)))

    assert template == TEMPLATE


def test_our_own_labels_and_annotations_win() -> None:
    """A template cannot tell a pod another seat, revision or history than the one it has."""
    keys = ("selfheal.dev/podgroup", "selfheal.dev/slot", "selfheal.dev/revision")
    claimed = dict.fromkeys(keys, "forged")
    template = BARE | {"metadata": {"labels": claimed, "annotations": {"selfheal.dev/epoch": "99"}}}
    metadata = pod_manifest(desired(), template, NEW)["metadata"]

    assert dict(zip(keys, ("web", "1", "r1"), strict=True)) | {"pod-template-hash": "r1"} == metadata["labels"]
    assert metadata["annotations"] == {"selfheal.dev/epoch": "4"}


def test_a_template_without_metadata_is_enough() -> None:
    """What the template does not say is not said of the pod: no empty finalizers, and a spec all the same."""
    metadata = pod_manifest(desired(), BARE, NEW)["metadata"]

    assert list(metadata) == ["name", "namespace", "labels", "annotations", "ownerReferences"]
    assert pod_manifest(desired(), {"metadata": None, "spec": None}, NEW)["spec"] == {}


def test_the_owner_reference_makes_us_the_one_controller() -> None:
    """An adopted pod gets the same reference as one that we make."""
    made = pod_manifest(desired(), BARE, NEW)["metadata"]["ownerReferences"]

    assert [owner_reference(desired())] == made


def test_times_have_microseconds_and_are_in_utc() -> None:
    """A time is written as the API's MicroTime, also when it has no fraction."""
    assert [micro_time(0), micro_time(NOW + 0.500001)] == ["1970-01-01T00:00:00.000000Z", "2023-11-14T22:13:20.500001Z"]


def test_annotations_that_mean_something_to_us_do_not_come_from_the_template() -> None:
    """They would mean every pod of the group: one that asks to be deleted would be made without end."""
    template = {**TEMPLATE, "metadata": {"annotations": {"selfheal.dev/delete": "true", "selfheal.dev/epoch": "7"}}}
    assert pod_manifest(desired(), template, NEW)["metadata"]["annotations"] == {"selfheal.dev/epoch": "4"}


@pytest.mark.parametrize(
    ("selector", "labels", "kept"),
    [
        (Selector((("app", "web"),)), {}, "r1"),
        (Selector((("app", "web"),)), {"pod-template-hash": "7d9c4b5f6"}, "7d9c4b5f6"),
        (Selector((("pod-template-hash", "7d9c4b5f6"),)), {"pod-template-hash": "7d9c4b5f6"}, "7d9c4b5f6"),
        (Selector((), (Requirement("pod-template-hash", Operator.DOES_NOT_EXIST),)), {}, None),
    ],
)
def test_the_hash_of_its_template_is_on_a_pod_unless_somebody_else_names_it(
    selector: Selector, labels: dict[str, str], kept: str | None
) -> None:
    """`matchLabelKeys: [pod-template-hash]` works as in a Deployment; what selector or template say of it stands."""
    made = pod_manifest(desired(selector=selector), BARE | {"metadata": {"labels": labels}}, NEW)
    assert made["metadata"]["labels"].get("pod-template-hash") == kept


def test_what_every_pod_shall_be_annotated_with_gives_way_to_the_template() -> None:
    """An annotation from the operator's settings is on each pod; the template's own is another's wish and stands."""
    template = BARE | {"metadata": {"annotations": {"b": "template"}}}
    made = pod_manifest(desired(pod_annotations={"a": "all", "b": "all"}), template, NEW)["metadata"]["annotations"]
    assert made == {"a": "all", "b": "template", "selfheal.dev/epoch": "4"}

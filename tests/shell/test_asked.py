"""What is asked of a pod by annotation is asked only if somebody else than us has set it, by its managed fields."""

from typing import Any

import pytest

from podgroup_operator.api.wire.pod import read_pod

Json = dict[str, Any]

DELETE, KEEP = "selfheal.dev/delete", "selfheal.dev/keep"


def field_of(manager: str, annotation: str) -> Json:
    """The record that a manager has set an annotation."""
    return {"manager": manager, "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{annotation}": {}}}}}


@pytest.mark.parametrize("annotation", [DELETE, KEEP])
@pytest.mark.parametrize(
    ("value", "managers", "counts"),
    [
        ("true", ["kubectl-annotate"], True),
        ("true", ["podgroup-operator", "kubectl-annotate"], True),
        ("true", ["podgroup-operator"], False),
        ("true", [], False),
        ("yes", ["kubectl-annotate"], False),
    ],
    ids=["a person", "a person after us", "we", "nobody, so a policy at its create", "another value"],
)
def test_only_what_somebody_else_has_set_counts(
    annotation: str, value: str, managers: list[str], *, counts: bool
) -> None:
    """The API server writes the record before policies have their say, so theirs is nobody's."""
    metadata = {"namespace": "default", "name": "web", "uid": "1", "resourceVersion": "1"}
    fields = [field_of(manager, annotation) for manager in managers]
    pod = read_pod({"metadata": metadata | {"annotations": {annotation: value}, "managedFields": fields}})
    assert pod
    assert (pod.asked if annotation == DELETE else pod.kept) is counts

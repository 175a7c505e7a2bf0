"""Admission policies of one namespace: what stands between the operator and the store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from e2e.api import Refused
from e2e.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.namespace import Namespace

Json = dict[str, Any]

ROOT = "/apis/admissionregistration.k8s.io/v1"


@contextmanager
def policy(shop: Namespace, kind: str, verb: str, works: Callable[[], bool], **rule: object) -> Iterator[None]:
    """Have a policy on the pods of a namespace, within this context.

    Args:
        shop: the namespace.
        kind: validating or mutating.
        verb: CREATE, UPDATE or DELETE.
        works: tells whether it is in force; it takes the API server a moment.
        rule: the rest of its spec.
    """
    name = f"{shop.name}-{verb.lower()}"
    constraints = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": shop.name}},
        "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": [verb], "resources": ["pods"]}],
    }
    spec: Json = {"failurePolicy": "Fail", "matchConstraints": constraints, **rule}
    bound: Json = {"policyName": name} | ({"validationActions": ["Deny"]} if kind == "validating" else {})
    paths = [f"{ROOT}/{kind}admissionpolicies", f"{ROOT}/{kind}admissionpolicybindings"]
    for path, content in zip(paths, (spec, bound), strict=True):
        shop.api.request("POST", path, {"metadata": {"name": name}, "spec": content})
    try:
        wait_for("the policy to be in force", works)
        yield
    finally:
        for path in reversed(paths):
            shop.api.request("DELETE", f"{path}/{name}")
    wait_for("the policy to be gone", lambda: not works())


def is_denied(request: Callable[[], object]) -> bool:
    """Tell whether a request, which changes nothing, is refused."""
    try:
        request()
    except Refused:
        return True
    return False

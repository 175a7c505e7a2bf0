"""LabelSelector: matching and serialising as metav1.LabelSelector and `kubectl --selector` do."""

import pytest

from podgroup_operator.core.selector import Operator, Requirement, Selector

IN = Requirement("tier", Operator.IN, frozenset({"front", "back"}))
NOT_IN = Requirement("tier", Operator.NOT_IN, frozenset({"test"}))
EXISTS = Requirement("app", Operator.EXISTS)
DOES_NOT_EXIST = Requirement("debug", Operator.DOES_NOT_EXIST)

MATCHES = {
    "an empty selector matches nothing, lest it claim every orphan": (Selector(), {"app": "web"}, False),
    "an empty selector does not even match a pod without labels": (Selector(), {}, False),
    "a label matches": (Selector((("app", "web"),)), {"app": "web", "more": "yes"}, True),
    "another value does not match": (Selector((("app", "web"),)), {"app": "api"}, False),
    "a missing key does not match": (Selector((("app", "web"),)), {}, False),
    "all labels must match": (Selector((("app", "web"), ("tier", "front"))), {"app": "web"}, False),
    "In matches one of its values": (Selector((), (IN,)), {"tier": "back"}, True),
    "In does not match another value": (Selector((), (IN,)), {"tier": "middle"}, False),
    "In does not match a missing key": (Selector((), (IN,)), {}, False),
    "NotIn matches another value": (Selector((), (NOT_IN,)), {"tier": "front"}, True),
    "NotIn does not match its value": (Selector((), (NOT_IN,)), {"tier": "test"}, False),
    "NotIn matches a missing key": (Selector((), (NOT_IN,)), {}, True),
    "Exists matches any value": (Selector((), (EXISTS,)), {"app": ""}, True),
    "Exists does not match a missing key": (Selector((), (EXISTS,)), {"other": "web"}, False),
    "DoesNotExist matches a missing key": (Selector((), (DOES_NOT_EXIST,)), {"app": "web"}, True),
    "DoesNotExist does not match any value": (Selector((), (DOES_NOT_EXIST,)), {"debug": ""}, False),
    "labels and expressions must both match: both do": (
        Selector((("app", "web"),), (IN, DOES_NOT_EXIST)),
        {"app": "web", "tier": "front"},
        True,
    ),
    "labels and expressions must both match: one expression does not": (
        Selector((("app", "web"),), (IN, DOES_NOT_EXIST)),
        {"app": "web", "tier": "front", "debug": "1"},
        False,
    ),
    "labels and expressions must both match: a label does not": (
        Selector((("app", "web"),), (IN,)),
        {"app": "api", "tier": "front"},
        False,
    ),
}


@pytest.mark.parametrize(("selector", "labels", "matches"), MATCHES.values(), ids=MATCHES.keys())
def test_a_selector_matches_labels_as_upstream(selector: Selector, labels: dict[str, str], matches: bool) -> None:  # noqa: FBT001 (a table's column)
    """Every label and every expression must hold; what each means is metav1.LabelSelector's business."""
    assert matches is selector.matches(labels)


STRINGS = {
    "a label": (Selector((("app", "web"),)), "app=web"),
    "several labels": (Selector((("app", "web"), ("tier", "front"))), "app=web,tier=front"),
    "In, with its values sorted": (Selector((), (IN,)), "tier in (back,front)"),
    "NotIn": (Selector((), (NOT_IN,)), "tier notin (test)"),
    "Exists": (Selector((), (EXISTS,)), "app"),
    "DoesNotExist": (Selector((), (DOES_NOT_EXIST,)), "!debug"),
    "all at once": (
        Selector((("app", "web"),), (IN, NOT_IN, EXISTS, DOES_NOT_EXIST)),
        "app=web,tier in (back,front),tier notin (test),app,!debug",
    ),
}


@pytest.mark.parametrize(("selector", "text"), STRINGS.values(), ids=STRINGS.keys())
def test_a_selector_is_written_as_kubectl_reads_it(selector: Selector, text: str) -> None:
    """The string of `status.selector` is what `kubectl get pods --selector` and the HPA take."""
    assert text == str(selector)

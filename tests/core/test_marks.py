"""Marks: what a pod has lost of what was sent counts all the same, and what it has is its own."""

from typing import Any

import pytest

from builders import NOW, create, loss, pod
from podgroup_operator.core.marks import UNMARKED, kept, marks_of, missing

SENT = create(2, 4, loss(2, at=NOW - 1), failures=3)
LOSS: dict[str, Any] = {"cause": "Deleted", "replaces": "web-2", "lost_at": NOW - 1}
MARKED: dict[str, Any] = {"slot": 2, "epoch": 4, "revision": "r1", "failures": 3} | LOSS

LOST: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "its annotations": (
        {"epoch": 0, "replaces": "", "lost_at": None, "failures": 0, "cause": ""},
        {"epoch": 4, "failures": 3} | LOSS,
    ),
    "the label of its revision": ({"revision": ""}, {"revision": "r1"}),
    "all": (dict(UNMARKED), MARKED),
    "nothing, but it has others of its own": ({"slot": 0, "failures": 9, "revision": "r0"}, {}),
}


@pytest.mark.parametrize(("lost", "expected"), LOST.values(), ids=LOST.keys())
def test_what_a_pod_has_lost_is_what_was_sent(lost: dict[str, Any], expected: dict[str, Any]) -> None:
    """A mark that it has, also another one, is what it says; slot 0 is a mark, no slot is none."""
    assert missing(pod(**(MARKED | lost)), marks_of(SENT)) == expected


def test_a_pod_that_replaces_none_has_lost_none() -> None:
    """What was not sent is not missing."""
    assert missing(pod(**{**UNMARKED, "revision": "r1"}), marks_of(create(0))) == {"slot": 0}


def test_what_a_pod_was_known_to_have_outlives_what_is_taken_off_it() -> None:
    """Of a pod that had none nothing is kept, nor of one that has others now."""
    assert kept(pod(**UNMARKED), pod(**MARKED)) == MARKED
    assert kept(pod(**UNMARKED), pod(**UNMARKED)) == kept(pod(**MARKED), pod(**UNMARKED)) == {}
    assert kept(pod(**(MARKED | {"slot": 3})), pod(**MARKED)) == {}

"""The demo's event tape: what is told of a change, in which words, and what is passed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.pods import Pod, read_pod
from demo.tape import LINES, Tape, sentence
from demo.watch import News

BARE = Pod("newcomer", "uid-9")
NEW = Pod("web-1-new", "uid-1", seat=1, owned=True, replaces="web-1-old")
READY = replace(NEW, node="node-0", ready=True)

TOLD = [
    (News(0, NEW), "web-1-new is created, seat 1, in place of web-1-old"),
    (News(0, BARE), "newcomer is created"),
    (News(0, READY, before=NEW), "web-1-new is ready"),
    (News(0, replace(READY, ready=False), before=READY), "web-1-new is not ready any more"),
    (News(0, replace(READY, leaving=True), before=READY), "web-1-new is told to end"),
    (News(0, replace(READY, leaving=True, ready=False), before=READY), "web-1-new is told to end"),
    (News(0, replace(BARE, owned=True, seat=3), before=BARE), "newcomer is adopted, seat 3"),
    (News(0, replace(READY, owned=False), before=READY), "web-1-new is let go"),
    (News(0, READY, before=READY, gone=True), "web-1-new is gone"),
    (
        News(0, replace(READY, restarts=1, ready=False), before=READY),
        "web-1-new is restarted in its place by the kubelet",
    ),
    (News(0, replace(READY, restarts=1), before=replace(READY, restarts=1, ready=False)), "web-1-new is ready"),
    (News(0, replace(NEW, node="node-0"), before=NEW), ""),
    (News(0, READY, before=READY), ""),
]


@pytest.mark.parametrize(("news", "words"), TOLD, ids=[words or f"nothing {n}" for n, (_, words) in enumerate(TOLD)])
def test_a_change_is_told_in_a_sentence(news: News, words: str) -> None:
    """What means something to a person is told once, the rest not at all."""
    assert sentence(news) == words


def test_the_time_is_counted_from_the_last_request() -> None:
    """A line begins with the milliseconds since the request was sent."""
    tape = Tape()
    tape.mark()
    sent = -tape.since(0.0)
    assert tape.add(News(sent + 0.0124, BARE)).strip() == "+12 ms  newcomer is created"


def test_the_tape_is_always_as_long() -> None:
    """Short of lines it is filled up, and with too many the oldest go: what stands below it never moves."""
    tape = Tape()
    assert tape.lines == [""] * LINES
    for number in range(LINES + 2):
        tape.add(News(0, Pod(f"web-{number}", f"uid-{number}")))
    assert [line.split("  ")[-1] for line in tape.lines] == [
        f"web-{number} is created" for number in range(2, LINES + 2)
    ]


def test_a_pod_is_read_from_what_the_api_says() -> None:
    """Seat, owner, predecessor and time of loss come from labels, owner references and annotations."""
    body = {
        "metadata": {
            "name": "web-1-new",
            "uid": "uid-1",
            "labels": {"selfheal.dev/slot": "1"},
            "annotations": {
                "selfheal.dev/replaces": "web-1-old",
                "selfheal.dev/lost-at": "1970-01-01T00:01:00.000250Z",
            },
            "ownerReferences": [{"kind": "PodGroup", "name": "web", "controller": True}],
        },
        "spec": {"nodeName": "node-0"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 2}, {"restartCount": 1}],
        },
    }
    expected = Pod("web-1-new", "uid-1", 1, True, "Running", "node-0", True, False, "web-1-old", 60.00025, 3)  # noqa: FBT003 - as they are declared
    assert read_pod(body) == expected


def test_a_bare_pod_is_read_from_the_least_that_the_api_says() -> None:
    """No label, no owner, no status: it has no seat and belongs to nobody."""
    assert read_pod({"metadata": {"name": "newcomer", "uid": "uid-9"}}) == BARE

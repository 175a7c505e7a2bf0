"""One message is one line of the log, whatever it contains."""

import json
import logging
import sys

import pytest

from podgroup_operator.tell.loglines import LOOK, JsonLine, OneLine

FORGED = "2026-01-01 00:00:00,000 INFO podgroup_operator.run all is well"


def written(message: str, *, traceback: bool = False) -> list[str]:
    """Give the lines that a message becomes, logged while an error is handled if a traceback is asked for."""
    info = sys.exc_info() if traceback else None
    record = logging.LogRecord("test", logging.WARNING, __file__, 1, "%s", (message,), info)
    return OneLine().format(record).split("\n")


@pytest.mark.parametrize(
    ("between", "shown"),
    [
        ("\n", r"\n"),
        ("\r\n", r"\r\n"),
        ("\x1b[2K\r", r"\x1b[2K\r"),
        ("\x85", r"\x85"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
    ],
)
def test_a_message_cannot_begin_a_line(between: str, shown: str) -> None:
    """Line breaks of all kinds, terminal codes and reversed writing are written as escapes."""
    (line,) = written(f"no room{between}{FORGED}")
    assert line.endswith(f" WARNING test no room{shown}{FORGED}")
    assert line.splitlines() == [line]


def test_letters_of_all_languages_are_written_as_they_are() -> None:
    """Only what controls is escaped."""
    (line,) = written("größer als 数 🙂")
    assert line.endswith("größer als 数 🙂")


def fail(words: str) -> None:
    """Raise an error with these words."""
    raise ValueError(words)


def test_a_traceback_cannot_begin_a_line_either() -> None:
    """Its lines are indented, those in the error's own words too."""
    try:
        fail(f"bad\n{FORGED}\r{FORGED}")
    except ValueError:
        first, *others = written("unexpected error", traceback=True)
    assert first.endswith("unexpected error")
    assert others[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") and "\r" not in line for line in others)


def as_json(message: str, *, traceback: bool = False) -> dict[str, object]:
    """Give what one line of JSON tells of a message, its time aside."""
    info = sys.exc_info() if traceback else None
    line = JsonLine().format(logging.LogRecord("test", logging.INFO, __file__, 1, "%s", (message,), info))
    assert line.isascii()
    assert "\n" not in line
    told: dict[str, object] = json.loads(line)
    assert told.pop("time")
    return told


def test_a_message_is_an_object_of_json() -> None:
    """With the look that it belongs to, the group and the heal, by which a log can be cut."""
    message = "group=shop/web heal=7 web-2 replaced web-1"
    token = LOOK.set(12)
    try:
        told = as_json(message)
    finally:
        LOOK.reset(token)
    named = {"look": 12, "group": "shop/web", "heal": "7"}
    assert told == {"level": "INFO", "logger": "test", "message": message} | named


@pytest.mark.parametrize("message", ["refused: group=office/db heal=9", "no\nroom\u202e"])
def test_what_is_quoted_in_a_message_names_nothing(message: str) -> None:
    """A group or a heal is what a message begins with; control characters are written as escapes."""
    assert as_json(message) == {"level": "INFO", "logger": "test", "message": message}


def test_a_traceback_is_in_the_same_line() -> None:
    """One record is one line, whatever it has to tell."""
    try:
        fail("words")
    except ValueError:
        told = as_json("a bug", traceback=True)
    assert "ValueError: words" in str(told["traceback"])

"""One message is one line of the log, whatever it contains."""

import logging
import sys

import pytest

from podgroup_operator.tell.loglines import OneLine

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

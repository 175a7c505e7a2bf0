"""How a log line looks: one line for each message, whatever is in it.

An API server's or a webhook's words may hold line breaks and terminal codes that a user of the cluster has put there.
They are written as escapes, so that nobody can forge a line. A traceback has lines of its own; they are indented.
"""

import logging
import re

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

INDENT = "    "
# C0 and C1 control characters, the line and paragraph separators, and what reverses the direction of writing.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class OneLine(logging.Formatter):
    """Writes a record so that each line that is not indented was begun by us."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Write the message with its control characters escaped."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """Write the traceback, indented."""
        return indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        """Write the stack, indented."""
        return indented(super().formatStack(stack_info))


def escaped(text: str) -> str:
    r"""Write control characters as Python does: a line break as \n."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def indented(text: str) -> str:
    """Escape and indent each line."""
    return "\n".join(INDENT + escaped(line) for line in text.split("\n"))

"""How a log line looks: one line for each message, whatever is in it.

An API server's or a webhook's words may hold line breaks and terminal codes that a user of the cluster has put there.
They are written as escapes, so that nobody can forge a line. A traceback has lines of its own; they are indented.

As JSON all of it is one line, which names the look that it belongs to, the group and the heal, to be searched for.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

LOOK = ContextVar("look", default=0)
"""The number of the look that is under way here; 0 is none."""

INDENT = "    "
NAMED = re.compile(r"group=(?P<group>\S+)(?: heal=(?P<heal>\d+))?")  # how a message begins; what follows may be quoted
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


class JsonLine(logging.Formatter):
    """Writes a record as an object of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write all that there is to tell in one line of ASCII."""
        message = record.getMessage()
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        if look := LOOK.get():
            told["look"] = look
        if named := NAMED.match(message):
            told |= {name: value for name, value in named.groupdict().items() if value}
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told)


FORMATS: dict[str, type[logging.Formatter]] = {"text": OneLine, "json": JsonLine}


def escaped(text: str) -> str:
    r"""Write control characters as Python does: a line break as \n."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def indented(text: str) -> str:
    """Escape and indent each line."""
    return "\n".join(INDENT + escaped(line) for line in text.split("\n"))

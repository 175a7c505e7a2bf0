"""JSON as text: orjson, and something slower for the few texts that it refuses and the API server takes.

orjson writes no integer beyond 64 bits (a quantity may be one) and reads nothing that is nested deeper than 1024
levels, which the record of managed fields of any object may be, for its owner may write it.
"""

import json
import math
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

import orjson

DEEPEST = 100
"""Levels that are kept of a text that is nested too deep; no field that we read lies below the twentieth."""

ESCAPED = tuple((mark.encode(), b"\\u%04x" % ord(mark)) for mark in "&<>\u2028\u2029")
"""What Go's encoding/json escapes in texts, and how."""

TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def written(value: object, option: int = 0) -> bytes:
    """Write a value, with orjson's options; of these the others know only that keys are sorted."""
    try:
        return orjson.dumps(value, option=option)
    except TypeError:
        return json.dumps(value, sort_keys=bool(option & orjson.OPT_SORT_KEYS), separators=(",", ":")).encode()


def as_go_writes(value: object) -> bytes:
    """Write a value as Go's encoder does: keys sorted, and what could end a script in a web page escaped.

    What the API server keeps as it was sent (`data` of a ControllerRevision) and holds to be immutable passes through
    that encoder whenever somebody patches the object, and must come out the same; the garbage collector patches too.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # of letters beyond ASCII Go escapes none
        words = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        text = words.encode(errors="replace")
    for mark, escaped in ESCAPED:
        text = text.replace(mark, escaped)
    return text


def parsed(text: bytes) -> Any:
    """Read a text; what is nested too deep in it becomes null.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(shallow(text), parse_int=number)
    except ValueError as error:
        raise orjson.JSONDecodeError(str(error), "", 0) from error


def number(digits: str) -> int | float:
    """Read an integer; one that no float could hold is infinite, as no API server has it."""
    return int(digits) if len(digits) < sys.float_info.max_10_exp else math.inf


async def lines(chunks: AsyncIterable[bytes]) -> AsyncGenerator[list[bytes]]:
    """Give the lines of a stream, whole and without empty ones, as many as came together; an unfinished end is none."""
    begun: list[bytes] = []
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        if others:
            whole, begun = [b"".join(begun), *others[:-1]], [others[-1]]
            yield [line for line in whole if line]


def shallow(text: bytes) -> bytes:
    """Put null for what lies deeper than `DEEPEST` levels."""
    pieces, kept, depth = [], 0, 0
    for found in TOKENS.finditer(text):
        match found[0]:
            case b"[" | b"{":
                depth += 1
                if depth == DEEPEST + 1:
                    pieces.append(text[kept : found.start()])
            case b"]" | b"}":
                if depth == DEEPEST + 1:
                    pieces.append(b"null")
                    kept = found.end()
                depth -= 1
    return b"".join(pieces) + text[kept:] if depth == 0 else text

"""What could not be read: each is told once in the log, and all are counted.

Only where it lies is told, not what stands there, which may be confidential.
"""

import logging
from collections.abc import Sequence

from podgroup_operator import metrics

MOST_TOLD = 1000
"""Oddities that are remembered as told; who makes more of them does not fill the log, nor our memory."""

SOME = 5
"""Fields that a line names."""

logger = logging.getLogger(__name__)

_told: set[tuple[str, str, tuple[str, ...]]] = set()


def note(kind: str, name: str, fields: Sequence[str] = (), error: Exception | None = None) -> None:
    """Note fields of an object that could not be read, or the whole object.

    Args:
        kind: of the object.
        name: of the object, with its namespace; "" if that cannot be read either.
        fields: their paths; none is the whole object.
        error: what was raised when it was read, which is a fault of ours.
    """
    fields = list(dict.fromkeys(fields))
    metrics.unreadable.labels(kind).inc(len(fields) or 1)
    oddity = (kind, name, tuple(fields))
    if oddity in _told or len(_told) >= MOST_TOLD:
        return
    _told.add(oddity)
    logger.warning("%s %s: %s.", kind, name or "(without a name)", in_words(fields), exc_info=error)
    if len(_told) == MOST_TOLD:
        logger.warning("%d objects that cannot be read have been told of; further ones are only counted.", MOST_TOLD)


def in_words(fields: Sequence[str]) -> str:
    """Say what cannot be read."""
    if not fields:
        return "it cannot be read and is left out"
    more = f" and {len(fields) - SOME} more" if len(fields) > SOME else ""
    return f"{', '.join(field[:100] for field in fields[:SOME])}{more} cannot be read and count as not set"

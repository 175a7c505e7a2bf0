"""Reading JSON that may be anything: a field that is not of its kind is as if it were not there, and is noted.

An API server checks what it stores, but not everything and not for ever: it keeps times that only Go can read, a CRD
may be older or newer than we are, and much of a pod is written by nodes and by people. Nothing here raises.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

LARGEST = 2**63 - 1  # int64; without a bound, an annotation of 4,300 digits would break every name made of it
LEAP = 60  # the second that a clock shows only at a leap
LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()  # the API has no later year, and Python cannot write one
GOS_ZERO = "0001-01-01T00:00:00Z"  # how Go writes a time that is not set

TIMES = 1000  # that are known once they were read: each event of a pod repeats those of the one before

RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
WHOLE = re.compile(r"\s*[+-]?\d{1,20}\s*", re.ASCII)


class Fields:
    """A JSON object, read field by field; what is null is not set.

    Args:
        value: what should be one; anything else is an object without fields.
        odd: takes the paths of the fields that could not be read.
        path: where it lies.

    Attributes:
        odd: those paths.
        value: the object as it is.
    """

    __slots__ = ("_path", "odd", "value")

    def __init__(self, value: object, odd: list[str] | None = None, path: str = "") -> None:
        self.odd: list[str] = [] if odd is None else odd
        self._path = path
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            self.odd.append(path)

    def note(self, key: str) -> None:
        """Note that a field could not be read."""
        self.odd.append(f"{self._path}.{key}" if self._path else key)

    def raw(self, key: str) -> Any:
        """Give a field as it is; None if it is not set."""
        return self.value.get(key)

    def keys(self) -> Iterable[str]:
        """Give the names of the fields."""
        return self.value.keys()

    def map(self, key: str) -> "Fields":
        """Give an object in the object."""
        value = self.value.get(key)
        return Fields(value, self.odd, f"{self._path}.{key}" if self._path else key)

    def maps(self, key: str) -> "list[Fields]":
        """Give a list of objects."""
        return [Fields(each, self.odd, path) for path, each in self._items(key)]

    def words(self, key: str) -> list[str]:
        """Give a list of texts."""
        found = []
        for path, each in self._items(key):
            if isinstance(each, str):
                found.append(each)
            else:
                self.odd.append(path)
        return found

    def texts(self, key: str) -> dict[str, str]:
        """Give an object whose fields are texts, as labels are; one that is null is empty, as for the API server."""
        value = self.map(key).value
        if all(isinstance(each, str) for each in value.values()):
            return value
        texts = {name: each or "" for name, each in value.items() if each is None or isinstance(each, str)}
        if len(texts) < len(value):
            self.note(key)
        return texts

    def text(self, key: str) -> str:
        """Give a text; "" if there is none."""
        value = self.value.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self.note(key)
        return ""

    def flag(self, key: str) -> bool:
        """Give yes or no; no if it is not set."""
        value = self.value.get(key)
        if value is None or isinstance(value, bool):
            return value or False
        self.note(key)
        return False

    def number(self, key: str, default: int = 0, least: int = -LARGEST) -> int:
        """Give an integer that Kubernetes could hold, and no smaller one than the least."""
        value = self.value.get(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST:
            return value
        self.note(key)
        return default

    def real(self, key: str) -> float | None:
        """Give a number with a fraction; None if there is none."""
        value = self.value.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:
            return value
        if value is not None:
            self.note(key)
        return None

    def time(self, key: str) -> float | None:
        """Give a time in seconds since the epoch; None if there is none that can be read."""
        value = self.value.get(key)
        if not value or value == GOS_ZERO:
            return None
        time = timestamp(value) if isinstance(value, str) else None
        if time is None:
            self.note(key)
        return time

    def _items(self, key: str) -> Iterator[tuple[str, object]]:
        """Give the items of a list, each with its path."""
        value = self.value.get(key)
        if isinstance(value, list):
            path = f"{self._path}.{key}" if self._path else key
            yield from ((f"{path}[{number}]", each) for number, each in enumerate(value))
        elif value is not None:
            self.note(key)


@lru_cache(maxsize=TIMES)
def timestamp(text: str) -> float | None:
    """Read an RFC 3339 time as seconds since the epoch; None if it is none, or before the epoch.

    A leap second is the first second after it, as POSIX counts.
    """
    found = RFC3339.fullmatch(text)
    if not found:
        return None
    *whole, fraction, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = map(int, whole)
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        read = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone(ahead))
        time = (
            read + timedelta(seconds=second == LEAP, microseconds=int((fraction or "0").ljust(6, "0")[:6]))
        ).timestamp()
    except (ValueError, OverflowError):
        return None
    return time if second <= LEAP and 0 <= time <= LATEST else None


def whole_number(text: str | None) -> int | None:
    """Read an integer that a person may have written; None if it is not one, or none that Kubernetes could hold."""
    number = int(text) if text is not None and WHOLE.fullmatch(text) else None
    return number if number is not None and abs(number) <= LARGEST else None

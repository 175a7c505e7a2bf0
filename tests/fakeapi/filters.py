"""Label and field selectors, as a list or a watch gives them in its query.

The grammar is that of apimachinery/pkg/labels and pkg/fields, without the rarely seen `<` and `>`.
"""

import re
from collections.abc import Callable, Mapping

from fakeapi.errors import StatusError, bad_request
from fakeapi.resources import Obj, Resource

Filter = Callable[[Obj], bool]
Requirement = Callable[[Mapping[str, str]], bool]

COMMA = re.compile(r",(?![^(]*\))")  # not the ones inside `in (a, b)`
EXISTS = re.compile(r"(!?)\s*([\w./-]+)")
EQUALS = re.compile(r"([\w./-]+)\s*(==|=|!=)\s*([\w./-]*)")
SET = re.compile(r"([\w./-]+)\s+(in|notin)\s*\(([^()]*)\)")


def selecting(resource: Resource, labels: str, fields: str) -> Filter | None:
    """Give what tells whether an object is selected; None if nothing is asked.

    Raises:
        StatusError: 400, the selector cannot be read.
    """
    of_labels = [label_requirement(part.strip()) for part in COMMA.split(labels) if part.strip()]
    of_fields = [field_requirement(resource, part.strip()) for part in fields.split(",") if part.strip()]
    if not of_labels and not of_fields:
        return None

    def selected(obj: Obj) -> bool:
        has = obj["metadata"].get("labels") or {}
        return all(matches(has) for matches in of_labels) and all(matches(obj) for matches in of_fields)

    return selected


def label_requirement(text: str) -> Requirement:
    """Read one requirement of a label selector."""
    if found := EXISTS.fullmatch(text):
        absent, key = found.groups()
        return lambda labels: (key in labels) is not bool(absent)
    if found := EQUALS.fullmatch(text):
        key, sign, value = found.groups()
        return lambda labels: (labels.get(key) == value) is not (sign == "!=")
    if found := SET.fullmatch(text):
        key, word, list_ = found.groups()
        values = {value.strip() for value in list_.split(",")}
        return lambda labels: (labels.get(key) in values) is not (word == "notin")
    raise unreadable(text)


def field_requirement(resource: Resource, text: str) -> Filter:
    """Read one requirement of a field selector."""
    found = EQUALS.fullmatch(text)
    if not found:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    path, sign, value = found.groups()
    supported = ("metadata.name", "metadata.namespace", *resource.fields)
    if path not in supported:
        raise bad_request(f"field label not supported: {path}")
    return lambda obj: (field(obj, path) == value) is not (sign == "!=")


def field(obj: Obj, path: str) -> str:
    """Give the field at a dotted path as a selector sees it: "" if it is not set."""
    value = obj
    for step in path.split("."):
        value = value.get(step) or {}
    return str(value) if value else ""


def unreadable(text: str) -> StatusError:
    """Refuse a label selector; the real message also says where it stopped."""
    return bad_request(f"unable to parse requirement: {text}")

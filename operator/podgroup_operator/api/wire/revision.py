"""Which revision a template is: two that mean the same to the API server are one."""

import hashlib
import math
from typing import Any

import orjson

from podgroup_operator.api.fields import LARGEST, Fields
from podgroup_operator.api.jsontext import written


def template_hash(template: object) -> str:
    """Hash what pods are made of in a template, as the user wrote it: no server's defaulting looks like a change.

    A template's own name, namespace and creation time mean nothing, and a field that is null is not set.
    """
    fields = Fields(template)
    metadata = fields.map("metadata")
    meaning = {key: value for key in ("labels", "annotations", "finalizers") if (value := metadata.raw(key))}
    text = written([meaning, without_nulls(fields.raw("spec"))], orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:10]


def without_nulls(value: Any) -> Any:
    """Leave out what is null, at any depth; a number beyond 64 bits is a float, as for the API server."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return as_the_server_has_it(value) if isinstance(value, int) else value


def as_the_server_has_it(number: int) -> int | float:
    """Give a number as Go holds one of which it knows no kind: an int64, or else a float64."""
    if -LARGEST - 1 <= number <= LARGEST:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf

"""Merge patch and strategic merge patch, as pure functions that leave their arguments alone.

Merge patch is RFC 7386. The strategic one follows apimachinery/pkg/util/strategicpatch for what controllers
send: maps are merged, the lists of `MERGE_KEYS` are merged by their key, an item or a map may carry
`$patch: delete` or `replace`, `$deleteFromPrimitiveList` takes values out, every other list is replaced. A new
list item comes before those that were there: so does the real server (see test_fakeapi.py).
"""

from collections.abc import Iterable
from typing import Any

from fakeapi.errors import StatusError, bad_request

Json = Any

MERGE_KEYS = {
    "ownerReferences": "uid",
    "conditions": "type",
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "podIPs": "ip",
    "hostIPs": "ip",
}
PRIMITIVE_LISTS = {"finalizers"}
DELETE_FROM = "$deleteFromPrimitiveList/"


def merge(target: Json, patch: Json) -> Json:
    """Apply a JSON merge patch: null removes, maps merge, everything else is replaced."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic_merge(target: Json, patch: Json) -> Json:
    """Apply a strategic merge patch to a map.

    Raises:
        StatusError: 400, an item of a merged list lacks the list's key, or an unknown directive is given.
    """
    if "$patch" in patch:
        return _directed_map(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith(DELETE_FROM):
            _take_out(result, key.removeprefix(DELETE_FROM), value)
        elif key.startswith("$"):
            continue  # $setElementOrder and $retainKeys only shape what kubectl's diff has already said
        else:
            _set(result, key, value)
    return result


def _set(result: dict[str, Json], key: str, value: Json) -> None:
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict):
        merged = strategic_merge(result.get(key), value)
        if merged is None:
            result.pop(key, None)
        else:
            result[key] = merged
    elif isinstance(value, list) and key in MERGE_KEYS:
        result[key] = _merge_list(result.get(key) or [], value, MERGE_KEYS[key])
    elif isinstance(value, list) and key in PRIMITIVE_LISTS:
        had = result.get(key) or []
        result[key] = [item for item in value if item not in had] + had
    else:
        result[key] = value


def _merge_list(had: list[Json], items: list[Json], key: str) -> list[Json]:
    if any(item.get("$patch") == "replace" for item in items):
        return [item for item in items if "$patch" not in item]
    if any(key not in item for item in items):
        raise bad_request(f"map: {items} does not contain declared merge key: {key}")
    gone = {item[key] for item in items if item.get("$patch") == "delete"}
    changes = {item[key]: item for item in items if "$patch" not in item}
    kept = {item[key]: item for item in had if item[key] not in gone}
    new = [strategic_merge({}, item) for value, item in changes.items() if value not in kept]
    return new + [strategic_merge(item, changes.get(value, {})) for value, item in kept.items()]


def _take_out(result: dict[str, Json], key: str, values: Iterable[Json]) -> None:
    gone = list(values)
    result[key] = [item for item in result.get(key) or [] if item not in gone]


def _directed_map(patch: dict[str, Json]) -> Json:
    match patch["$patch"]:
        case "replace":
            return {key: value for key, value in patch.items() if key != "$patch"}
        case "delete":
            return None
        case other:
            raise _unknown_directive(other)


def _unknown_directive(directive: object) -> StatusError:
    return bad_request(f"unknown patch type found in strategic merge patch: {directive}")

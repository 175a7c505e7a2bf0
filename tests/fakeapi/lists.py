"""LIST: one consistent version, in pages if asked.

All pages of a list show the version of the first one, whatever is written in between; when that version has been
compacted, the server answers 410 and offers a token for the rest as it is now. See apiserver/pkg/storage/continue.go
and etcd3/errors.go.
"""

import base64
import binascii
from collections.abc import Mapping

import orjson

from fakeapi import errors
from fakeapi.errors import StatusError
from fakeapi.filters import Filter
from fakeapi.resources import Obj, Resource
from fakeapi.routing import read_version
from fakeapi.store import Key, Store, key_of

NOW = -1  # in a continue token: whatever version there is


def answer_list(
    store: Store, resource: Resource, namespace: str, selects: Filter | None, query: Mapping[str, str]
) -> Obj:
    """Give the list that a query asks for.

    Raises:
        StatusError: 400, unreadable; 410, too old; 504, a version that does not exist yet.
    """
    start, version = _from_where(store, query)
    objects = (
        store.objects(resource, namespace)
        if version == store.version
        else store.objects_at(resource, namespace, version)
    )
    found = [obj for obj in objects if key_of(obj) > start and (selects is None or selects(obj))]
    page, metadata = _page(found, int(query.get("limit") or 0), version, counted=selects is None)
    if resource.custom:
        metadata.setdefault("continue", "")
    else:  # the items of a built-in list come without apiVersion and kind
        page = [{key: obj[key] for key in obj if key not in ("apiVersion", "kind")} for obj in page]
    head = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
    return {**head, "metadata": metadata, "items": page}


def _from_where(store: Store, query: Mapping[str, str]) -> tuple[Key, int]:
    """Give the key after which to begin, and the version to show."""
    asked = read_version(query)
    start, version = _read_token(query.get("continue", ""))
    if query.get("resourceVersionMatch") == "Exact":
        version = version or asked
    if max(version, asked) > store.version:
        raise errors.too_large_version(max(version, asked), store.version)
    if 0 < version < store.compacted:
        raise _too_old(start)
    return start, version if version > 0 else store.version


def _page(found: list[Obj], limit: int, version: int, *, counted: bool) -> tuple[list[Obj], Obj]:
    """Cut a page off; give it with the list's metadata."""
    metadata: Obj = {"resourceVersion": str(version)}
    if not limit or len(found) <= limit:
        return found, metadata
    page = found[:limit]
    metadata["continue"] = _token(key_of(page[-1]), version)
    if counted:
        metadata["remainingItemCount"] = len(found) - limit
    return page, metadata


def _token(last: Key, version: int) -> str:
    token = {"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(last)}
    return base64.urlsafe_b64encode(orjson.dumps(token)).decode().rstrip("=")


def _read_token(text: str) -> tuple[Key, int]:
    if not text:
        return ("", ""), 0
    try:
        token = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        namespace, _, name = token["start"].partition("/")
        return (namespace, name), int(token["rv"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def _too_old(start: Key) -> StatusError:
    if not any(start):
        return errors.expired("The resourceVersion for the provided list is too old.")
    return errors.expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were "
        "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
        "list.",
        continue_=_token(start, NOW),
    )

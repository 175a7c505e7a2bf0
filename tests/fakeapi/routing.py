"""From a path to a resource, and the log of what was asked.

The log is what tests assert on: who wrote what, how often, and what came of it. "An idle group causes no write"
is a sentence about this log.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from fakeapi import errors
from fakeapi.resources import Obj, Resource

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
EVICTION = "eviction"
WRITES = frozenset({"create", "update", "patch", "delete"})
TRUE = ("true", "1")
NAMESPACE_DOORS = ("status", "finalize")  # behind /namespaces/NAME these are no resources


@dataclass
class Request:
    """A line of the request log.

    Attributes:
        query: the parameters, decoded.
        body: as JSON, or None.
        verb: as RBAC calls it; "" for what is not about a resource, such as discovery.
        resource: "pods", "podgroups.selfheal.dev"; "" likewise.
        code: what was answered; None if the client got no answer (yet).
        version: the newest resourceVersion right after the request had its effect.
        at: `time.monotonic()` when it came.
    """

    method: str
    path: str
    query: Mapping[str, str]
    user_agent: str
    verb: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    body: Obj | None = None
    code: int | None = None
    version: int = 0
    at: float = field(default_factory=time.monotonic)

    @property
    def writes(self) -> bool:
        """Whether it asks for a change of an object; an access review does not."""
        return self.verb in WRITES

    @property
    def dry_run(self) -> bool:
        """Whether it asks what a write would do."""
        return self.query.get("dryRun") == "All"


@dataclass(frozen=True)
class Target:
    """Where a path leads."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def route(request: Request, served: list[Resource]) -> Target | None:
    """Find where a request leads and note it in the log.

    Returns:
        None if the path is not about a resource of a group that is served.

    Raises:
        StatusError: 404, the group has no such resource; 405, the resource has no such verb.
    """
    match [part for part in request.path.split("/") if part]:
        case ["api", version, *rest] if rest:
            group = ""
        case ["apis", group, version, *rest] if rest:
            pass
        case _:
            return None
    here = [resource for resource in served if (resource.group, resource.version) == (group, version)]
    if not here:
        return None
    target = _target(here, rest)
    if target is None:
        raise errors.no_such_resource()
    request.verb = _verb(request, target)
    request.resource = target.resource.qualified
    request.namespace, request.name = target.namespace, target.name
    request.subresource = target.subresource
    return target


def _target(here: list[Resource], rest: list[str]) -> Target | None:
    namespace = ""
    match rest:
        case ["namespaces", name, next_, *_] if next_ not in NAMESPACE_DOORS:
            namespace, rest = name, rest[2:]
    name, subresource = (*rest[1:3], "", "")[:2]
    for resource in here:
        if resource.plural == rest[0] and (not subresource or subresource in resource.subresources):
            return Target(resource, namespace, name, subresource)
    return None


def _verb(request: Request, target: Target) -> str:
    if request.method == "GET" and request.query.get("watch") in TRUE:
        return "watch"
    if request.method == "GET" and not target.name:
        return "list"
    posts = not target.name or target.subresource == EVICTION
    if request.method not in VERBS or posts is not (request.method == "POST"):
        raise errors.method_not_allowed()
    return VERBS[request.method]


def read_json(body: bytes) -> Obj:
    """Read a request's body.

    Raises:
        StatusError: 400.
    """
    try:
        obj: Obj = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise errors.bad_request(f"the object provided is unrecognized: {error}") from error
    if not isinstance(obj, dict):
        raise errors.bad_request("the object provided is unrecognized: it is not a JSON object")
    return obj


def read_version(query: Mapping[str, str]) -> int:
    """Read the resourceVersion of a query; 0 is "any".

    Raises:
        StatusError: 400.
    """
    text = query.get("resourceVersion") or "0"
    if not text.isdecimal():
        words = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise errors.bad_request(f"invalid resource version: {words}")
    return int(text)


def delete_options(request: Request) -> Obj:
    """Give the DeleteOptions of a request, from its body and from its query."""
    options = dict(request.body or {})
    convert: dict[str, Callable[[str], object]] = {"propagationPolicy": str, "gracePeriodSeconds": int}
    for name, read in convert.items():
        if name in request.query:
            options[name] = read(request.query[name])
    if request.dry_run:
        options["dryRun"] = ["All"]
    return options

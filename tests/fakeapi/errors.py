"""The refusals of kube-apiserver, word for word.

The operator shows these messages to people and reads their `reason` and `details`, so tests must meet the real
ones. They follow apimachinery/pkg/api/errors/errors.go and were compared with a kube-apiserver 1.37.2.
"""

from collections.abc import Mapping
from typing import Any

from fakeapi.resources import Obj, Resource

REASONS: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class StatusError(Exception):
    """A metav1.Status that refuses a request.

    Args:
        code: the HTTP status.
        message: for people.
        reason: for programs; by default what apimachinery gives that code.
        retry_after: seconds, for the Retry-After header and details.
        details: the Status's details.
        metadata: the Status's metadata; an expired list has its new `continue` there.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        reason: str | None = None,
        retry_after: int | None = None,
        details: Obj | None = None,
        metadata: Obj | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = REASONS.get(code, "") if reason is None else reason
        self.message = message
        self.retry_after = retry_after
        self.details = details
        self.metadata = metadata or {}

    @property
    def status(self) -> Obj:
        """Give the body."""
        body: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure"}
        body["message"] = self.message
        if self.reason:
            body["reason"] = self.reason
        details = dict(self.details or {})
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        if details or self.details is not None:
            body["details"] = details
        return {**body, "code": self.code}


def about(resource: Resource, name: str) -> Obj:
    """Give the details that name an object; their `kind` is the plural, as in the real ones."""
    return _present(name=name, group=resource.group, kind=resource.plural)


def not_found(resource: Resource, name: str) -> StatusError:
    """Refuse: there is no such object."""
    return StatusError(404, f'{resource.qualified} "{name}" not found', details=about(resource, name))


def no_such_resource() -> StatusError:
    """Refuse: the path is under a known group, but leads nowhere."""
    return StatusError(404, "the server could not find the requested resource", details={})


def already_exists(resource: Resource, name: str, *, terminating: bool) -> StatusError:
    """Refuse: the name is taken, perhaps by an object that is on its way out."""
    prefix = "object is being deleted: " if terminating else ""
    message = f'{prefix}{resource.qualified} "{name}" already exists'
    return StatusError(409, message, reason="AlreadyExists", details=about(resource, name))


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> StatusError:
    """Refuse: the object is not in the state that the request was made for."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return StatusError(409, message, details=about(resource, name))


def disruption_budget() -> StatusError:
    """Refuse an eviction that a PodDisruptionBudget forbids (registry/core/pod/storage/eviction.go)."""
    cause = {
        "reason": "DisruptionBudget",
        "message": "The disruption budget pdb needs 1 healthy pods and has 1 currently",
    }
    words = "Cannot evict pod as it would violate the pod's disruption budget."
    return StatusError(429, words, reason="TooManyRequests", details={"causes": [cause]})


def precondition_failed(resource: Resource, name: str, field: str, asked: str, is_: str) -> StatusError:
    """Refuse a DELETE whose preconditions do not hold; here the server names the kind, not the resource."""
    end = "deleted and then recreated" if field == "UID" else "modified"
    message = (
        f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": the {field} in the precondition '
        f"({asked}) does not match the {field} in record ({is_}). The object might have been {end}"
    )
    return StatusError(409, message, details=_present(name=name, group=resource.group, kind=resource.kind))


def invalid(resource: Resource, name: str, *causes: tuple[str, str, str]) -> StatusError:
    """Refuse what validation found wrong.

    Args:
        resource: what was written.
        name: its name.
        causes: of each fault the field, the reason such as FieldValueRequired, and the words, such as
            "Required value".
    """
    texts = [f"{field}: {words}" for field, _, words in causes]
    all_of_them = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = _present(name=name, group=resource.group, kind=resource.kind)
    details["causes"] = [{"reason": reason, "message": words, "field": field} for field, reason, words in causes]
    return StatusError(422, f'{resource.qualified_kind} "{name}" is invalid: {all_of_them}', details=details)


def version_required(resource: Resource, name: str) -> StatusError:
    """Refuse a PUT that does not say which version it replaces; the server names the plural as the kind."""
    words = "Invalid value: 0: must be specified for an update"
    field = "metadata.resourceVersion"
    details = about(resource, name) | {"causes": [{"reason": "FieldValueInvalid", "message": words, "field": field}]}
    return StatusError(422, f'{resource.qualified} "{name}" is invalid: {field}: {words}', details=details)


def forbidden(resource: Resource, name: str, why: str) -> StatusError:
    """Refuse: not allowed, by RBAC or by an admission plugin."""
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    return StatusError(403, f"{subject} is forbidden: {why}", details=about(resource, name))


def namespace_terminating(resource: Resource, name: str, namespace: str) -> StatusError:
    """Refuse to create in a namespace that is being deleted (admission plugin NamespaceLifecycle)."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = forbidden(resource, name, why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    error.details = {**(error.details or {}), "causes": [cause]}
    return error


def exceeded_quota(resource: Resource, name: str, *, used: int, limited: int, quota: str = "pods") -> StatusError:
    """Refuse what a ResourceQuota on the number of pods does not allow (admission plugin ResourceQuota)."""
    why = f"exceeded quota: {quota}, requested: pods=1, used: pods={used}, limited: pods={limited}"
    return forbidden(resource, name, why)


def bad_request(message: str) -> StatusError:
    """Refuse what cannot be read."""
    return StatusError(400, message)


def wrong_kind(resource: Resource, kind: str) -> StatusError:
    """Refuse an object of another kind than the path's."""
    given, wanted = f"{resource.version}.{kind}", f"core.{resource.kind}"
    return bad_request(
        f'{kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
        f"converting ({given}) to ({wanted}): unknown conversion"
    )


def expired(message: str, *, continue_: str = "") -> StatusError:
    """Refuse to go back to a version that has been compacted away: 410."""
    return StatusError(410, message, metadata=_present(**{"continue": continue_}))


def too_large_version(asked: int, current: int) -> StatusError:
    """Refuse to list at a version that does not exist yet."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return StatusError(504, message, retry_after=1, details={"causes": causes})


def method_not_allowed() -> StatusError:
    """Refuse a verb that the path does not take."""
    return StatusError(405, "the server does not allow this method on the requested resource", details={})


def unsupported_media_type(accepted: tuple[str, ...]) -> StatusError:
    """Refuse a PATCH in a form that the resource does not take, such as a strategic merge of a custom one."""
    words = "the body of the request was in an unknown format - accepted media types include: "
    return StatusError(415, words + ", ".join(accepted))


def _present(**details: Any) -> Obj:
    return {key: value for key, value in details.items() if value}

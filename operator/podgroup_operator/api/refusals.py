"""What comes of a request but a body: the API server says no (`Refused`), or nothing at all (`Unreachable`)."""

import re
from typing import Any

from podgroup_operator.api.fields import Fields

Json = dict[str, Any]

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE, UNPROCESSABLE = 401, 403, 404, 409, 410, 422
TOO_MANY_REQUESTS = 429
UNANSWERABLE = frozenset({UNAUTHORIZED, FORBIDDEN})  # to ask again is of no use before somebody has acted
REDIRECTION = 300  # and above: it is not done
SERVER_ERROR = 500  # and above: what was asked for may have been done all the same, or be done yet
UNSUPPORTED = frozenset({501, 505})  # whoever answers so would do it again (RFC 9110, 15.6.2 and 15.6.6)
BUDGET = "DisruptionBudget"  # the cause that the server names where a PodDisruptionBudget forbids an eviction
# The server's verdict on the object itself; other refusals (quota, permission) are about the moment.
INVALID = frozenset({400, UNPROCESSABLE})
FOR_A_PERSON = INVALID | {FORBIDDEN}  # nothing but what somebody does will change it
# So admission policies and webhooks are quoted, whatever code they choose (422 by default, 400 and 403).
DENIED = re.compile(r"denied (?:the )?request")
# Who has denied something is said by the server; why, by a policy engine, and that may quote what is in the object.
QUOTED = re.compile(r"(denied (?:the )?request|violates PodSecurity \"[^\"]*\").*", re.DOTALL)


class Refused(Exception):
    """The API server said no; its text may be logged and told in Events, other than `message`.

    Attributes:
        code: the HTTP status code.
        reason: the machine-readable reason of the Status, such as AlreadyExists.
        message: the server's own words. Those on an invalid object, and those of a policy engine, quote what is in it,
            perhaps a password: they are for the object's own status.
        retry_after: seconds to wait, where the server says so.
        causes: the reasons of the Status's causes, such as NamespaceTerminating.
        budget: what a PodDisruptionBudget has against an eviction, by name, in the server's words; "" if none has.
        is_denied: whether a policy or a webhook has refused it, and not the API server's own validation.
        is_about_uid: whether another object has the name by now.
        is_outdated: whether what was to be changed is gone, has changed, or is another object by now.
        is_passing: whether it may pass at any moment: the API server, or what stands before it, has failed or has too
            much to do; else it has refused what was asked for. A PodDisruptionBudget does so with 429, too.
        is_verdict: whether it says no to what was asked for: it has not failed, and it knows who asks.
    """

    def __init__(self, code: int, status: Json, retry_after: float | None = None) -> None:
        fields = Fields(status)
        self.code = code
        self.reason = fields.text("reason")
        self.message = fields.text("message") or f"HTTP {code}"
        self.retry_after = retry_after
        causes = fields.map("details").maps("causes")
        self.causes = frozenset(cause.text("reason") for cause in causes)
        self.budget = next((cause.text("message") for cause in causes if cause.text("reason") == BUDGET), "")
        self.is_denied = DENIED.search(self.message) is not None
        self.is_about_uid = any(cause.text("field") == "metadata.uid" for cause in causes)
        self.is_outdated = code in {NOT_FOUND, CONFLICT} or (code == UNPROCESSABLE and self.is_about_uid)
        busy = code == TOO_MANY_REQUESTS and BUDGET not in self.causes
        self.is_passing = busy or (code >= SERVER_ERROR and code not in UNSUPPORTED)
        self.is_verdict = not self.is_passing and code != UNAUTHORIZED
        super().__init__(fields_of(status) or f"HTTP {code}" if code in INVALID else QUOTED.sub(r"\1", self.message))


def fields_of(status: Json) -> str:
    """Tell which fields the server holds to be invalid, and in what way, but not what is in them."""
    causes = Fields(status).map("details").maps("causes")
    fields = [
        f"{field}: {cause.text('message').partition(':')[0]}" for cause in causes if (field := cause.text("field"))
    ]
    return ", ".join(fields) or Fields(status).text("reason")


class Undone(Refused):
    """The API server said yes, but a policy or a webhook on the way to the store has undone what was asked."""

    def __init__(self, what: str) -> None:
        super().__init__(
            FORBIDDEN,
            {"message": f"it was accepted, but an admission policy or webhook has undone what it does to {what}"},
        )


class Unreachable(Exception):
    """No answer came: the connection failed, was cut, or timed out. A write may or may not have happened."""

    is_passing = True
    is_verdict = False


class TooLarge(Exception):
    """An answer was given up in the middle, for it is larger than there is room for."""


class NotLeading(Exception):
    """Nothing was sent: this operator may not write, for another one may lead."""
